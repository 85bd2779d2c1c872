#!/bin/bash
# Makes the database and its user. It may run again: what is there stays, the
# user's password becomes the one of the file. The password is made here and is
# never an argument of a process.
set -euo pipefail
umask 077

database=${RECIPE_dbName:-appdb}
user=${RECIPE_dbUser:-app}
name='^[A-Za-z0-9_]{1,64}$'
if ! [[ $database =~ $name && $user =~ $name ]]; then
    echo "mysql_postStart: dbName and dbUser are made of letters, digits and _" >&2
    exit 1
fi

file=mysql.password
if ! [[ -s $file ]]; then
    od -An -N24 -tx1 /dev/urandom | tr -d ' \n' > "$file.new"
    mv "$file.new" "$file"
fi
password=$(<"$file")

mariadb --protocol=socket --user=root <<EOF
CREATE DATABASE IF NOT EXISTS \`$database\` CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS '$user'@'%' IDENTIFIED BY '$password';
ALTER USER '$user'@'%' IDENTIFIED BY '$password';
GRANT ALL PRIVILEGES ON \`$database\`.* TO '$user'@'%';
EOF
echo "database $database and user $user are ready"
