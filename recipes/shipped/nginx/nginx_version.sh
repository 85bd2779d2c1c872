#!/bin/bash
# Custom command version: what nginx calls itself.
set -euo pipefail

nginx -v 2>&1
