#!/bin/bash
# Stops the database; does nothing when it is stopped or not installed.
set -euo pipefail

if systemctl cat mariadb.service >/dev/null 2>&1; then
    systemctl stop mariadb
fi
