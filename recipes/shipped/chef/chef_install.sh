#!/bin/bash
# Finds a Chef-compatible client, or installs the one that is given:
# chef_install.sh [URL SHA256]. It may run again.
set -euo pipefail
url=${1:-} sum=${2:-}

for client in cinc-client chef-client; do
    if command -v "$client" >/dev/null; then
        "$client" --version
        exit 0
    fi
done
if [ -z "$url" ]; then
    echo "chef_install: this machine has neither cinc-client nor chef-client, and Debian 12 has no package of them." >&2
    echo "Put one into the image, or set chefArtifact (URL of a .deb, such as one the appliance serves) and chefArtifactSHA256." >&2
    exit 1
fi
if ! [[ $sum =~ ^[0-9a-f]{64}$ ]]; then
    echo "chef_install: chefArtifact needs chefArtifactSHA256, 64 hexadecimal digits" >&2
    exit 1
fi
file=$PWD/chef-client.deb
curl --fail --silent --show-error --location --max-time 600 --output "$file" "$url"
echo "$sum  $file" | sha256sum --check --quiet
DEBIAN_FRONTEND=noninteractive apt-get -q -y install "$file"
