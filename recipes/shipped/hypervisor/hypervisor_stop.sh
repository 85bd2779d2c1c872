#!/bin/bash
# Stops libvirtd; virtual machines that run stay. Does nothing when it is
# stopped or not installed.
set -euo pipefail

if systemctl cat appliance-libvirtd.service >/dev/null 2>&1; then
    systemctl stop appliance-libvirtd
fi
