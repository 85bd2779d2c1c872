#!/bin/bash
# Starts the database; does nothing when it runs already.
set -euo pipefail

systemctl reset-failed mariadb 2>/dev/null || true
systemctl start mariadb
