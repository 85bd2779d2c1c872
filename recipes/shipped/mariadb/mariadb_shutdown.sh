#!/bin/bash
# Takes the service off the machine. The data stays in /var/lib/mysql: only a
# wipe of the machine, which a person asks for, ends it.
set -euo pipefail

systemctl disable mariadb >/dev/null 2>&1 || true
rm -f /etc/mysql/mariadb.conf.d/90-appliance.cnf
