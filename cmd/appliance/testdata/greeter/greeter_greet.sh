#!/bin/sh
# Custom command greet NAME.
echo "hello, ${1:-nobody}"
