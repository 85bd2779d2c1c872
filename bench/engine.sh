#!/bin/bash
# The step machine, over the real store on this disk, every commit fsynced.
# RUNS=3 how often each figure is measured.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${RUNS:-3}
export GOGC=${GOGC:-200} # as appliance serve has it
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
go test -c -tags nokit -o "$dir/engine.test" ./orchestrator

# measure BENCHMARK: runs it and keeps what it reports in $dir/BENCHMARK.
measure() {
	: >"$dir/$1"
	for _ in $(seq "$runs"); do
		(cd orchestrator && "$dir/engine.test" -test.run '^$' -test.bench "^Benchmark$1\$" -test.benchtime 1x) >>"$dir/$1"
	done
}

# values BENCHMARK UNIT: the values that it reported, one a line.
values() { awk -v u="$2" '/^Benchmark/ { for (i = 2; i < NF; i++) if ($(i + 1) == u) print $i }' "$dir/$1"; }

# figure NAME BENCHMARK UNIT FLOOR GOAL up|down
figure() {
	local v
	mapfile -t v < <(values "$2" "$3")
	bench/figure "$1" "$3" "$4" "$5" "$6" "${v[@]}"
}

measure Steps64
figure engine.steps-64 Steps64 steps/s 5000 25000 up
measure Steps1024
figure engine.steps-1024 Steps1024 steps/s 10000 40000 up
measure StepLatency
figure engine.step-p50 StepLatency p50-ms 5 1 down
figure engine.step-p99 StepLatency p99-ms 60 10 down
measure ThousandInstances
figure engine.1000-instances ThousandInstances s 10 2 down
measure KillRestart
figure engine.kill-restart KillRestart ms 2000 500 down
measure Plan10000
figure engine.plan-10000 Plan10000 ms 1000 300 down
measure Dependency
figure engine.dependency-release Dependency release-ms 50 50 down
