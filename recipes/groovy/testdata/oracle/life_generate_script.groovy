def steps = [stop: [], start: ["mysqld_safe", "--user=mysql"], status: ["mysqladmin", "ping"]]
def script = """#!/bin/sh
case "\$1" in
${steps.collect { k, v -> "  $k) ${v ? v.join(' ') : ':'} ;;" }.join("\n")}
  *) echo "usage: \$0 ${steps.keySet().join('|')}"; exit 1 ;;
esac"""
println script
