"""Rows of the receiver: nginx verifies, records durably, and then answers; and what that does to
who asks the same nginx worker for something else."""

import json
import os
import socket
import subprocess
import time
import urllib.request

from figures import absolute, alternate, compared, percentile
from nginx import Nginx
from stand import BUILD, Failed, TOP

SECRET = "a secret for the bench"
BODY_BYTES = 2000
BODY = ('{"request_id":"61f11851bdfb9aac526d0c70","total_count":"1",'
        '"created_date":"11/25/2026 10:00:00","events":[{"id":"@id@____________________",'
        '"event_type":"event_points_earned","data":{"member_info":{"member_id":"m-1"},'
        '"note":"%s"}}]}')
SERVER = """
location = /other { content_by_lua_block {
  ngx.header["Content-Length"] = 2 ngx.print("ok") } }
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


def body_file(stand):
    path = os.path.join(stand.folder, "receipt")
    with open(path, "w") as file:
        file.write(BODY % ("x" * (BODY_BYTES - len(BODY) + 2)))
    return path


def receive(stand, size):
    """The receiver in nginx, durable before 200, against nginx with Lua that reads the body."""
    count = size.of(20000)
    body = body_file(stand)
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


def ask(web, goes_on):
    """Milliseconds of requests to an unrelated location, on one connection, one in two
    milliseconds, as long as it goes on: the last one only if it did until its answer came, but one
    at least."""
    times, wanted = [], b"GET /other HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with socket.create_connection(("127.0.0.1", web.port), timeout=60) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            begun, answer = time.perf_counter(), b""
            client.sendall(wanted)
            while not answer.endswith(b"\r\n\r\nok"):
                piece = client.recv(4096)
                if not piece:
                    raise Failed("the unrelated location does not answer")
                answer += piece
            took = time.perf_counter() - begun
            went_on = goes_on()
            if went_on or not times:
                times.append(took * 1000)
            if not went_on:
                return times
            time.sleep(max(0.002 - took, 0))


def ask_beside(web, *arguments):
    """The same while a caller posts, from its first request to its last."""
    with subprocess.Popen([os.path.join(BUILD, "bench", "caller"), *map(str, arguments)],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as caller:
        try:
            if caller.stdout.readline() != b"begun\n":
                raise Failed("the caller does not begin")
            times = ask(web, lambda: caller.poll() is None)
            said = caller.stdout.read()
        finally:
            caller.kill()
    if caller.returncode != 0 or json.loads(said)["refused"]:
        raise Failed(f"the caller's requests were not all answered 200: {said.decode()}")
    return times


def unrelated(stand, size):
    """Another location of the receiver's nginx worker: idle, under load, under load that reads."""
    body, store, runs = body_file(stand), stand.store(), iter(range(1, 1000000))
    count = size.of(20000)

    def under(path, count):
        return ask_beside(web, "bare", web.port, path, 64, count, body, SECRET, next(runs))

    def idle():
        left = iter(range(count // 40)) # about as many as are asked under load
        return ask(web, lambda: next(left, None) is not None)

    with nginx_with_receiver(store) as web:
        under("/receive", 64) # makes the store
        runs_of = alternate(size.rounds, idle=idle, receive=lambda: under("/receive", count),
                            read=lambda: under("/read", count * 4)) # which takes as long
    stand.drop(store)
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        ours, alone, read = ([percentile(times, share) for times in runs_of[side]]
                             for side in ("receive", "idle", "read"))
        yield compared(f"{name} of another location, 64 connections post to the receiver, against"
                       " none", "ms", ours, alone)
        yield compared(f"{name} of another location, 64 connections post to the receiver, against"
                       " as many to Lua that reads the body", "ms", ours, read)
