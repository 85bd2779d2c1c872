#!/bin/bash
# Tells who asks /healthz that this instance goes, and gives them time to see it.
set -euo pipefail

secs=${RECIPE_drainSecs:-3}
[[ $secs =~ ^[0-9]{1,3}$ ]] || secs=3
touch /run/nginx-draining
sleep "$secs"
