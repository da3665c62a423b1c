#!/bin/sh
# The admin console on what the last demo left (build/demo, or DEMO_KEPT=DIR): `loyalhook serve` on
# the platform's store, where webhooks, log and figures are, and on the shop's, which has an inbox
# and handlers. The endpoints run again too, so that what is tried is answered. It prints where, and
# what the first sign-in needs; it opens nothing. PORT=N: the platform's port.

set -eu
TOP=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=demo/parts.sh
. "$TOP/demo/parts.sh"
PORT=${PORT:-8480}
DIR=$KEPT

if [ ! -e "$DIR/ports" ]; then
  echo "console: there is no demo to look at yet; first: ./bootstrap demo" >&2
  exit 3
fi

must_be_free console
exec 9> "$DIR/lock" # until the last of what is started has ended
flock 9

clean_up() {
  status=$?
  trap - EXIT INT TERM HUP
  stop_servers
  exit $status
}
trap clean_up EXIT
trap 'exit 0' INT TERM HUP

# A port for a server: the one given, or 0 (any) where another program has it.
port_or_any() {
  if [ "$1" = 0 ] || "$PYTHON" -c 'import socket, sys
link = socket.socket()
link.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
link.bind(("127.0.0.1", int(sys.argv[1])))' "$1" 2>/dev/null; then
    echo "$1"
  else
    echo 0
  fi
}

# show TITLE NAME ADDRESS
show() {
  token=$(sed -n 's/.*"first_run_token":"\([^"]*\)".*/\1/p' "$DIR/$2.json")
  printf '  %-13s %s\n  %-13s %s\n\n' "$1" "$3" '' \
    "$([ -n "$token" ] && echo "first-run token $token" || echo "sign in as before")"
}

# shellcheck source=/dev/null
. "$DIR/ports"
use_store
rm -f "$DIR"/worker-*.log "$DIR/nginx.pid"
if start_nginx "$WEB_PORT"; then
  $LUA "$TOP/demo/platform.lua" repair "$DIR" "$URL"
else
  echo "console: the webhooks' endpoints do not run: another program has their port" >&2
fi
start_mail_server
start_hubspot
$LUA "$TOP/demo/merchant.lua" prepare "$DIR" "smtp://127.0.0.1:$mail_port" "$HUBSPOT_URL"
serve_shop "$(port_or_any "$SHOP_PORT")"
loyalhook webhook edit shop --url "$SHOP_URL/receive/platform" > "$DIR/edit.txt"
serve platform "$(port_or_any "$PORT")"

# An address of its own for each: browsers keep sign-ins by host, whatever the port.
echo "The admin console on the demo's data; Ctrl-C ends it."
echo
show "the platform" platform "$SERVE_URL/"
show "the shop" shop "http://localhost:$SHOP_PORT/"
echo "The first sign-in takes the token, a name of your choice, a password of at least 12 bytes."
port=${SERVE_URL##*:}
echo "From another machine, first:"
echo "  ssh -L $port:127.0.0.1:$port -L $SHOP_PORT:127.0.0.1:$SHOP_PORT $(uname -n)"
wait "$SERVE"
