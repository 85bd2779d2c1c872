#!/bin/bash
# What agents that say a word every second cost the appliance, over TLS on
# loopback; the agents are another process. RUNS=3 how often it is measured.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${RUNS:-3}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
go test -c -tags nokit -o "$dir/api.test" ./api
for _ in $(seq "$runs"); do
	(cd api && "$dir/api.test" -test.run '^$' -test.bench '^BenchmarkBeats$' -test.benchtime 1x) >>"$dir/out"
done

# values UNIT: the values that it reported, one a line.
values() { awk -v u="$1" '/^Benchmark/ { for (i = 2; i < NF; i++) if ($(i + 1) == u) print $i }' "$dir/out"; }

mapfile -t v < <(values cores)
bench/figure heal.beats-5000-cpu cores - 0.5 down "${v[@]}"
mapfile -t v < <(values MiB)
bench/figure heal.beats-5000-memory MiB - 512 down "${v[@]}"
