#!/bin/bash
# HTTP beside nginx: big files by sendfile, scripts of a thousand machines over
# the real store. Ratios, in turn. RUNS=5.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=bench/peers
. bench/peers
need nginx-light nginx
go build -tags nokit -o "$work/" ./bench/cmd/bootserve ./bench/cmd/httpload
mkdir "$work/kit"
head -c 1G /dev/zero >"$work/kit/big"
# nginx answers a constant that is as long as a script of ours.
cat >"$work/nginx.conf" <<J
daemon off; worker_processes 2; pid $work/nginx.pid; error_log stderr crit; user root;
events { worker_connections 4096; }
http {
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;
  client_body_temp_path $work/t1; proxy_temp_path $work/t2; fastcgi_temp_path $work/t3; uwsgi_temp_path $work/t4; scgi_temp_path $work/t5;
  server {
    listen 10.64.0.1:8080 reuseport; root $work;
    location /boot/ { default_type text/plain; return 200 "#!ipxe\necho appliance: node-000005 starts the agent in memory. its disks stay untouched\nkernel http://10.64.0.1:8080/kit/vmlinuz initrd=extra.cpio initrd=initrd.zst console=tty0 console=ttyS0,115200 panic=5 BOOTIF=01-02-00-00-00-00-05\ninitrd --name extra.cpio http://10.64.0.1:8080/boot/02-00-00-00-00-05/extra.cpio\ninitrd --name initrd.zst http://10.64.0.1:8080/kit/initrd.zst\nboot\n"; }
  }
}
J
peers_up

ours() { start 8080 "$work/bootserve" 10.64.0.1:8080 "$work/kit"; }
nginx() { start 8080 "$(command -v /usr/sbin/nginx)" -p "$work" -c "$work/nginx.conf"; }
url=http://10.64.0.1:8080

compare http.big-1 1 1 nginx "$work/httpload" big $url/kit/big 1073741824
compare http.big-8 1.0 1.1 nginx "$work/httpload" -streams 8 big $url/kit/big 1073741824
compare http.scripts 0.65 1 nginx "$work/httpload" -streams 32 scripts $url/boot
