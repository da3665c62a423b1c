# shellcheck shell=sh disable=SC2034 # who sources it uses the variables
# What the demo and its console share, for sh: the paths, the servers beside loyalhook, and waiting.
# Sourced with TOP set; whoever sources it sets DIR, calls use_store and has a trap that ends what
# was started (stop_servers).

PATH=$PATH:/usr/sbin # where nginx is, and where not everybody looks
LUA=${LUA:-lua5.4}
LUAJIT=${LUAJIT:-luajit}
PYTHON=${PYTHON:-python3}
BUILD=${BUILD:-build}
KEPT=${DEMO_KEPT:-$TOP/$BUILD/demo} # the last demo's store, which ./bootstrap console shows
WORKERS=''
SERVES=''
MAIL_SERVER=''
HUBSPOT=''

unset PYTHONPATH
export LUA_PATH="$TOP/demo/?.lua;$TOP/lua/?.lua;$TOP/lua/?/init.lua;;"
export LUA_CPATH="$TOP/$BUILD/lua5.4/?.so;;"
export LOYALHOOK_ALLOW_HTTP=1 LOYALHOOK_ALLOW_NETWORKS=127.0.0.0/8
DEMO_COLOR=0
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then DEMO_COLOR=1; fi
export DEMO_COLOR

# Ends where a console has the last demo's folder.
must_be_free() {
  if [ -e "$KEPT/lock" ] && ! flock -n "$KEPT/lock" true; then
    echo "$1: a console on the last demo runs still; end it first (Ctrl-C there)" >&2
    exit 3
  fi
}

use_store() { export LOYALHOOK_STORE="sqlite:$DIR/loyalhook.db"; }

step() {
  if [ $DEMO_COLOR = 1 ]; then printf '\n\033[1;36m%s\033[0m\n' "$*"; else printf '\n%s\n' "$*"; fi
}

web() { nginx -p "$DIR" -e "$DIR/error.log" -c "$DIR/nginx.conf" "$@"; }

# shellcheck disable=SC2120 # the port may be given
# nginx on the port given, or on a free one: its own configuration, process and log; nothing of the
# system's.
start_nginx() {
  folder=$(nginx -V 2>&1 | sed -n 's/.*--modules-path=\([^ ]*\).*/\1/p')
  modules=''
  for module in ndk_http_module ngx_http_lua_module; do
    if [ -e "$folder/$module.so" ]; then modules="$modules load_module $folder/$module.so;"; fi
  done
  user=''
  if [ "$(id -u)" = 0 ]; then user='user root;'; fi # workers must be able to read this checkout
  port=${1:-$((20000 + $$ % 20000))}
  tries=0
  while :; do
    sed -e "s|@MODULES@|$modules|; s|@USER@|$user|; s|@DIR@|$DIR|g; s|@TOP@|$TOP|g" \
      -e "s|@BUILD@|$TOP/$BUILD|; s|@PORT@|$port|" "$TOP/demo/nginx.conf" > "$DIR/nginx.conf"
    if web 2> "$DIR/start.log"; then break; fi
    tries=$((tries + 1))
    if [ $tries -ge 20 ] || [ $# -gt 0 ] || ! grep -q 'in use' "$DIR/start.log"; then
      cat "$DIR/start.log" >&2
      return 1
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

loyalhook() { $LUA "$TOP/bin/loyalhook" "$@"; }

# serve NAME PORT: `loyalhook serve` in the background. What it prints goes to NAME.json, what it
# logs to a log of its own, what it runs in to a folder below ours. Sets SERVE (its pid), SERVE_URL.
serve() {
  said=$DIR/$1.json
  rm -f "$said"
  TMPDIR=$DIR "$LUA" "$TOP/bin/loyalhook" serve --json --port "$2" \
    > "$said" 2>> "$DIR/worker-$1.log" &
  SERVE=$!
  SERVES="$SERVES $SERVE"
  wait_until "loyalhook serve" serve_answers
  SERVE_URL=$(sed -n 's|.*"api":"\(.*\)/api/v1".*|\1|p' "$said")
}

serve_answers() {
  kill -0 "$SERVE" 2>/dev/null || give_up "loyalhook serve ended by itself"
  [ -s "$said" ]
}

# The shop: a receiver and a worker on a store of its own. Sets SHOP and SHOP_URL.
serve_shop() {
  platform=$LOYALHOOK_STORE
  export LOYALHOOK_STORE="sqlite:$DIR/shop/loyalhook.db"
  export LOYALHOOK_CONFIG="$DIR/shop/loyalhook.lua"
  serve shop "$1"
  export LOYALHOOK_STORE="$platform"
  unset LOYALHOOK_CONFIG
  SHOP=$SERVE
  SHOP_URL=$SERVE_URL
  SHOP_PORT=${SHOP_URL##*:}
}

stop_servers() {
  for pid in $WORKERS $SERVES; do kill "$pid" 2>/dev/null || true; done
  for pid in $WORKERS $SERVES; do wait "$pid" 2>/dev/null || true; done
  for pid in $MAIL_SERVER $HUBSPOT; do kill "$pid" 2>/dev/null || true; done
  if [ ! -e "$DIR/nginx.pid" ] || ! web -s stop 2>/dev/null; then return 0; fi
  waited=0
  while [ -e "$DIR/nginx.pid" ] && [ $waited -lt 100 ]; do # its last act is to remove it
    waited=$((waited + 1))
    sleep 0.1
  done
}
