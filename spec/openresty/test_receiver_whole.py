"""The receiver with what stands around it: a real worker that sends over TLS, request handlers that
emit, a disk that fills up.
"""

import concurrent.futures
import http.client
import json
import os
import subprocess
import unittest

from cli import Workshop, wait_for
from receiving import SECRET, Receiving, envelope


class OverTls(unittest.TestCase):
    """Sender, worker, nginx with TLS under a private authority, inbox."""

    def setUp(self):
        self.shop = Workshop()
        self.addCleanup(self.shop.close)
        self.authority, self.key = self.shop.path("ca.pem"), self.shop.path("ca.key")
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                     "-nodes", "-days", "2", "-subj", "/CN=private authority", "-keyout", self.key,
                     "-out", self.authority)
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                     "-subj", "/CN=hooks", "-keyout", self.shop.path("web.key"), "-out",
                     self.shop.path("web.csr"))
        self.shop.write("names", "subjectAltName=IP:127.0.0.1")
        self.openssl("x509", "-req", "-days", "2", "-in", self.shop.path("web.csr"), "-CA",
                     self.authority, "-CAkey", self.key, "-CAcreateserial", "-extfile",
                     self.shop.path("names"), "-out", self.shop.path("web.pem"))

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)

    def test_what_a_platform_emits_is_in_a_merchants_inbox(self):
        events = [{"event_type": "event_points_earned",
                   "data": {"member_info": {"member_id": f"m-{number}"}, "text": "Zoë 積分"}}
                  for number in range(250)]
        server = f"""ssl_certificate {self.shop.path("web.pem")};
                     ssl_certificate_key {self.shop.path("web.key")};"""
        with Receiving(workers=2, server=server, listen=" ssl") as web:
            self.shop.init()
            self.shop.webhook("crm", f"https://127.0.0.1:{web.port}/zinrelo", secret=SECRET,
                              batch_size=40, retries_max=0)
            self.shop.webhook("again", f"https://127.0.0.1:{web.port}/other", secret=SECRET,
                              retries_max=0)
            ids = self.shop.emit_lines(events)["ids"]
            self.shop.work_until_idle(LOYALHOOK_CA_FILE=self.authority)
            self.assertEqual({row["state"] for row in self.shop.requests()}, {"delivered"},
                             web.nginx.errors())
            inbox = web.inbox()
            self.assertEqual(sorted(inbox), sorted(f"{source} {event_id}" for event_id in ids
                                                   for source in ("zinrelo", "other")))
            shown = web.shop.run("inbox", "show", ids[7], "--source", "zinrelo", "--json").json()
            self.assertEqual(shown["data"], events[7]["data"])


class Emitting(unittest.TestCase):
    """openresty.emit in request handlers: shared commits, refusals, repetitions."""

    SERVER = """
      location = /emit { content_by_lua_block {
        ngx.req.read_body()
        local id, message, code = loyalhook.emit(sender, ngx.var.arg_type or "event_member_update",
          ngx.req.get_body_data(), { idempotency_key = ngx.var.arg_key, account = "shop-7" })
        ngx.print(id or code, " ", code or "new") } }
      location = /table { content_by_lua_block {
        local payload = require("loyalhook.payload")
        local id = assert(loyalhook.emit(sender, "event_points_earned", { member_info = { id = 7 },
          list = require("loyalhook.json").array{} }))
        local ids = assert(loyalhook.emit_many(sender, {
          payload.member_enrol{ member_info = { member_id = "m-1" } },
          { event_type = "event_member_update", data = "{}" } }))
        local none, message, code, index = loyalhook.emit_many(sender, {
          { event_type = "event_member_update", data = {} },
          { event_type = "event_x", data = {} } })
        ngx.print(#ids, " ", code, " ", index) } }
      location = /later { content_by_lua_block {
        ngx.timer.at(0, function()
          assert(loyalhook.emit(sender, "event_member_update", '{"from":"a timer"}')) end) } }"""
    def setUp(self):
        self.web = Receiving(workers=2, server=self.SERVER, init="""
          sender = assert(loyalhook.sender{ store = "sqlite:@STORE@" })""")
        self.addCleanup(self.web.close)

    def emit(self, data, query=""):
        wire = http.client.HTTPConnection("127.0.0.1", self.web.port, timeout=40)
        try:
            wire.request("POST", "/emit" + query, json.dumps(data))
            return wire.getresponse().read().decode().split(" ")
        finally:
            wire.close()

    def events(self):
        return self.web.shop.run("stats", "--json").json()["events"]

    def test_many_at_once_are_all_stored_each_once(self):
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            said = list(pool.map(lambda number: self.emit({"n": number}), range(500)))
        self.assertEqual({word for _, word in said}, {"new"}, said[:3])
        self.assertEqual(len({event_id for event_id, _ in said}), 500)
        self.assertEqual(self.events(), 500)

    def test_what_emit_refuses_and_what_it_knows_already(self):
        first = self.emit({"n": 1}, "?key=k")
        self.assertEqual(self.emit({"n": 1}, "?key=k"), [first[0], "duplicate"])
        self.assertEqual(self.emit({"n": 2}, "?key=k")[0], "conflict")
        self.assertEqual(self.emit([1])[0], "invalid")
        self.assertEqual(self.emit({}, "?type=event_nonsense")[0], "unknown_type")
        self.assertEqual(self.events(), 1)

    def test_tables_payloads_and_lists(self):
        self.assertEqual(self.web.get("/table"), "2 unknown_type 2", self.web.nginx.errors())
        self.assertEqual(self.events(), 3)

    def test_from_a_timer(self):
        self.web.get("/later")
        wait_for(lambda: self.events() == 1, what="the timer's event")


class FullDisk(unittest.TestCase):
    """The store lies on a disk of its own, which fills up and has room again."""

    def setUp(self):
        self.shop = Workshop()
        self.addCleanup(self.shop.close)
        os.mkdir(self.shop.path("disk"))
        self.disk = subprocess.Popen(
            ["unshare", "-rm", "sh", "-c",
             "mount -t tmpfs -o size=8m none disk && echo mounted && exec sleep 600"],
            cwd=self.shop.folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(self.unmount)
        if self.disk.stdout.readline() != b"mounted\n":
            self.skipTest("no user may mount a disk of memory here")
        self.wrap = ["nsenter", "-t", str(self.disk.pid), "-U", "-m", "--preserve-credentials",
                     "--"]

    def unmount(self):
        self.disk.kill()
        self.disk.communicate()

    def shell(self, script):
        subprocess.run([*self.wrap, "sh", "-c", script], check=True, stderr=subprocess.DEVNULL,
                       cwd=self.shop.folder)

    def test_503_while_it_is_full_and_nothing_half_then_200_again(self):
        disk = self.shop.path("disk")
        with Receiving(shop=self.shop, wrap=self.wrap, store=disk + "/loyalhook.db",
                       options="create = true,") as web:
            self.assertEqual(web.post(envelope(["first"]))[0], 200, web.nginx.errors())
            self.shell(f"cat /dev/zero > {disk}/ballast; truncate -s -100K {disk}/ballast")
            told, number = set(), 0
            while 503 not in told and number < 200:
                number += 1
                told.add(web.post(envelope([f"a{number}", f"b{number}"], 20_000))[0])
            self.assertEqual(told, {200, 503})
            status, answer = web.post(envelope(["large"], 500_000))
            self.assertEqual((status, answer["error"]["code"]), (503, "unavailable"))
            self.assertIn("code=full", web.nginx.errors())
            self.shell(f"rm {disk}/ballast")
            self.assertEqual(web.post(envelope(["large", "last"], 500_000))[1],
                             {"events": 2, "added": 2})
            inbox = web.inbox()
            self.assertNotIn(f"zinrelo a{number}", inbox)
            self.assertNotIn(f"zinrelo b{number}", inbox)
            self.assertEqual(len(inbox), 2 * (number - 1) + 3)


if __name__ == "__main__":
    unittest.main()
