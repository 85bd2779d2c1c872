#!/bin/bash
# Writes nginx's configuration and first page from the properties and from what
# the service behind has left in the file backend. It may run again.
set -euo pipefail

port=${RECIPE_httpPort:-80}
stream=${RECIPE_streamPort:-0}
text=${RECIPE_pageText:-It works.}
backend=$(<backend)
if ! [[ $port =~ ^[0-9]{1,5}$ && $stream =~ ^[0-9]{1,5}$ ]]; then
    echo "nginx_configure: httpPort '$port' or streamPort '$stream' is not a port" >&2
    exit 1
fi
if [[ -n $backend ]] && ! [[ $backend =~ ^[A-Za-z0-9.:_-]+:[0-9]{1,5}$ ]]; then
    echo "nginx_configure: backend '$backend' is not host:port" >&2
    exit 1
fi

root=/var/www/appliance
install -d -m 755 "$root" /etc/nginx/sites-enabled /etc/nginx/modules-enabled
printf '%s\n' "$text" > "$root/index.html"
printf '%s\n' "$backend" > "$root/backend"

cat > /etc/nginx/sites-enabled/appliance <<CONF
server {
    listen $port default_server;
    root $root;
    default_type text/plain;
    access_log off;
    location = /healthz {
        if (-f /run/nginx-draining) { return 503; }
        return 200 "ok\n";
    }
    location = /status {
        stub_status;
        allow 127.0.0.1;
        deny all;
    }
}
CONF

# Connections to streamPort are passed to the service behind. The file is read
# outside of the http block, as those of modules are.
conf=/etc/nginx/modules-enabled/90-appliance-stream.conf
rm -f "$conf"
if [[ $stream != 0 && -n $backend ]]; then
    cat > "$conf" <<CONF
stream {
    server {
        listen $stream;
        proxy_connect_timeout 5s;
        proxy_pass $backend;
    }
}
CONF
fi
nginx -t -q
