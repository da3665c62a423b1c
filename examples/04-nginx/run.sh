#!/bin/sh
# Runs example 04 from a checkout: nginx in the foreground on 127.0.0.1:8484 (PORT=N for another)
# until Ctrl-C. Send it something from another terminal:
#
#   printf example-secret-of-16+ | bin/loyalhook trigger event_points_earned \
#     --url http://127.0.0.1:8484/hooks/loyalty --secret-stdin

set -eu
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

# Debian's Lua module is a file to load; elsewhere it may be built in.
folder=$(nginx -V 2>&1 | sed -n 's/.*--modules-path=\([^ ]*\).*/\1/p')
modules=''
for module in ndk_http_module ngx_http_lua_module; do
  if [ -e "$folder/$module.so" ]; then modules="$modules load_module $folder/$module.so;"; fi
done
user=''
if [ "$(id -u)" = 0 ]; then user='user root;'; fi # workers must be able to read this checkout

sed -e "s|@MODULES@|$modules|; s|@USER@|$user|; s|@PORT@|${PORT:-8484}|" \
  -e "s|@PATH@|$here/?.lua;$top/lua/?.lua;$top/lua/?/init.lua|" \
  -e "s|@CPATH@|$top/build/luajit/?.so|; s|@SECRET@|${SECRET:-example-secret-of-16+}|" \
  "$here/nginx.conf" > "$prefix/nginx.conf"
echo "nginx listens on http://127.0.0.1:${PORT:-8484}/hooks/loyalty; Ctrl-C ends it" >&2
nginx -p "$prefix" -e stderr -c "$prefix/nginx.conf" &
nginx=$!
wait "$nginx"
