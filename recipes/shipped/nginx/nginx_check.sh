#!/bin/bash
# Custom command check: the configuration is sound and nginx answers.
set -euo pipefail

port=${RECIPE_httpPort:-80}
nginx -t -q
exec 3<>"/dev/tcp/127.0.0.1/$port"
printf 'GET /healthz HTTP/1.0\r\n\r\n' >&3
read -r -t 5 status <&3
[[ $status == *" 200 "* ]] || { echo "nginx_check: $status" >&2; exit 1; }
echo "ok"
