#!/bin/bash
# Custom command createDatabase NAME: makes a further database for the user.
set -euo pipefail

database=${1:-}
user=${RECIPE_dbUser:-app}
name='^[A-Za-z0-9_]{1,64}$'
if ! [[ $database =~ $name && $user =~ $name ]]; then
    echo "createDatabase: give a name of letters, digits and _" >&2
    exit 2
fi

mariadb --protocol=socket --user=root <<EOF
CREATE DATABASE IF NOT EXISTS \`$database\` CHARACTER SET utf8mb4;
GRANT ALL PRIVILEGES ON \`$database\`.* TO '$user'@'%';
EOF
echo "database $database is ready"
