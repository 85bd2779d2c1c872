#!/bin/bash
# hypervisor_certificates.sh ADDRESS: makes a CA for this machine alone, libvirt's
# certificate for ADDRESS, and the one certificate that may connect. What is
# there and still right stays. The CA's key is thrown away.
set -euo pipefail
umask 077

address=$1
if [[ -s pki/address && $(<pki/address) == "$address" ]] && openssl x509 -checkend 31536000 -noout -in pki/server.pem >/dev/null; then
    echo "the certificates for $address are there"
else
    rm -rf pki pki.new
    mkdir pki.new
    cd pki.new
    openssl req -x509 -newkey ed25519 -nodes -days 3650 -subj "/CN=libvirt of $address" -keyout ca.key -out ca.pem
    for side in server client; do
        use=serverAuth
        [[ $side == server ]] || use=clientAuth
        openssl req -newkey rsa:2048 -nodes -subj "/CN=$address $side" -keyout "$side.key" -out "$side.csr"
        printf 'subjectAltName=IP:%s\nextendedKeyUsage=%s\nbasicConstraints=CA:FALSE\nkeyUsage=digitalSignature,keyEncipherment\n' "$address" "$use" > "$side.ext"
        openssl x509 -req -in "$side.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 -extfile "$side.ext" -out "$side.pem"
    done
    rm -f ca.key ./*.csr ./*.ext
    echo "$address" > address
    cd ..
    mv pki.new pki
fi
install -m 600 pki/ca.pem pki/server.pem pki/server.key /etc/libvirt/appliance/
