#!/bin/sh
# The demo: a platform announces a few thousand loyalty events to seven webhooks at a real nginx
# that verifies every request. One webhook fails at first and is retried, one is gone for good and
# ends up listed as failed; one breaks, is paused, mails tell of it at a real SMTP server, it is
# repaired, enabled, and what had failed is sent again. An eighth is a shop with a receiver of ours:
# its members get mails, its CRM (a stand-in that checks each request against HubSpot's API
# description) their points, although its nginx and its worker are killed in the middle. At the end
# the figures of all sides must agree, else the exit code is 1.
# It runs in a temporary folder, which at a good end becomes build/demo (or what DEMO_KEPT names),
# for ./bootstrap console; KEEP=1 keeps it after a bad end too. EVENTS=N: so many events.

set -eu
TOP=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=demo/parts.sh
. "$TOP/demo/parts.sh"
EVENTS=${EVENTS:-4000}
must_be_free demo
DIR=$(mktemp -d "${TMPDIR:-/tmp}/loyalhook-demo.XXXXXX")
use_store

clean_up() {
  status=$?
  trap - EXIT INT TERM
  stop_servers
  if [ -n "${KEEP:-}" ] && [ -e "$DIR" ]; then echo "kept: $DIR"; else rm -rf "$DIR"; fi
  exit $status
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

start_worker() {
  "$1" "$TOP/bin/loyalhook" work > "$DIR/worker-$1.log" 2>&1 &
  WORKERS="$WORKERS $!"
}

shop_has() { "$LUA" "$TOP/demo/merchant.lua" has "$DIR" "$1" > "$DIR/progress.txt"; }

nothing_is_left() {
  $LUA "$TOP/demo/$1.lua" progress "$DIR" > "$DIR/progress.txt" && code=0 || code=$?
  if [ $DEMO_COLOR = 1 ]; then printf '\r%s\033[K' "$(cat "$DIR/progress.txt")"; fi
  return "$code"
}

finish() {
  wait_until "everything finished" nothing_is_left "$1"
  if [ $DEMO_COLOR = 1 ]; then printf '\r\033[K'; fi
  cat "$DIR/progress.txt"
}

mail_about() { "$PYTHON" "$TOP/demo/mails.py" "$DIR/mails" --show "$1" > "$DIR/mail-$1.txt"; }

step "1. A fresh store and seven webhooks; ops@shop.example hears of failures"
# shellcheck disable=SC2119 # any port
start_nginx
start_mail_server
$LUA "$TOP/demo/platform.lua" prepare "$DIR" "$URL"
loyalhook account set default --notify ops@shop.example > "$DIR/account.txt"

step "2. The merchants: nginx at $URL verifies every request (LuaJIT, loyalhook.core)"
echo "  flaky answers 500 to its first six requests; retired answers 410 to all; partner is broken"

step "3. A shop with a receiver of ours: loyalhook serve, handlers email and crm.hubspot"
start_hubspot
mkdir "$DIR/shop"
$LUA "$TOP/demo/merchant.lua" secret "$DIR"
$LUA "$TOP/demo/merchant.lua" prepare "$DIR" "smtp://127.0.0.1:$mail_port" "$HUBSPOT_URL"
loyalhook init --store "sqlite:$DIR/shop/loyalhook.db" --config "$DIR/shop/loyalhook.lua" \
  > "$DIR/init.txt"
serve_shop 0
$LUA "$TOP/demo/platform.lua" shop "$DIR" "$SHOP_URL/receive/platform"
echo "  it listens at $SHOP_URL, its SMTP server and HubSpot's stand-in are beside it"

step "4. Two workers deliver, one on Lua 5.4 and one on LuaJIT"
start_worker "$LUA"
start_worker "$LUAJIT"

step "5. The platform emits $EVENTS events of all 20 types: half from Lua, half from a file"
$LUA "$TOP/demo/platform.lua" emit "$DIR" "$EVENTS"
loyalhook emit --ndjson "$DIR/events.ndjson" > "$DIR/ids.txt"

step "6. In the middle of it: kill -9 of the shop's nginx, and then of its worker"
wait_until "events at the shop" shop_has $((EVENTS / 10))
kill -9 "$(cat "$DIR"/loyalhook-run.*/nginx.pid)"
echo "  nginx is killed; serve starts it again"
wait_until "nginx running again" grep -q 'runs again' "$DIR/worker-shop.log"
kill -9 "$SHOP"
wait "$SHOP" 2>/dev/null || true
$LUA "$TOP/demo/merchant.lua" progress "$DIR" || true
echo "  serve is killed, its nginx with it; another one goes on"
rm -rf "$DIR"/loyalhook-run.*
SERVES=''
serve_shop "$SHOP_PORT"

step "7. A forged request: the right URL, a wrong secret"
printf 'not the secret of this webhook' |
  loyalhook trigger event_points_earned --url "$URL/hooks/crm" --secret-stdin \
    > "$DIR/forged.txt" 2>&1 || true
sed -n 's/^\([0-9]* in .*\)/  \1/p' "$DIR/forged.txt"

step "8. Until nothing is left to do"
finish platform

step "9. partner failed and is paused; a mail about it is at a real SMTP server"
wait_until "a mail about partner" mail_about partner
sed -n '1,/^Requests:/p' "$DIR/mail-partner.txt" | sed '$d; s/^/  | /'

step "10. The endpoint is repaired: try it, enable it, send all of it again"
$LUA "$TOP/demo/platform.lua" repair "$DIR" "$URL"
for words in 'webhook test partner' 'webhook enable partner' 'retry --failed --webhook partner'; do
  echo "  \$ loyalhook $words"
  # shellcheck disable=SC2086 # words
  loyalhook $words 2>&1 | sed 's/^/    /'
done
finish platform
wait_until "a mail about retired" mail_about retired
for pid in $WORKERS; do kill "$pid"; done
for pid in $WORKERS; do
  if ! wait "$pid"; then give_up "a worker did not end well"; fi
done
WORKERS=''
echo "  both workers drained and ended with exit code 0"

step "11. A request that was delivered comes once more: answered 200, nothing is done twice"
$LUA "$TOP/demo/merchant.lua" replay "$DIR" "$SHOP_URL/receive/platform"
finish merchant
kill "$SHOP"
if ! wait "$SHOP"; then give_up "the shop did not end well"; fi
SERVES=''
echo "  the shop drained and ended with exit code 0"

step "12. What the platform logged, what nginx counted, and what the mails told"
"$PYTHON" "$TOP/demo/mails.py" "$DIR/mails" > "$DIR/mails.txt"
"$PYTHON" "$TOP/demo/mails.py" "$DIR/mails" --members > "$DIR/members.txt"
$LUA "$TOP/demo/report.lua" "$DIR" "$URL" "$EVENTS" 1

step "13. What came to the shop, what its handlers did, and what arrived at the other end"
"$PYTHON" "$TOP/demo/contacts.py" "$HUBSPOT_URL" > "$DIR/contacts.txt"
$LUA "$TOP/demo/shop_report.lua" "$DIR" "$EVENTS"

stop_servers
printf 'WEB_PORT=%s\nSHOP_PORT=%s\n' "$port" "$SHOP_PORT" > "$DIR/ports"
rm -rf "$KEPT"
mkdir -p "$(dirname "$KEPT")"
mv "$DIR" "$KEPT"
step "Look at it in the admin console, as the platform and as the shop see it:"
echo
echo "  ./bootstrap console"
