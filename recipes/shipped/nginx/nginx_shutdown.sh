#!/bin/bash
# Takes the service off the machine.
set -euo pipefail

./nginx_stop.sh
systemctl disable nginx >/dev/null 2>&1 || true
rm -f /etc/nginx/sites-enabled/appliance /etc/nginx/modules-enabled/90-appliance-stream.conf backend
rm -rf /var/www/appliance
