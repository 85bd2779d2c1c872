#!/bin/bash
# Stops nginx once it has answered what it was asked; does nothing when it is
# stopped or not installed.
set -euo pipefail

if systemctl cat nginx.service >/dev/null 2>&1; then
    if systemctl is-active --quiet nginx; then
        nginx -s quit || true
        for _ in $(seq 100); do
            [[ -s /run/nginx.pid ]] || break
            sleep 0.1
        done
    fi
    systemctl stop nginx
fi
rm -f /run/nginx-draining
