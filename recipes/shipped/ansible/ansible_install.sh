#!/bin/bash
# Installs Ansible where the machine has none. It may run again.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

if ! command -v ansible-playbook >/dev/null; then
    apt-get -q update
    apt-get -q -y install --no-install-recommends ansible-core
fi
ansible-playbook --version
