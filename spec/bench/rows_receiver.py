"""The row of the receiver: nginx verifies, records durably, and then answers."""

import os
import urllib.request

from figures import absolute, alternate, compared
from nginx import Nginx
from stand import BUILD, Failed, TOP

SECRET = "a secret for the bench"
BODY_BYTES = 2000
BODY = ('{"request_id":"61f11851bdfb9aac526d0c70","total_count":"1",'
        '"created_date":"11/25/2026 10:00:00","events":[{"id":"@id@____________________",'
        '"event_type":"event_points_earned","data":{"member_info":{"member_id":"m-1"},'
        '"note":"%s"}}]}')
SERVER = """
location = /read { content_by_lua_block {
  ngx.req.read_body() ngx.header["Content-Length"] = 2 ngx.print("ok") } }
location = /receive { content_by_lua_block { loyalhook.receive(receiver, "bench") } }
location = /figures { content_by_lua_block {
  local figures = receiver:figures() ngx.print(figures.tasks, " ", figures.items) } }
"""


def nginx_with_receiver(store):
    return Nginx(SERVER, connections=2048, main="thread_pool loyalhook threads=4;", http=f"""
keepalive_requests 1000000000;
lua_package_path "{TOP}/lua/?.lua;{TOP}/lua/?/init.lua;;";
lua_package_cpath "{BUILD}/luajit/?.so;;";
init_by_lua_block {{
  loyalhook = require("loyalhook.openresty")
  receiver = assert(loyalhook.receiver{{ store = "sqlite:{store}", create = true,
    sources = {{ bench = {{ secrets = {{ "{SECRET}" }} }} }} }})
}}""")


def figures_of(web):
    with urllib.request.urlopen(web.url + "/figures") as answer:
        return [int(figure) for figure in answer.read().split()]


def receive(stand, size):
    """The receiver in nginx, durable before 200, against nginx with Lua that reads the body."""
    count = size.of(20000)
    body = os.path.join(stand.folder, "receipt")
    with open(body, "w") as file:
        file.write(BODY % ("x" * (BODY_BYTES - len(BODY) + 2)))
    store, runs = stand.store(), iter(range(1, 1000000))
    with nginx_with_receiver(store) as web:
        def rate(sender, path):
            took = stand.program("caller", sender, web.port, path, 64, count, body, SECRET,
                                 next(runs))
            if took["refused"]:
                raise Failed(f"{took['refused']} of {count} requests were not answered 200")
            return count / took["seconds"]

        rate("bare", "/receive") # makes the store
        before = figures_of(web)
        results = {sender: alternate(size.rounds, ours=lambda: rate(sender, "/receive"),
                                     reads=lambda: rate(sender, "/read"))
                   for sender in ("curl", "bare")}
        tasks, items = (now - then for now, then in zip(figures_of(web), before))
    stand.drop(store)
    yield compared("receiver in nginx, 2 KB, durable before 200, against Lua that reads the body; "
                   "sender: a libcurl loop", "requests/s", results["curl"]["ours"],
                   results["curl"]["reads"], at_least=0.3)
    yield compared("the same; sender: plain sockets, which cost next to nothing", "requests/s",
                   results["bare"]["ours"], results["bare"]["reads"])
    yield absolute("requests that share a commit, 64 connections", "requests", [items / tasks])
