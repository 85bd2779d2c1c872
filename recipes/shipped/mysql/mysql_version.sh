#!/bin/bash
# Custom command version: what the database calls itself.
set -euo pipefail

mariadb --protocol=socket --user=root --batch --skip-column-names <<< 'SELECT VERSION();'
