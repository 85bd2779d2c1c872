#!/bin/bash
# The recipe language: parsing, start-up, memory, and the suite beside Debian's groovy
# (2.4), with and without its start. RUNS=3.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v groovy >/dev/null || apt-get install -qq -y --no-install-recommends groovy default-jre-headless >/dev/null
runs=${RUNS:-3}
out=$(go test -tags nokit -run '^$' -bench 'Parse|Suite|Start' -count "$runs" ./recipes/groovy)
values() { awk -v name="$1" -v col="$2" -v div="$3" '$1 ~ "^Benchmark" name { for (i = 3; i <= NF; i++) if ($i == col) print $(i - 1) / div }' <<<"$out"; }
# shellcheck disable=SC2046 # one value a word
bench/figure groovy.parse MB/s 5 - up $(values Parse MB/s 1)
# shellcheck disable=SC2046
bench/figure groovy.start ms 5 - down $(values Start ns/op 1000000)
memory=$(go test -tags nokit -run '^$' -bench Descriptor -count "$runs" ./recipes |
	awk '$1 ~ "^BenchmarkDescriptor" { for (i = 3; i <= NF; i++) if ($i == "B/recipe") print $(i - 1) / 1048576 }')
# shellcheck disable=SC2086
bench/figure groovy.descriptor-memory MB 2 - down $memory
suite=$(values Suite ns/op 1000000)
# shellcheck disable=SC2086
bench/figure groovy.suite ms - - down $suite
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The suite, then the suite again in the warm JVM, and its time alone.
cat >"$work/time.groovy" <<'S'
def text = new File(args[0]).text
def quiet = new PrintStream(new ByteArrayOutputStream())
def console = System.out
System.setOut(quiet)
def t = System.nanoTime()
new GroovyShell().evaluate(text)
System.setOut(console)
println((System.nanoTime() - t) / 1000000)
S
whole=() alone=()
for _ in $(seq "$runs"); do
	begin=$(date +%s%N)
	groovy recipes/groovy/testdata/suite.groovy >/dev/null
	whole+=("$(awk -v ns=$(($(date +%s%N) - begin)) 'BEGIN { print ns / 1e6 }')")
	alone+=("$(groovy "$work/time.groovy" recipes/groovy/testdata/suite.groovy)")
done
mid=$(printf '%s\n' "$suite" | sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }')
ratio() { for v in "$@"; do awk -v a="$v" -v b="$mid" 'BEGIN { print a / b }'; done; }
# shellcheck disable=SC2046
bench/figure groovy.suite-vs-groovy x 1 - up $(ratio "${whole[@]}")
# shellcheck disable=SC2046
bench/figure groovy.suite-vs-groovy-warm x - - up $(ratio "${alone[@]}")
