#!/bin/bash
# One run of Puppet: puppet_run.sh MODE MANIFEST MODULES SERVER ENVIRONMENT apply|plan
# Its output is Puppet's; puppet-report.json says in short what came of it.
set -euo pipefail
mode=$1 manifest=$2 modules=$3 server=$4 environment=$5 how=$6

report() { # summary changed failed total
    printf '{"tool":"puppet","dryRun":%s,"summary":"%s","changed":%d,"failed":%d,"total":%d}\n' \
        "$([ "$how" = plan ] && echo true || echo false)" "$1" "$2" "$3" "$4" > puppet-report.json
}
refuse() {
    report "$1" 0 0 0
    echo "puppet_run: $1" >&2
    exit 1
}

command -v puppet >/dev/null || refuse "no puppet on this machine: mirror it (appliance package mirror) or put it into the image"
summary=$PWD/puppet-summary.yaml
rm -f "$summary"
options=(--detailed-exitcodes --color=false --show_diff --lastrunfile "$summary")
[ "$how" = plan ] && options+=(--noop)

case $mode in
apply)
    [ -e "$manifest" ] || refuse "puppetManifest $manifest is not in the recipe's folder"
    cat > hiera.yaml <<-END
		version: 5
		defaults: {datadir: $PWD, data_hash: json_data}
		hierarchy: [{name: recipe, path: puppet-run.json}]
	END
    [ -d "$modules" ] && options+=(--modulepath "$PWD/$modules:/etc/puppet/code/modules:/usr/share/puppet/modules")
    command=(puppet apply --hiera_config "$PWD/hiera.yaml" "${options[@]}" "$manifest")
    ;;
agent)
    [ -n "$server" ] || refuse "puppetMode agent needs puppetServer"
    command=(puppet agent --onetime --no-daemonize --no-usecacheonfailure --verbose --server "$server" --environment "$environment" "${options[@]}")
    ;;
*) refuse "puppetMode $mode is neither apply nor agent" ;;
esac

code=0
"${command[@]}" 2>&1 || code=$?

count() { # of the section "resources" in Puppet's summary
    awk -v key="$1:" '/^[a-z]/ {in_section = ($1 == "resources:")} in_section && $1 == key {print $2; found = 1} END {if (!found) print 0}' "$summary" 2>/dev/null || echo 0
}
changed=$(count changed) failed=$(count failed) total=$(count total)
[ "$how" = plan ] && changed=$(count out_of_sync)
# 0: nothing to do, 2: changed; with 4 something failed, 1: it did not run.
case $code in
0 | 2) report "$changed of $total resources $([ "$how" = plan ] && echo 'would change' || echo changed)" "$changed" 0 "$total" ;;
4 | 6) report "$failed of $total resources failed, $changed changed" "$changed" "$failed" "$total" && exit 1 ;;
*) report "it did not run to its end (exit code $code)" "$changed" "$failed" "$total" && exit 1 ;;
esac
