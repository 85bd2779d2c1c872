#!/bin/bash
# 5,000 agents, each with a TLS connection of its own, that say a word a second:
# what they cost the appliance. They are a process of their own. RUNS=3.
set -euo pipefail
cd "$(dirname "$0")/.."
export GOGC=${GOGC:-200} # as appliance serve has it
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
go test -c -tags nokit -o "$dir/api.test" ./api
ulimit -n 20000
for _ in $(seq "${RUNS:-3}"); do
	(cd api && "$dir/api.test" -test.run '^$' -test.bench '^BenchmarkBeats$' -test.benchtime 1x) >>"$dir/out"
done

# figure NAME UNIT FLOOR GOAL
figure() {
	local v
	mapfile -t v < <(awk -v u="$2" '/^Benchmark/ { for (i = 2; i < NF; i++) if ($(i + 1) == u) print $i }' "$dir/out")
	bench/figure "$1" "$2" "$3" "$4" down "${v[@]}"
}
figure beats.5000-agents-cpu cores 0.5 0.5
figure beats.5000-agents-memory MiB 512 512
