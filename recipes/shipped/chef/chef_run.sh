#!/bin/bash
# One run of a Chef-compatible client:
# chef_run.sh SERVER_URL ENVIRONMENT COOKBOOKS VALIDATION_CLIENT apply|plan
# Its output is the client's; chef-report.json says in short what came of it.
set -euo pipefail
server=$1 environment=$2 cookbooks=$3 validator=$4 how=$5

report() { # summary changed total rebootNeeded
    printf '{"tool":"chef","dryRun":%s,"summary":"%s","changed":%d,"total":%d,"rebootNeeded":%s}\n' \
        "$([ "$how" = plan ] && echo true || echo false)" "$1" "$2" "$3" "$4" > chef-report.json
}
refuse() {
    report "$1" 0 0 false
    echo "chef_run: $1" >&2
    exit 1
}

client=$(command -v cinc-client || command -v chef-client || true)
[ -n "$client" ] || refuse "neither cinc-client nor chef-client is on this machine"
cat > client.rb <<END
node_name "$(hostname -f 2>/dev/null || hostname)"
environment "$environment"
file_cache_path "$PWD/chef-cache"
log_location STDOUT
END
options=(--config "$PWD/client.rb" --json-attributes "$PWD/first-boot.json" --no-color --format doc)
if [ -n "$server" ]; then
    cat >> client.rb <<END
chef_server_url "$server"
validation_client_name "$validator"
validation_key "/etc/chef/validation.pem"
client_key "/etc/chef/client.pem"
END
else
    [ -d "$cookbooks" ] || refuse "no chefServerURL is set and the recipe has no folder $cookbooks"
    cat >> client.rb <<END
cookbook_path ["$PWD/$cookbooks"]
role_path "$PWD/roles"
END
    options+=(--local-mode)
fi
[ "$how" = plan ] && options+=(--why-run)

run() {
    code=0
    "$client" "${options[@]}" 2>&1 | tee chef-output.txt || code=${PIPESTATUS[0]}
}
run
[ "$code" = 213 ] && run # the client upgraded itself and wants to start again

# "... finished, 3/12 resources updated in 04 seconds"
done_line=$(grep -oE '[0-9]+/[0-9]+ resources (would have been )?updated' chef-output.txt | tail -n 1 || true)
changed=${done_line%%/*} total=${done_line#*/}
changed=${changed:-0} total=${total%% *}
total=${total:-0}
case $code in
0) report "$changed of $total resources $([ "$how" = plan ] && echo 'would change' || echo changed)" "$changed" "$total" false ;;
35) report "$changed of $total resources changed; the client has scheduled a restart of the machine (exit code 35)" "$changed" "$total" true ;;
37) report "the machine must be restarted before the run can go on (exit code 37): restart it, then retry" "$changed" "$total" true && exit 37 ;;
213) report "the client upgraded itself twice and still wants to (exit code 213): pin its version" "$changed" "$total" false && exit 1 ;;
*) report "the run failed with exit code $code after $changed of $total resources; its output says why" "$changed" "$total" false && exit 1 ;;
esac
