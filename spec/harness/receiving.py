"""A receiver in a real nginx, what a sender posts to it, and what its inbox then holds.

    with Receiving(workers=8) as web:
        status, answer = web.post(envelope(["e1"]))
        web.inbox()  # ["zinrelo e1"]

Sources: zinrelo (secrets OLD and SECRET), other (SECRET), hooks (Standard Webhooks, STANDARD).
"""

import hashlib
import hmac
import http.client
import json
import os
import socket
import subprocess
import time

from cli import TOP, Workshop, lua_environment
from nginx import Nginx

BUILD = os.path.join(TOP, os.environ.get("BUILD", "build"))
PATHS = f"""lua_package_path "{TOP}/lua/?.lua;{TOP}/lua/?/init.lua;;";
            lua_package_cpath "{BUILD}/luajit/?.so;;";"""
SECRET = "a secret for tests"
OLD = "an older secret of 16+"
STANDARD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

MAIN = "thread_pool loyalhook threads=4;"
HTTP = PATHS + """
  lua_worker_thread_vm_pool_size @VMS@;
  client_max_body_size 16m;
  init_by_lua_block {
    loyalhook = require("loyalhook.openresty")
    receiver = assert(loyalhook.receiver{
      store = "sqlite:@STORE@", @OPTIONS@
      sources = {
        zinrelo = { secrets = { "@OLD@", "@SECRET@" } },
        other = { secrets = { "@SECRET@" } },
        hooks = { secrets = { "@STANDARD@" }, scheme = "standard" },
      } })
    @INIT@
    assert(not package.loaded["loyalhook.engine"], "the master must not load the engine")
  }
  @HTTP@"""
SERVER = """
  location / { content_by_lua_block {
    loyalhook.receive(receiver, (ngx.var.uri:match("^/(.*)$")))
    assert(not package.loaded["loyalhook.engine"], "the event loop must not load the engine")
  } }
  location = /ping { content_by_lua_block { ngx.print("pong") } }
  location = /figures { content_by_lua_block {
    local figures = receiver:figures()
    ngx.print(figures.tasks, " ", figures.items, " ",
      figures.running + figures.waiting) } }
  @SERVER@"""


def envelope(ids, padding=0, total_count=None):
    """A body with an event for each id, `padding` bytes longer than need be."""
    events = [{"id": event_id, "event_type": "event_points_earned",
               "data": {"member_info": {"member_id": "m-1"}, "note": "a:b"}} for event_id in ids]
    if padding:
        events[0]["data"]["padding"] = "x" * padding
    return json.dumps({"request_id": "61f11851bdfb9aac526d0c70",
                       "total_count": str(len(ids)) if total_count is None else total_count,
                       "created_date": "11/25/2026 10:00:00", "events": events}).encode()


def signed(body, secret=SECRET, nonce=None):
    """The headers of a request with that body."""
    nonce = str(int(time.time() * 1000)) if nonce is None else nonce
    tag = hmac.new(secret.encode(), body + b":" + nonce.encode(), hashlib.sha512).hexdigest()
    return {"nonce": nonce, "x-zinrelo-signature": tag}


class Receiving:
    """nginx with a receiver over a store of its own. options: more for openresty.receiver; http,
    server, init: more of nginx.conf; vms: Lua VMs of its threads; listen: more for that line; shop:
    a workshop with the store, or store: its path; wrap: a command in front."""

    def __init__(self, workers=1, create=True, shop=None, store=None, wrap=(), **parts):
        self.own_shop = shop is None
        self.shop = shop or Workshop()
        self.store = store or self.shop.path("loyalhook.db")
        self.wrap = wrap
        try:
            if create and self.own_shop:
                self.shop.init()
            self.nginx = self._start(workers, parts)
        except BaseException:
            if self.own_shop:
                self.shop.close()
            raise
        self.port, self.url = self.nginx.port, self.nginx.url

    def _start(self, workers, parts):
        more = {name: parts.pop(name, "") for name in ("options", "http", "server", "init")}
        main, listen = parts.pop("main", MAIN), parts.pop("listen", "")
        texts = {"@OPTIONS@": more["options"], "@HTTP@": more["http"], "@SERVER@": more["server"],
                 "@INIT@": more["init"], "@VMS@": str(parts.pop("vms", 16)), "@OLD@": OLD,
                 "@SECRET@": SECRET, "@STANDARD@": STANDARD, "@STORE@": self.store}
        assert not parts, parts

        def filled(text):
            for mark, value in texts.items():
                text = text.replace(mark, value)
            return text
        return Nginx(filled(SERVER), http=filled(HTTP), main=main, workers=workers,
                     connections=1024, listen=listen, wrap=self.wrap)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.nginx.close()
        if self.own_shop:
            self.shop.close()

    def post(self, body, headers=None, source="zinrelo", timeout=40):
        """Posts a signed body (or one with these headers). Returns status and decoded answer."""
        wire = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            wire.request("POST", "/" + source, body, signed(body) if headers is None else headers)
            answer = wire.getresponse()
            text = answer.read()
        finally:
            wire.close()
        kind = answer.headers.get("Content-Type")
        return answer.status, json.loads(text) if kind == "application/json" else text

    def raw(self, data, timeout=40):
        """Sends bytes as they are. Returns status, decoded answer or None, and the head."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as wire:
            wire.sendall(data)
            wire.shutdown(socket.SHUT_WR)
            answer = b""
            while True:
                part = wire.recv(65536)
                if not part:
                    break
                answer += part
        head, _, text = answer.partition(b"\r\n\r\n")
        try:
            told = json.loads(text)
        except ValueError:
            told = None
        return int(head.split(b" ", 2)[1]), told, head.decode()

    def get(self, path):
        wire = http.client.HTTPConnection("127.0.0.1", self.port, timeout=40)
        try:
            wire.request("GET", path)
            return wire.getresponse().read().decode()
        finally:
            wire.close()

    def inbox(self):
        """Every "source id" in the inbox, oldest first."""
        lua = os.environ.get("LUA54", "lua5.4")
        done = subprocess.run([*self.wrap, lua, f"{TOP}/spec/harness/inbox.lua",
                               "sqlite:" + self.store], capture_output=True, text=True,
                              check=True, cwd=self.shop.folder,
                              env={**self.shop.environment, **lua_environment("lua5.4")})
        return done.stdout.splitlines()[::-1]
