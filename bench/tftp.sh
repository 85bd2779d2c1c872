#!/bin/bash
# TFTP beside tftpd-hpa and atftpd: ratios of MB/s, in turn. RUNS=5.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=bench/peers
. bench/peers
need tftpd-hpa in.tftpd
go build -tags nokit -o "$work/" ./bench/cmd/tftpserve ./bench/cmd/tftpload
# atftpd's package takes the place of tftpd-hpa's: only its program is wanted.
(cd "$work" && apt-get download -qq atftpd >/dev/null 2>&1 && dpkg -x atftpd_*.deb atftpd) || { echo "bench: atftpd cannot be fetched" >&2; exit 1; }
mkdir "$work/root"
head -c 1048576 /dev/urandom >"$work/root/f1m"
head -c 67108864 /dev/urandom >"$work/root/f64m"
chmod 644 "$work"/root/*
peers_up

ours() { start 69 "$work/tftpserve" 10.64.0.1:69 "$work/root"; }
hpa() { start 69 in.tftpd -L -s -u root -a 10.64.0.1:69 -B 1468 "$work/root"; }
atftpd() {
	start 69 "$work/atftpd/usr/sbin/atftpd" --daemon --no-fork --bind-address 10.64.0.1 --user root --group root \
		--maxthread 1000 --verbose=0 --logfile /dev/null "$work/root"
}
at=10.64.0.1:69 m1=1048576

OTHERS="atftpd=tftp.one-stream-atftpd:2:3" compare tftp.one-stream-hpa 8 10 hpa "$work/tftpload" -window 16 $at f64m 67108864
compare tftp.32-clients-window16 4 6 hpa "$work/tftpload" -clients 32 -count 3 -window 16 $at f1m $m1
compare tftp.16-clients-window4 2.5 3.5 hpa "$work/tftpload" -clients 16 -count 3 -window 4 $at f1m $m1
compare tftp.lock-step-1 2.2 - hpa "$work/tftpload" -count 12 $at f1m $m1
compare tftp.lock-step-32 1.4 - hpa "$work/tftpload" -clients 32 -count 2 $at f1m $m1
