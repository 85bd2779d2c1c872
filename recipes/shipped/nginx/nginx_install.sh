#!/bin/bash
# Installs Debian's nginx from the machine's package sources. It may run again.
# nginx is left stopped and its unit disabled: the agent starts it, after the
# appliance has confirmed this machine.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

# The package enables its unit: were the power to fail before it is disabled
# again, the next start would run a server that nobody confirmed. A masked unit
# starts in no case.
systemctl mask nginx

apt-get -q update
apt-get -q -y -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
    install --no-install-recommends nginx libnginx-mod-stream

systemctl unmask nginx # "disable" passes over a masked unit
systemctl disable nginx
systemctl stop nginx
rm -f /etc/nginx/sites-enabled/default
