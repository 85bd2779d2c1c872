#!/bin/bash
# The simulated rack: MACHINES=1000 machines from power to ready against the
# shipped binary, nothing taking time but the appliance, in network namespaces
# that the test makes. RUNS=3. It needs root and bin/appliance (make build).
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${RUNS:-3}
machines=${MACHINES:-1000}
bin=${APPLIANCE_BIN:-$PWD/bin/appliance}
if [ ! -x "$bin" ] || [ "$(id -u)" != 0 ]; then
	echo "bench/rack.sh: needs root and $bin: make build" >&2
	exit 0
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
go test -c -o "$dir/sim.test" ./rack/sim
for _ in $(seq "$runs"); do
	(cd rack/sim && APPLIANCE_BIN=$bin SIM_MACHINES=$machines SIM_QUIET=1 "$dir/sim.test" -test.run '^TestRack$') | tee -a "$dir/out" >&2
done
mapfile -t seconds < <(awk '/^sim:/ { print $6 }' "$dir/out")
bench/figure "rack.$machines-ready" s - - down "${seconds[@]}"
