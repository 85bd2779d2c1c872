package compute

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// prelude names where on a host the agent of one machine lies. Everything of
// it is below one folder, but for its unit where systemd runs, and its line in
// the user's crontab where it does not and cron does.
type prelude struct {
	base    string // empty: /var/lib/appliance-agent, or ~/.appliance-agent of who is not root
	machine string
}

// quote makes one word for sh of any text.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

func (p prelude) shown() string {
	if p.base == "" {
		return "appliance-agent/" + p.machine
	}
	return p.base + "/" + p.machine
}

// script is what a POSIX shell on the host runs: it stops at the first error.
func (p prelude) script(body string) string {
	return "set -eu\numask 077\nbase=" + quote(p.base) + "\nid=" + quote(p.machine) + `
root=no
[ "$(id -u)" = 0 ] && root=yes
if [ -z "$base" ]; then
	base=/var/lib/appliance-agent
	[ $root = yes ] || base=$HOME/.appliance-agent
fi
home=$base/$id
unit=appliance-agent-$id.service
systemd=no
[ $root = yes ] && [ -d /run/systemd/system ] && command -v systemctl >/dev/null && systemd=yes
APPLIANCE_AGENT_HOME=$home
export APPLIANCE_AGENT_HOME
others() { grep -vF "$home/loop" || :; }
stop() {
	if [ $systemd = yes ] && [ -f "/etc/systemd/system/$unit" ]; then
		systemctl disable --now "$unit" >/dev/null 2>&1 || :
		rm -f "/etc/systemd/system/$unit"
		systemctl daemon-reload
	fi
	if crontab -l 2>/dev/null | grep -qF "$home/loop"; then
		crontab -l | others | crontab -
	fi
	[ -f "$home/pid" ] || return 0
	pid=$(cat "$home/pid")
	# A PID may be another's by now: only our own loop is ended.
	if [ -n "$pid" ] && tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF "$home/loop"; then
		kill -s TERM -- "-$pid" 2>/dev/null || :
		n=0
		while kill -s 0 -- "-$pid" 2>/dev/null && [ $n -lt 50 ]; do
			sleep 0.1
			n=$((n + 1))
		done
		kill -s KILL -- "-$pid" 2>/dev/null || :
	fi
	rm -f "$home/pid"
}
` + body
}

// What is run on a host, after the prelude.
const (
	scriptHas    = `sha256sum "$home/bin/appliance-agent" 2>/dev/null | cut -c1-64 || :`
	scriptUpload = `stop
mkdir -p "$home/bin"
cat >"$home/bin/appliance-agent.new"
chmod 755 "$home/bin/appliance-agent.new"
mv "$home/bin/appliance-agent.new" "$home/bin/appliance-agent"
`
	scriptOffer = `stop
"$home/bin/appliance-agent" offer
`
	scriptAdopt = `"$home/bin/appliance-agent" adopt
if [ $systemd = yes ]; then
	umask 022
	cat >"/etc/systemd/system/$unit" <<END
[Unit]
Description=Agent of the appliance ($id)
After=network-online.target
Wants=network-online.target

[Service]
Environment=APPLIANCE_AGENT_HOME=$home
ExecStart=$home/bin/appliance-agent run
Restart=always
RestartSec=1
KillMode=process

[Install]
WantedBy=multi-user.target
END
	systemctl daemon-reload
	systemctl enable --now "$unit" >/dev/null 2>&1
	systemctl is-active --quiet "$unit"
else
	cat >"$home/loop" <<END
echo \$\$ >"$home/pid"
APPLIANCE_AGENT_HOME="$home"
export APPLIANCE_AGENT_HOME
while :; do
	"$home/bin/appliance-agent" run >>"$home/log" 2>&1
	sleep 1
done
END
	setsid sh "$home/loop" </dev/null >/dev/null 2>&1 &
	echo $! >"$home/pid"
	# Until it leads a group of its own, stop could not end it.
	n=0
	while ! kill -s 0 -- "-$!" 2>/dev/null && [ $n -lt 50 ]; do
		sleep 0.1
		n=$((n + 1))
	done
	# Where there is cron, it starts the loop after a boot.
	if command -v crontab >/dev/null; then
		line="@reboot exec setsid sh \"$home/loop\" </dev/null >/dev/null 2>&1"
		{ crontab -l 2>/dev/null | others; printf '%s\n' "$line"; } | crontab - || echo "cron takes no line of this user" >&2
	fi
fi
`
	scriptClean = `stop
rm -rf "$home"
rmdir "$base" 2>/dev/null || :
`
)

// upload puts the agent's file on the host, unless it is there already.
func upload(ctx context.Context, s shell, p prelude, binary []byte) error {
	sum := sha256.Sum256(binary)
	has, err := s.run(ctx, p.script(scriptHas), nil)
	if err != nil {
		return err
	}
	if strings.TrimSpace(string(has)) == hex.EncodeToString(sum[:]) {
		return nil
	}
	if _, err := s.run(ctx, p.script(scriptUpload), binary); err != nil {
		return err
	}
	if has, err = s.run(ctx, p.script(scriptHas), nil); err != nil {
		return err
	}
	if !bytes.Equal(bytes.TrimSpace(has), []byte(hex.EncodeToString(sum[:]))) {
		return fmt.Errorf("the file on the host is not the one that was sent: SHA-256 %.64s", has)
	}
	return nil
}
