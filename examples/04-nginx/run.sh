#!/bin/sh
# Runs example 04 from a checkout: nginx in the foreground on 127.0.0.1:8484 (PORT=N for another)
# until Ctrl-C. Send it something from another terminal:
#
#   printf example-secret-of-16+ | bin/loyalhook trigger event_points_earned \
#     --url http://127.0.0.1:8484/hooks/loyalty --secret-stdin

set -eu
umask 077
PATH=$PATH:/usr/sbin # where nginx is, and where not everybody looks
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
prefix=$(mktemp -d "${TMPDIR:-/tmp}/loyalhook-nginx.XXXXXX")
nginx=''

end() {
  trap - EXIT INT TERM
  if [ -n "$nginx" ]; then
    kill "$nginx" 2>/dev/null || true
    wait "$nginx" 2>/dev/null || true
  fi
  rm -rf "$prefix"
}
trap end EXIT
trap 'exit 0' INT TERM

(cd "$prefix" && "$top/bin/loyalhook" init > /dev/null)
printf '%s\n' "${SECRET:-example-secret-of-16+}" > "$prefix/zinrelo.secret"

# Debian's load_module lines name files below the folder that nginx was built for.
folder=$(nginx -V 2>&1 | sed -n 's/.*--modules-path=\([^ ]*\).*/\1/p')
if [ -n "$folder" ]; then ln -s "$folder" "$prefix/modules"; fi
config=$here/nginx.conf
if [ -n "${PORT:-}" ]; then
  config=$prefix/nginx.conf
  sed "s/127.0.0.1:8484/127.0.0.1:$PORT/" "$here/nginx.conf" > "$config"
fi
# In a checkout: where Lua finds loyalhook, and workers that may read it.
LUA_PATH="$top/lua/?.lua;$top/lua/?/init.lua;;"
LUA_CPATH="$top/build/luajit/?.so;;"
export LUA_PATH LUA_CPATH
main='daemon off;'
if [ "$(id -u)" = 0 ]; then main="$main user root;"; fi

echo "nginx listens on http://127.0.0.1:${PORT:-8484}/hooks/loyalty; Ctrl-C ends it" >&2
echo "what it received: loyalhook inbox list --store sqlite:$prefix/loyalhook.db" >&2
nginx -p "$prefix/" -e stderr -c "$config" -g "$main" &
nginx=$!
wait "$nginx"
