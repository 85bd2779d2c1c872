#!/bin/bash
# Says what this machine has for virtual machines, a line each: the network card
# that they stand beside, cores, memory in bytes, whether the processor helps.
set -euo pipefail

reserved=${RECIPE_reservedMemory:-512}
[[ $reserved =~ ^[0-9]{1,7}$ ]] || { echo "hypervisor_facts: reservedMemory '$reserved' is no number of MiB" >&2; exit 1; }
kib=$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo)
memory=$(((kib / 1024 - reserved) * 1024 * 1024))
((memory > 0)) || { echo "hypervisor_facts: of $((kib / 1024)) MiB nothing is left after the reserved $reserved MiB" >&2; exit 1; }

bridge=${RECIPE_bridge:-}
device=
if [[ -n $bridge ]]; then
    [[ -d /sys/class/net/$bridge/bridge ]] || { echo "hypervisor_facts: bridge '$bridge' is no bridge of this machine" >&2; exit 1; }
else
    address=${CLOUDIFY_AGENT_ENV_PRIVATE_IP:-}
    device=$(ip -o -4 addr show | awk -v a="$address" 'a != "" && index($4, a "/") == 1 { print $2; exit }')
    # Where no address is known: the first card that has one.
    [[ -n $device ]] || device=$(ip -o -4 addr show scope global | awk '{ print $2; exit }')
    [[ -n $device ]] || { echo "hypervisor_facts: no network card has an address" >&2; exit 1; }
    modprobe macvtap
fi

kvm=false
[[ ! -w /dev/kvm ]] || kvm=true
echo "device=$device"
echo "bridge=$bridge"
echo "cores=$(nproc)"
echo "memory=$memory"
echo "kvm=$kvm"
