#!/bin/sh
# The demo: a platform announces a few thousand loyalty events to seven webhooks at a real nginx
# that verifies every request. One webhook fails at first and is retried, one is gone for good and
# ends up listed as failed; one breaks, is paused, mails tell of it at a real SMTP server, it is
# repaired, enabled, and what had failed is sent again. An eighth is a shop with a receiver of ours:
# its members get mails, its CRM (a stand-in that checks each request against HubSpot's API
# description) their points, although its nginx and its worker are killed in the middle. At the end
# the figures of all sides must agree, else the exit code is 1.
# Everything lives in a temporary folder; KEEP=1 keeps it. EVENTS=N changes the number of events.

set -eu
PATH=$PATH:/usr/sbin # where nginx is, and where not everybody looks
TOP=$(cd "$(dirname "$0")/.." && pwd)
LUA=${LUA:-lua5.4}
LUAJIT=${LUAJIT:-luajit}
PYTHON=${PYTHON:-python3}
BUILD=${BUILD:-build}
EVENTS=${EVENTS:-4000}
DIR=$(mktemp -d "${TMPDIR:-/tmp}/loyalhook-demo.XXXXXX")
WORKERS=''
MAIL_SERVER=''
HUBSPOT=''
SHOP=''
SHOP_PORT=0

unset PYTHONPATH
export LUA_PATH="$TOP/demo/?.lua;$TOP/lua/?.lua;$TOP/lua/?/init.lua;;"
export LUA_CPATH="$TOP/$BUILD/lua5.4/?.so;;"
export LOYALHOOK_STORE="sqlite:$DIR/loyalhook.db"
export LOYALHOOK_ALLOW_HTTP=1 LOYALHOOK_ALLOW_NETWORKS=127.0.0.0/8
DEMO_COLOR=0
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then DEMO_COLOR=1; fi
export DEMO_COLOR

step() {
  if [ $DEMO_COLOR = 1 ]; then printf '\n\033[1;36m%s\033[0m\n' "$*"; else printf '\n%s\n' "$*"; fi
}

web() { nginx -p "$DIR" -e "$DIR/error.log" -c "$DIR/nginx.conf" "$@"; }

clean_up() {
  status=$?
  trap - EXIT INT TERM
  for pid in $WORKERS; do kill "$pid" 2>/dev/null || true; done
  for pid in $WORKERS; do wait "$pid" 2>/dev/null || true; done
  for pid in $SHOP $MAIL_SERVER $HUBSPOT; do kill "$pid" 2>/dev/null || true; done
  if [ -n "$SHOP" ]; then wait "$SHOP" 2>/dev/null || true; fi
  if [ -e "$DIR/nginx.pid" ]; then web -s stop 2>/dev/null || true; fi
  if [ -n "${KEEP:-}" ]; then echo "kept: $DIR"; else rm -rf "$DIR"; fi
  exit $status
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# nginx on a free port: its own configuration, process and log; nothing of the system's.
start_nginx() {
  folder=$(nginx -V 2>&1 | sed -n 's/.*--modules-path=\([^ ]*\).*/\1/p')
  modules=''
  for module in ndk_http_module ngx_http_lua_module; do
    if [ -e "$folder/$module.so" ]; then modules="$modules load_module $folder/$module.so;"; fi
  done
  user=''
  if [ "$(id -u)" = 0 ]; then user='user root;'; fi # workers must be able to read this checkout
  port=$((20000 + $$ % 20000))
  tries=0
  while :; do
    sed -e "s|@MODULES@|$modules|; s|@USER@|$user|; s|@DIR@|$DIR|g; s|@TOP@|$TOP|g" \
      -e "s|@BUILD@|$TOP/$BUILD|; s|@PORT@|$port|" "$TOP/demo/nginx.conf" > "$DIR/nginx.conf"
    if web 2> "$DIR/start.log"; then break; fi
    tries=$((tries + 1))
    if [ $tries -ge 20 ] || ! grep -q 'in use' "$DIR/start.log"; then
      cat "$DIR/start.log" >&2
      exit 1
    fi
    port=$((port + 1))
  done
  URL="http://127.0.0.1:$port"
}

# The SMTP server writes what arrives into a maildir. Debian's Python finds it; another one in front
# of the path may not.
start_mail_server() {
  python=$PYTHON
  if ! "$python" -c 'import aiosmtpd' 2>/dev/null; then python=/usr/bin/python3; fi
  mail_port=$((port + 1000))
  tries=0
  while :; do
    "$python" "$TOP/demo/mail_server.py" "127.0.0.1:$mail_port" "$DIR/mails" \
      > "$DIR/mail-server.log" 2>&1 &
    MAIL_SERVER=$!
    if mail_server_answers; then break; fi
    tries=$((tries + 1))
    if [ $tries -ge 5 ]; then
      cat "$DIR/mail-server.log" >&2
      exit 1
    fi
    mail_port=$((mail_port + 1))
  done
  export LOYALHOOK_SMTP_URL="smtp://127.0.0.1:$mail_port" LOYALHOOK_SMTP_TLS=none
  export LOYALHOOK_NOTICES_FROM=loyalhook@platform.example
}

# Its own, not one that had the port before.
mail_server_answers() {
  waited=0
  while [ $waited -lt 100 ] && kill -0 "$MAIL_SERVER" 2>/dev/null; do
    if "$python" -c "import socket; socket.create_connection(('127.0.0.1', $mail_port), 1)" \
      2>/dev/null; then
      sleep 0.2 # one that cannot listen ends about now
      if kill -0 "$MAIL_SERVER" 2>/dev/null; then return 0; fi
    fi
    waited=$((waited + 1))
    sleep 0.1
  done
  return 1
}

# What HubSpot's API is described to do, and nothing else; it prints the port it has.
start_hubspot() {
  "$PYTHON" "$TOP/spec/harness/vendors/hubspot.py" --port 0 --log "$DIR/hubspot.log" \
    > "$DIR/hubspot.port" 2> "$DIR/hubspot.err" &
  HUBSPOT=$!
  wait_until "HubSpot's stand-in" grep -q port "$DIR/hubspot.port"
  HUBSPOT_URL="http://127.0.0.1:$(tr -cd 0-9 < "$DIR/hubspot.port")"
}

# A receiver on an nginx of its own and a worker; the same port each time, the first time a free
# one. What it says goes to a log of its own, what it runs in to a folder below ours.
start_shop() {
  before=$(grep -c receiving "$DIR/worker-shop.log" 2>/dev/null) || before=0
  TMPDIR=$DIR LOYALHOOK_STORE="sqlite:$DIR/shop/loyalhook.db" \
    LOYALHOOK_CONFIG="$DIR/shop/loyalhook.lua" \
    "$LUA" "$TOP/bin/loyalhook" serve --port "$SHOP_PORT" \
    > "$DIR/shop.txt" 2>> "$DIR/worker-shop.log" &
  SHOP=$!
  wait_until "the shop's receiver" shop_answers
  SHOP_URL=$(sed -n 's/.*receiving at \(http[^ ]*\)….*/\1/p' "$DIR/worker-shop.log" | tail -1)
  SHOP_PORT=$(printf '%s' "$SHOP_URL" | sed 's/.*:\([0-9]*\).*/\1/')
}

shop_answers() {
  kill -0 "$SHOP" 2>/dev/null || give_up "the shop ended by itself"
  [ "$(grep -c receiving "$DIR/worker-shop.log")" -gt "$before" ]
}

start_worker() {
  "$1" "$TOP/bin/loyalhook" work > "$DIR/worker-$1.log" 2>&1 &
  WORKERS="$WORKERS $!"
}

workers_live() {
  for pid in $WORKERS; do
    if ! kill -0 "$pid" 2>/dev/null; then return 1; fi
  done
}

give_up() {
  cat "$DIR"/progress.txt "$DIR"/worker-*.log "$DIR"/hubspot.err 2>/dev/null
  echo "demo: $1" >&2
  exit 1
}

# Waits until the command given succeeds; $1 says for what in case it never does: when nothing was
# different in the progress for a minute.
wait_until() {
  what=$1
  shift
  before_wait=''
  changed=$(date +%s)
  until "$@"; do
    progress=$(cat "$DIR/progress.txt" 2>/dev/null) || progress=''
    if [ "$progress" != "$before_wait" ]; then
      before_wait=$progress
      changed=$(date +%s)
    fi
    if [ $(($(date +%s) - changed)) -gt 60 ]; then give_up "$what: nothing changed for 60 s"; fi
    if ! workers_live; then give_up "a worker ended by itself"; fi
    sleep 0.2
  done
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

loyalhook() { $LUA "$TOP/bin/loyalhook" "$@"; }

step "1. A fresh store and seven webhooks; ops@shop.example hears of failures"
start_nginx
start_mail_server
$LUA "$TOP/demo/platform.lua" prepare "$DIR" "$URL"
loyalhook account set default --notify ops@shop.example > "$DIR/account.txt"

step "2. The merchants: nginx at $URL verifies every request (LuaJIT, loyalhook.core)"
echo "  flaky answers 500 to its first six requests; retired answers 410 to all; partner is broken"

step "3. A shop with a receiver of ours: loyalhook serve, handlers email and crm.hubspot"
start_hubspot
mkdir "$DIR/shop"
$LUA "$TOP/demo/merchant.lua" prepare "$DIR" "smtp://127.0.0.1:$mail_port" "$HUBSPOT_URL"
loyalhook init --store "sqlite:$DIR/shop/loyalhook.db" --config "$DIR/shop/loyalhook.lua" \
  > "$DIR/init.txt"
start_shop
$LUA "$TOP/demo/platform.lua" shop "$DIR" "${SHOP_URL}platform"
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
start_shop

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
$LUA "$TOP/demo/merchant.lua" replay "$DIR" "${SHOP_URL}platform"
finish merchant
kill "$SHOP"
if ! wait "$SHOP"; then give_up "the shop did not end well"; fi
SHOP=''
echo "  the shop drained and ended with exit code 0"

step "12. What the platform logged, what nginx counted, and what the mails told"
"$PYTHON" "$TOP/demo/mails.py" "$DIR/mails" > "$DIR/mails.txt"
"$PYTHON" "$TOP/demo/mails.py" "$DIR/mails" --members > "$DIR/members.txt"
$LUA "$TOP/demo/report.lua" "$DIR" "$URL" "$EVENTS" 1

step "13. What came to the shop, what its handlers did, and what arrived at the other end"
"$PYTHON" "$TOP/demo/contacts.py" "$HUBSPOT_URL" > "$DIR/contacts.txt"
$LUA "$TOP/demo/shop_report.lua" "$DIR" "$EVENTS"
