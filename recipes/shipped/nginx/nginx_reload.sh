#!/bin/bash
# Custom command reload: reads the configuration again, without a gap.
set -euo pipefail

nginx -t -q
systemctl reload nginx
echo "reloaded"
