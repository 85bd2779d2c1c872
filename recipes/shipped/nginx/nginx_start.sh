#!/bin/bash
# Starts nginx; one that runs already reads its configuration again.
set -euo pipefail

rm -f /run/nginx-draining
systemctl reset-failed nginx 2>/dev/null || true
systemctl reload-or-restart nginx
