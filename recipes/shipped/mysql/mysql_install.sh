#!/bin/bash
# Installs Debian's MariaDB from the machine's package sources and configures
# it. It may run again. The database is left stopped and its unit disabled:
# the agent starts it, after the appliance has confirmed this machine.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

port=${RECIPE_jdbcPort:-3306}
pool=${RECIPE_bufferPool:-64M}
if ! [[ $port =~ ^[0-9]{1,5}$ && $pool =~ ^[0-9]+[KMG]?$ ]]; then
    echo "mysql_install: jdbcPort '$port' or bufferPool '$pool' is not valid" >&2
    exit 1
fi

# The configuration comes first, so that the first start already uses it.
install -d -m 755 /etc/mysql/mariadb.conf.d
cat > /etc/mysql/mariadb.conf.d/90-appliance.cnf <<EOF
[mysqld]
bind-address            = 0.0.0.0
port                    = $port
skip-name-resolve
innodb_buffer_pool_size = $pool
innodb_log_file_size    = 32M
key_buffer_size         = 8M
max_connections         = 50
performance_schema      = OFF

[client]
port                    = $port
EOF

# The package enables its unit: were the power to fail before it is disabled
# again, the next start would run a database that nobody confirmed. A masked
# unit starts in no case.
systemctl mask mariadb

apt-get -q update
apt-get -q -y -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
    install --no-install-recommends mariadb-server

systemctl unmask mariadb # "disable" passes over a masked unit
systemctl disable mariadb
systemctl stop mariadb
