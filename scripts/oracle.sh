#!/bin/sh
# Runs testdata/oracle under Debian's groovy and compares with this package.
# It rewrites testdata/oracle.expected; review the difference and commit it.
set -eu
cd "$(dirname "$0")/../recipes/groovy"
command -v groovy >/dev/null || {
	echo "oracle: groovy is not installed: apt-get install --no-install-recommends groovy default-jre-headless" >&2
	exit 1
}
groovy testdata/oracle.groovy testdata/oracle testdata/oracle.expected
exec go test -count=1 -run 'TestOracle' . ..
