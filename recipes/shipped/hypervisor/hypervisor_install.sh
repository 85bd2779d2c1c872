#!/bin/bash
# Installs Debian's libvirt and QEMU and writes the unit of a libvirtd of our
# own. It may run again. The unit is left stopped and is never enabled: the
# agent starts it, after the appliance has confirmed this machine.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

port=${RECIPE_tlsPort:-16514}
if ! [[ $port =~ ^[0-9]{1,5}$ ]]; then
    echo "hypervisor_install: tlsPort '$port' is not a port" >&2
    exit 1
fi

apt-get -q update
apt-get -q -y -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
    install --no-install-recommends libvirt-daemon libvirt-daemon-driver-qemu qemu-system-x86 qemu-utils openssl

# Virtual machines run as a user of their own.
getent group libvirt-qemu >/dev/null || groupadd --system libvirt-qemu
getent passwd libvirt-qemu >/dev/null ||
    useradd --system --gid libvirt-qemu --home-dir /var/lib/libvirt --no-create-home --shell /usr/sbin/nologin libvirt-qemu
[[ ! -e /dev/kvm ]] || chgrp libvirt-qemu /dev/kvm

install -d -m 755 /etc/libvirt
install -d -m 700 /etc/libvirt/appliance
cat > /etc/libvirt/appliance/libvirtd.conf <<EOF
listen_tls = 1
listen_tcp = 0
tls_port = "$port"
auth_tls = "none"
ca_file = "/etc/libvirt/appliance/ca.pem"
cert_file = "/etc/libvirt/appliance/server.pem"
key_file = "/etc/libvirt/appliance/server.key"
unix_sock_rw_perms = "0700"
auth_unix_rw = "none"
EOF
cat > /etc/libvirt/qemu.conf <<EOF
user = "libvirt-qemu"
group = "libvirt-qemu"
security_driver = "none"
cgroup_controllers = [ ]
namespaces = [ ]
stdio_handler = "file"
EOF
# Virtual machines outlive a restart of libvirtd.
cat > /etc/systemd/system/appliance-libvirtd.service <<EOF
[Unit]
Description=libvirt for the appliance
After=network-online.target

[Service]
ExecStart=/usr/sbin/libvirtd --listen -f /etc/libvirt/appliance/libvirtd.conf
KillMode=process
Restart=on-failure
EOF
systemctl daemon-reload
