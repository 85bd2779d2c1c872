#!/bin/bash
# Installs Puppet's agent where the machine has none. It may run again.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

if ! command -v puppet >/dev/null; then
    apt-get -q update
    apt-get -q -y install --no-install-recommends puppet
    # Puppet runs when the appliance says so, never by itself.
    systemctl disable --now puppet 2>/dev/null || true
fi
puppet --version
