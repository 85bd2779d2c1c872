#!/bin/bash
# DHCPv4 of the appliance beside Kea (memfile, which never syncs), ISC dhcpd
# and dnsmasq: in one run, in turns, in two network namespaces. Ours stores every
# lease in SQLite with an fsync before its ACK, probes each fresh address by
# ICMP, echoes option 82 and stores boot events; the peers probe nothing. The
# 10,000 of the storm ask in the same instant.
# RUNS=3 how often, SECS=3 how long; ONLY_STORM=1, ONLY_RATE=1. Needs root.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${RUNS:-3} secs=${SECS:-3}
export GOGC=${GOGC:-200} # as appliance serve has it
export DEBIAN_FRONTEND=noninteractive
for p in kea-dhcp4:kea-dhcp4-server dhcpd:isc-dhcp-server dnsmasq:dnsmasq-base; do
	PATH=$PATH:/usr/sbin command -v "${p%%:*}" >/dev/null || apt-get install -y -qq --no-install-recommends "${p##*:}" >/dev/null
done
PATH=$PATH:/usr/sbin
d=$(mktemp -d)
s=dhs$$ c=dhc$$
pid=
cleanup() {
	[ -z "$pid" ] || kill "$pid" 2>/dev/null || true
	ip netns del "$s" 2>/dev/null || true
	ip netns del "$c" 2>/dev/null || true
	rm -rf "$d"
}
trap cleanup EXIT
go build -trimpath -tags nokit -o "$d/" ./bench/cmd/dhcpserve ./bench/cmd/dhcpload
ip netns add "$s"
ip netns add "$c"
ip -n "$s" link add eth0 type veth peer name eth1
ip -n "$s" link set eth1 netns "$c"
ip -n "$c" link set eth1 name eth0
for n in "$s" "$c"; do ip -n "$n" link set lo up; done
ip -n "$s" addr add 10.64.0.1/24 dev eth0
ip -n "$c" addr add 10.64.0.2/24 dev eth0
for n in "$s" "$c"; do ip -n "$n" link set eth0 up; done
ip -n "$s" route add 10.65.0.0/16 via 10.64.0.2 # where the machines are: behind the relay
ip -n "$s" route add 10.66.0.0/15 via 10.64.0.2
ip -n "$s" route add 10.68.0.0/16 via 10.64.0.2

cat >"$d/kea.json" <<J
{"Dhcp4":{"interfaces-config":{"interfaces":["eth0"]},
"lease-database":{"type":"memfile","persist":true,"name":"$d/kea.csv","lfc-interval":0},"valid-lifetime":3600,
"next-server":"10.64.0.1","boot-file-name":"snponly.efi",
"option-data":[{"name":"routers","data":"10.64.0.1"},{"name":"domain-name-servers","data":"10.64.0.1"},{"name":"tftp-server-name","data":"10.64.0.1"}],
"loggers":[{"name":"kea-dhcp4","severity":"ERROR","output_options":[{"output":"stderr"}]}],
"subnet4":[{"id":1,"subnet":"10.64.0.0/10","pools":[{"pool":"10.65.0.0 - 10.68.255.255"}]}]}}
J
cat >"$d/isc.conf" <<J
authoritative; ping-check false; default-lease-time 3600; max-lease-time 3600;
subnet 10.64.0.0 netmask 255.192.0.0 { range 10.65.0.0 10.65.63.255; option routers 10.64.0.1; option domain-name-servers 10.64.0.1;
 next-server 10.64.0.1; filename "snponly.efi"; }
J

# begin SERVER [again]: starts it, with nothing leased unless again; in $pid.
begin() {
	if [ "${2:-}" != again ]; then
		rm -rf "$d"/kea.csv* "$d"/isc.leases* "$d"/isc.pid "$d"/dm.leases "$d/data"
		touch "$d/isc.leases"
	fi
	case $1 in
	ours) set -- "$d/dhcpserve" eth0 10.64.0.1 10.64.0.0/10 10.65.0.0 10.68.255.255 "$d/data" ;;
	kea) set -- env "KEA_PIDFILE_DIR=$d" "KEA_LOCKFILE_DIR=$d" kea-dhcp4 -c "$d/kea.json" ;;
	isc) set -- dhcpd -4 -f -q -user root -group root -cf "$d/isc.conf" -lf "$d/isc.leases" -pf "$d/isc.pid" eth0 ;;
	dnsmasq) set -- dnsmasq -k -C /dev/null --port=0 --interface=eth0 --bind-interfaces --no-ping --dhcp-range=10.65.0.0,10.66.255.255,255.192.0.0,1h \
		--dhcp-lease-max=300000 --dhcp-authoritative "--dhcp-leasefile=$d/dm.leases" --dhcp-boot=snponly.efi,,10.64.0.1 --log-facility=/dev/null --user=root --pid-file= ;;
	esac
	ip netns exec "$s" "$@" 2>>"$d/log" &
	pid=$!
	sleep 1.5
}
end() {
	kill "$pid"
	wait "$pid" 2>/dev/null || true
	pid=
}
ticks() { awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$pid/stat"; }
memory() { awk -v f="$1:" '$1 == f { printf "%.1f\n", $2 / 1024 }' "/proc/$pid/status"; }
of() { awk -v n="$1" '$1 == n { print $2 }' "$d/out"; }
load() { ip netns exec "$c" "$d/dhcpload" "$@" 10.64.0.1:67 10.64.0.2 >"$d/out"; }

# rate SERVER: appends to SERVER.rate, SERVER.cpu.
rate() {
	begin "$1"
	local before
	before=$(ticks)
	load -secs "$secs"
	of dora_per_s >>"$d/$1.rate"
	awk -v t="$(($(ticks) - before))" -v n="$(of dora)" 'BEGIN { print t * 10000 / (n ? n : 1) }' >>"$d/$1.cpu"
	echo "# $1: $(tr '\n' ' ' <"$d/out")" >&2
	end
}
# ratio FILE PEER up: ours to the peer's, run by run.
ratio() { paste "$d/ours.$1" "$d/$2.$1" | awk '{ print $1 / $2 }'; }
figure() { # NAME UNIT FLOOR GOAL WAY, values on standard input
	local v
	mapfile -t v
	bench/figure "$@" "${v[@]}"
}

if [ -z "${ONLY_STORM:-}" ]; then
	for _ in $(seq "$runs"); do
		for p in ours kea isc dnsmasq; do rate $p; done
	done
	figure dhcp.dora "DORA/s" - - up <"$d/ours.rate"
	figure dhcp.cpu "us/DORA" - - down <"$d/ours.cpu"
	ratio rate kea | figure dhcp.dora-to-kea x 2 3 up
	ratio cpu kea | figure dhcp.cpu-to-kea x 0.5 0.33 down
	ratio rate isc | figure dhcp.dora-to-isc x 12 12 up
	ratio rate dnsmasq | figure dhcp.dora-to-dnsmasq x 30 30 up
fi
if [ -z "${ONLY_RATE:-}" ]; then
	for _ in $(seq "$runs"); do
		begin ours
		load -clients 10000 -flight 10000 -rto 4s
		echo "# storm: $(tr '\n' ' ' <"$d/out")" >&2
		[ "$(of dora)" = 10000 ] && of secs >>"$d/storm" || echo 45 >>"$d/storm"
		of resent >>"$d/resent"
		memory VmHWM >>"$d/peak"
		end
		begin ours again # idle: started anew, with those 10,000 leases
		sleep 2
		memory VmRSS >>"$d/idle"
		end
	done
	figure dhcp.storm-10000 s 1 0.5 down <"$d/storm"
	figure dhcp.storm-resent packets 0 0 down <"$d/resent"
	figure dhcp.rss-storm MiB 128 128 down <"$d/peak"
	figure dhcp.rss-10000-leases MiB 64 64 down <"$d/idle"
fi
