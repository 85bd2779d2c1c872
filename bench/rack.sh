#!/bin/bash
# The simulated rack: MACHINES=200 machines from power to ready against the
# shipped binary, nothing taking time but the appliance, in network namespaces
# that the test makes; then DEPLOYS=100 services that are asked for at once, until
# all run. RUNS=3. It needs root, and builds bin/appliance if that is not there.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${RUNS:-3}
machines=${MACHINES:-200}
bin=${APPLIANCE_BIN:-$PWD/bin/appliance}
# What cannot be measured is told before anything is built.
if [ "$(id -u)" != 0 ]; then
	echo "bench/rack.sh: not measured: it makes network namespaces, and needs root" >&2
	exit 0
fi
[ -x "$bin" ] || make -s build >&2
[ -x "$bin" ] || { echo "bench/rack.sh: $bin is not there: make build" >&2; exit 1; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
go test -c -o "$dir/sim.test" ./rack/sim
for _ in $(seq "$runs"); do
	(cd rack/sim && APPLIANCE_BIN=$bin SIM_MACHINES=$machines SIM_QUIET=1 "$dir/sim.test" -test.run '^TestRack$') | tee -a "$dir/out" >&2
done
mapfile -t seconds < <(awk '/^sim:/ { print $6 }' "$dir/out")
bench/figure "rack.$machines-ready" s - - down "${seconds[@]}"
deploys=${DEPLOYS:-100}
for _ in $(seq "$runs"); do
	(cd rack/sim && APPLIANCE_BIN=$bin SIM_DEPLOYS=$deploys "$dir/sim.test" -test.run '^TestDeployStorm$') | tee -a "$dir/storm" >&2
done
mapfile -t seconds < <(awk '/^sim:.*services asked/ { print $(NF-1) }' "$dir/storm")
bench/figure "rack.$deploys-deployed-at-once" s - - down "${seconds[@]}"
