#!/bin/bash
# Takes the service off the machine. Refuses while virtual machines run here:
# they are services' machines.
set -euo pipefail

if pgrep -u libvirt-qemu qemu-system >/dev/null 2>&1; then
    echo "hypervisor_shutdown: virtual machines run here; remove the services that have them first" >&2
    exit 1
fi
./hypervisor_stop.sh
rm -rf /etc/libvirt/appliance /etc/systemd/system/appliance-libvirtd.service pki
systemctl daemon-reload
