#!/bin/sh
# Writes what the server is to say.
set -eu
echo "hello from $(uname -s), instance $USM_INSTANCE_ID" > greeting
