#!/bin/bash
# Installs the Debian packages that building and testing need and that are
# missing. Changes nothing when all are there.
set -euo pipefail

packages=(
  # build: C compiler for SQLite, boot kit and disk image
  gcc libc6-dev git ca-certificates zstd cpio xz-utils
  mmdebstrap debian-archive-keyring e2fsprogs dosfstools mtools fdisk grub-common grub-pc-bin
  # the virtual rack
  qemu-system-x86 qemu-system-arm qemu-utils ovmf qemu-efi-aarch64 openipmi ipmitool iproute2 kmod
  # hosts that are adopted, and virtual machines (nothing of it is started: RUNLEVEL below)
  openssh-server openssh-client libvirt-daemon libvirt-daemon-driver-qemu
  # tests
  chromium shellcheck dnsmasq-base busybox gdisk
  isc-dhcp-client dhcpcd-base isc-dhcp-relay kea-dhcp4-server systemd
  atftp tftp-hpa curl
  # what recipes of the configuration-management bases run
  puppet ansible-core
  # the databases that scripts of recipes ask
  mariadb-server postgresql
)

if ! command -v go >/dev/null || ! command -v npm >/dev/null; then
  echo "prepare: Go (1.26 or later) and Node.js with npm must be installed first" >&2
  exit 1
fi

missing=()
for p in "${packages[@]}"; do
  if ! dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null | grep -qx installed; then
    missing+=("$p")
  fi
done
if [ ${#missing[@]} -eq 0 ]; then
  exit 0
fi

if [ "$(id -u)" != 0 ]; then
  echo "prepare: these Debian packages are missing, and only root can install them: ${missing[*]}" >&2
  exit 1
fi
echo "prepare: installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
