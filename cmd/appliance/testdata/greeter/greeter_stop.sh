#!/bin/sh
# Ends the server.
set -eu
[ -f greeter.pid ] || exit 0
kill "$(cat greeter.pid)" 2>/dev/null || :
rm -f greeter.pid
