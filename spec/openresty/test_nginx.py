"""loyalhook inside a real nginx: two workers, LuaJIT, the event loop, forks and reloads.

What is tried here cannot be seen from a plain script: headers as nginx hands them over, bodies that
nginx keeps in a file, modules loaded in the master and used in its children, and emitting from
nginx's thread pool.
"""

import concurrent.futures
import json
import os
import socket
import time
import unittest
import urllib.error
import urllib.request

from cli import TOP, Workshop, wait_for
from nginx import Nginx

BUILD = os.path.join(TOP, os.environ.get("BUILD", "build"))
PATHS = f"""lua_package_path "{TOP}/lua/?.lua;{TOP}/lua/?/init.lua;;";
            lua_package_cpath "{BUILD}/luajit/?.so;;";"""
SECRET = "a secret for tests"


def post(url, body=b"", headers=()):
    request = urllib.request.Request(url, data=body)
    for name, value in headers:
        request.add_unredirected_header(name, value)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.read().decode()


def raw_post(web, body, lines):
    """A request with header lines exactly as given (urllib would merge repeated ones)."""
    head = ["POST / HTTP/1.0", f"Host: 127.0.0.1:{web.port}", f"Content-Length: {len(body)}",
            *lines]
    with socket.create_connection(("127.0.0.1", web.port), timeout=10) as wire:
        wire.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        answer = b""
        while True:
            part = wire.recv(65536)
            if not part:
                break
            answer += part
    return int(answer.split(b" ", 2)[1]), answer.split(b"\r\n\r\n", 1)[1].decode()


class Verifying(unittest.TestCase):
    HTTP = PATHS + """
      init_by_lua_block {
        signature = require("loyalhook.signature")
        verifier = signature.verifier { secrets = { "an older secret of 16+", "%s" } }
        assert(not package.loaded["loyalhook.engine"], "verifying must not load the engine")
      }""" % SECRET
    SERVER = """
      client_max_body_size 4m;
      location / { content_by_lua_block {
        ngx.req.read_body()
        local body = ngx.req.get_body_data()
        if not body and ngx.req.get_body_file() then
          local file = assert(io.open(ngx.req.get_body_file(), "rb"))
          body = file:read("*a")
          file:close()
        end
        local ok, message, code = verifier:verify(body or "", ngx.req.get_headers())
        ngx.status = ok and 200 or 401
        ngx.print(ok and "ok" or code)
      } }"""

    @classmethod
    def setUpClass(cls):
        cls.shop = Workshop(vm="luajit")
        cls.addClassCleanup(cls.shop.close)
        cls.shop.write("secret", SECRET)
        cls.web = Nginx(cls.SERVER, http=cls.HTTP, workers=2)
        cls.addClassCleanup(cls.web.close)

    def sign(self, body, *options):
        self.shop.write("body", body)
        return self.shop.run("sign", "--secret-file", "secret", "--json", *options,
                             "body").json()["headers"]

    def test_a_signed_request_is_accepted_and_any_change_refused(self):
        body = b'{"a":1}'
        headers = self.sign(body)
        self.assertEqual(post(self.web.url, body, headers.items()), (200, "ok"))
        self.assertEqual(post(self.web.url, body + b"\n", headers.items()),
                         (401, "signature_mismatch"))
        self.assertEqual(post(self.web.url, body), (401, "header_missing"))

    def test_names_in_any_case_and_a_body_that_nginx_keeps_in_a_file(self):
        body = b'{"a":"' + b"x" * 900_000 + b'"}'
        headers = {name.upper(): value for name, value in self.sign(body).items()}
        self.assertEqual(post(self.web.url, body, headers.items()), (200, "ok"))

    def test_a_repeated_header_is_refused(self):
        headers = self.sign(b"{}")
        lines = [f"{name}: {value}" for name, value in headers.items()]
        self.assertEqual(raw_post(self.web, b"{}", lines), (200, "ok"))
        for name in ("nonce", "x-zinrelo-signature"):
            again = lines + [f"{name}: {headers[name]}"]
            self.assertEqual(raw_post(self.web, b"{}", again), (401, "header_repeated"))

    def test_an_old_request_is_refused(self):
        headers = self.sign(b"{}", "--nonce", str(int(time.time() * 1000) - 3_600_000))
        self.assertEqual(post(self.web.url, b"{}", headers.items()), (401, "too_old"))

    def test_reloads_under_load_break_nothing(self):
        body = b'{"a":1}'
        headers = list(self.sign(body).items())
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            answers = [pool.submit(post, self.web.url, body, headers) for _ in range(400)]
            for _ in range(5):
                time.sleep(0.1)
                self.web.signal("reload")
            self.assertEqual({answer.result() for answer in answers}, {(200, "ok")})
        self.assertNotIn("signal 11", self.web.errors())
        self.assertNotIn("[alert]", self.web.errors())


class Emitting(unittest.TestCase):
    """Ids after a fork, and emitting from nginx's thread pool (never on the event loop)."""

    IN_THE_MASTER = ""

    MAIN = "thread_pool hooks threads=4;"
    SERVER = """
      location = /id { content_by_lua_block {
        ngx.print(require("loyalhook.core").id()) } }
      location = /emit { content_by_lua_block {
        ngx.req.read_body()
        local done, id, code = ngx.run_worker_thread("hooks", "emitter", "emit",
          "sqlite:@STORE@", ngx.req.get_body_data())
        ngx.status = done and id and 200 or 500
        ngx.print(tostring(id or code or done)) } }"""
    EMITTER = """local emitter = {}
      local sender
      function emitter.emit(store, data)
        if not sender then
          local message, code
          sender, message, code = require("loyalhook.sender").open{ store = store }
          if not sender then return nil, code end
        end
        local id, message, code = sender:emit_json("event_member_update", data)
        return id, code
      end
      return emitter
      """

    def setUp(self):
        self.shop = Workshop(vm="luajit")
        self.addCleanup(self.shop.close)
        self.shop.init()
        os.mkdir(self.shop.path("own")) # not beside loyalhook.lua, which is no module
        self.shop.write("own/emitter.lua", self.EMITTER)
        store = self.shop.path("loyalhook.db")
        own = f"{self.shop.folder}/own/?.lua;{TOP}/lua/?.lua"
        http = PATHS.replace(TOP + "/lua/?.lua", own) + f"""
          lua_worker_thread_vm_pool_size 8;
          init_by_lua_block {{
            require("loyalhook.core").id()
            require("loyalhook.engine")
            {self.IN_THE_MASTER.replace("@STORE@", store)}
          }}"""
        self.web = Nginx(self.SERVER.replace("@STORE@", store), http=http, main=self.MAIN,
                         workers=2)
        self.addCleanup(self.web.close)

    def test_ids_of_forked_workers_do_not_repeat(self):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            ids = list(pool.map(lambda _: post(self.web.url + "/id")[1], range(400)))
        self.assertEqual(len(set(ids)), 400)

    def test_emitting_from_the_thread_pool_of_two_workers(self):
        bodies = [json.dumps({"member_info": {"member_id": f"m-{n}"}}).encode() for n in range(200)]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda body: post(self.web.url + "/emit", body), bodies))
        self.assertEqual({status for status, _ in answers}, {200}, answers[:5])
        self.assertEqual(len({event_id for _, event_id in answers}), 200)
        stats = self.shop.run("stats", "--json").json()
        self.assertEqual(stats["events"], 200)
        self.assertEqual(self.shop.run("doctor", "--full", expect=None).code, 0)


class OpenedInTheMaster(Emitting):
    """SQLite's locks do not come through a fork: what the master had open, no worker may have."""

    IN_THE_MASTER = """opened_in_the_master = assert(require("loyalhook").sender.open{
              store = "sqlite:@STORE@" })"""
    SERVER = Emitting.SERVER + """
      location = /forked { content_by_lua_block {
        local id, message, code = opened_in_the_master:emit_json("event_member_update", "{}")
        ngx.print(id or code) } }"""

    def test_emitting_from_the_thread_pool_of_two_workers(self):
        self.assertEqual(post(self.web.url + "/emit", b"{}"), (500, "closed"))

    def test_a_handle_from_before_the_fork_says_so(self):
        self.assertEqual(post(self.web.url + "/forked")[1], "closed")


if __name__ == "__main__":
    unittest.main()
