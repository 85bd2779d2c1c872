#!/bin/bash
# One run of a playbook on this machine: ansible_run.sh PLAYBOOK TAGS apply|plan
# Its output is Ansible's; ansible-report.json, which callback_plugins writes,
# says in short what came of it.
set -euo pipefail
playbook=$1 tags=$2 how=$3

export APPLIANCE_REPORT=$PWD/ansible-report.json
rm -f "$APPLIANCE_REPORT"
refuse() {
    printf '{"tool":"ansible","summary":"%s","changed":0,"failed":0,"total":0}\n' "$1" > "$APPLIANCE_REPORT"
    echo "ansible_run: $1" >&2
    exit 1
}

command -v ansible-playbook >/dev/null || refuse "no ansible-playbook on this machine: mirror ansible-core (appliance package mirror) or put it into the image"
[ -f "$playbook" ] || refuse "ansiblePlaybook $playbook is not in the recipe's folder"
export ANSIBLE_CALLBACK_PLUGINS=$PWD/callback_plugins ANSIBLE_CALLBACKS_ENABLED=appliance
export ANSIBLE_LOCALHOST_WARNING=false ANSIBLE_NOCOLOR=true ANSIBLE_RETRY_FILES_ENABLED=false ANSIBLE_LOCAL_TEMP=$PWD/.ansible
options=(--inventory "localhost," --connection local --extra-vars "@ansible-vars.json" --diff)
[ -n "$tags" ] && options+=(--tags "$tags")
[ "$how" = plan ] && options+=(--check)

code=0
ansible-playbook "${options[@]}" "$playbook" 2>&1 || code=$?
[ -s "$APPLIANCE_REPORT" ] || refuse "it did not run to its end (exit code $code)"
exit $code
