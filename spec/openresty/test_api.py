"""The HTTP API as `loyalhook serve` answers it: hostile requests, what waits for what, that it says
what the command line says, and that it keeps to docs/openapi.yaml."""

import concurrent.futures
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest
import urllib.parse

from cli import BUILD, TOP
from serving_api import PASSWORD, Serving

CONTRACT = os.path.join(TOP, "docs", "openapi.yaml")
PACKAGES = ["schemathesis==4.32.5", "prometheus-client==0.26.0"]
EARNED = "event_points_earned"
UNKNOWN = "61f11851bdfb9aac526d0c70"


def installed():
    """The Python of an environment with the packages, made once in build/; or a skip, with why."""
    folder = os.path.join(BUILD, "api-venv")
    python = os.path.join(folder, "bin", "python")
    ready = os.path.join(folder, "ready")
    if not os.path.exists(ready):
        for command in ([sys.executable, "-m", "venv", folder],
                        [python, "-m", "pip", "install", "-q", *PACKAGES]):
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode != 0:
                raise unittest.SkipTest("not to be had: " + ", ".join(PACKAGES) + ": "
                                        + (done.stderr.strip().splitlines() or ["?"])[-1])
        open(ready, "w").close()
    return python


class Case(unittest.TestCase):
    settings = ""

    @classmethod
    def setUpClass(cls):
        cls.here = Serving(cls.settings)
        cls.addClassCleanup(cls.here.close)
        cls.write, cls.read = cls.here.token("write"), cls.here.token("read")

    def ask(self, method, path, body=None, status=200, **more):
        more.setdefault("token", self.write)
        answer = self.here.ask(method, path, body, **more)
        self.assertEqual(answer.status, status, answer.body[:500])
        return answer.json() if answer.body and b"json" in (
            answer.header("Content-Type") or "").encode() else answer

    def webhook(self, name, url, **more):
        return self.ask("POST", "/api/v1/webhooks", {"name": name, "url": url,
                                                     "event_types": ["*"], **more}, 201)


class Hostile(Case):
    def raw(self, first, *lines, body=b"", host=True):
        head = [first] + ([f"Host: {self.here.host}"] if host else []) + list(lines)
        head.append("Connection: close")
        return self.here.raw("\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body)

    def authorized(self):
        return f"Authorization: Bearer {self.write}"

    def test_nothing_of_a_path_becomes_a_header(self):
        for path in ("/api/v1/users/a%0d%0aX-Evil:%201", "/api/v1/accounts/a%0aX-Evil:1",
                     "/api/v1/inbox/%0d%0aX-Evil:1", "/api/v1/webhooks?after=%0d%0aX-Evil:1",
                     "/%0d%0aX-Evil:1"):
            got = self.raw(f"GET {path} HTTP/1.1", self.authorized())
            head = got.split(b"\r\n\r\n")[0].lower()
            self.assertNotIn(b"x-evil", head, path)
            self.assertRegex(got, rb"^HTTP/1.1 40[034]")

    def test_paths_mean_what_they_say(self):
        for path in ("/api/../../etc/passwd", "/api/v1/../v1/webhooks", "//api/v1/webhooks",
                     "/api//v1/webhooks", "/api/v1/webhooks/..;/", "/api/v1/%77ebhooks/x",
                     "/api/v1/webhooks/" + "0" * 2000, "/api/v1/webhooks%00",
                     "/api/v1/webhooks/%2e",
                     "/api/v1/%2e%2e/v1/webhooks"):
            got = self.raw(f"GET {path} HTTP/1.1", self.authorized())
            self.assertRegex(got, rb"^HTTP/1.1 40[04]", path)
        absolute = self.raw(f"GET http://{self.here.host}/api/v1/settings HTTP/1.1",
                            self.authorized())
        self.assertRegex(absolute, rb"^HTTP/1.1 200")

    def test_headers_that_are_there_twice_or_look_alike(self):
        got = self.raw("GET /api/v1/webhooks HTTP/1.1", self.authorized(), self.authorized())
        self.assertRegex(got, rb"^HTTP/1.1 400")
        got = self.raw("GET /api/v1/webhooks HTTP/1.1", self.authorized(), host=False)
        self.assertRegex(got, rb"^HTTP/1.1 400")
        admin = self.here.admin()
        change = ("PATCH /api/v1/accounts/default HTTP/1.1", "Cookie: " + admin["Cookie"],
                  "Content-Type: application/json", "Content-Length: 15")
        body = b'{"notify":null}'
        got = self.raw(*change, "X_CSRF_Token: " + admin["X-CSRF-Token"], body=body)
        self.assertRegex(got, rb"^HTTP/1.1 403")
        got = self.raw(*change, "X-CSRF-Token: " + admin["X-CSRF-Token"], body=body)
        self.assertRegex(got, rb"^HTTP/1.1 200")

    def test_another_name_of_the_server(self):
        for host in ("evil.example", "evil.example:80", f"127.0.0.1.evil.example:{self.here.port}"):
            got = self.raw("GET /api/v1/session HTTP/1.1", f"Host: {host}", host=False)
            self.assertRegex(got, rb"^HTTP/1.1 421", host)
            self.assertNotIn(b"first_run", got)
        got = self.raw("GET /api/v1/session HTTP/1.1", f"Host: localhost:{self.here.port}",
                       host=False)
        self.assertRegex(got, rb"^HTTP/1.1 200")

    def test_bodies_that_are_too_large_or_come_in_pieces(self):
        answer = self.here.ask("POST", "/api/v1/webhooks", b" " * 65537, token=self.write)
        self.assertEqual((answer.status, answer.json()["code"]), (413, "too_large"))
        answer = self.here.ask("POST", "/api/v1/events", b"", token=self.write,
                               headers={"Content-Length": str(17 * 1024 * 1024)})
        self.assertEqual((answer.status, answer.json()["code"]), (413, "too_large"))
        for over in (1, 500): # less than nginx itself refuses
            answer = self.here.ask("POST", "/api/v1/events", b" " * (16 * 1024 * 1024 + over),
                                   token=self.write)
            self.assertEqual((answer.status, answer.json()["code"]), (413, "too_large"))
        piece = b"%x\r\n%s\r\n" % (1 << 20, b" " * (1 << 20))
        got = self.raw("POST /api/v1/events HTTP/1.1", self.authorized(),
                       "Content-Type: application/json", "Transfer-Encoding: chunked",
                       body=piece * 17 + b"0\r\n\r\n")
        self.assertRegex(got, rb"^HTTP/1.1 413")
        event = b'{"event_type":"event_points_earned","data":{}}'
        got = self.raw("POST /api/v1/events HTTP/1.1", self.authorized(),
                       "Content-Type: application/json", "Transfer-Encoding: chunked",
                       body=b"".join(b"1\r\n%c\r\n" % byte for byte in event) + b"0\r\n\r\n")
        self.assertRegex(got, rb"^HTTP/1.1 202")

    def test_only_events_may_be_large_before_it_is_known_who_sends_them(self):
        for path in ("/api/v1/session", "/api/v1/webhooks", "/metrics", "/healthz/ready"):
            with socket.create_connection(("127.0.0.1", self.here.port), timeout=20) as link:
                link.sendall(f"POST {path} HTTP/1.1\r\nHost: {self.here.host}\r\n"
                             "Content-Length: 1000000\r\n\r\n".encode())
                got = link.recv(65536)
            self.assertRegex(got, rb"^HTTP/1.1 413[^{]*\{.*\"code\":\"too_large\"", path)

    def test_what_nginx_refuses_is_answered_as_a_problem(self):
        path, long = "/api/v1/webhooks", "x" * 40000
        for status, code, first, *lines in (
                (400, "invalid", f"get {path} HTTP/1.1"),
                (400, "invalid", f"GET {path} HTTP/1.1", "X-Long: " + long),
                (400, "invalid", f"POST {path} HTTP/1.1", "Content-Length: 3",
                 "Transfer-Encoding: chunked"),
                (414, "too_large", f"GET {path}?{long} HTTP/1.1")):
            got = self.raw(first, *lines)
            self.assertRegex(got, rb"^HTTP/1.1 %d" % status, first)
            head, body = got.split(b"\r\n\r\n", 1)
            self.assertIn(b"Content-Type: application/problem+json", head)
            self.assertEqual((json.loads(body)["status"], json.loads(body)["code"]),
                             (status, code))
        self.assertEqual(self.here.ask("GET", "/loyalhook/400").status, 404)

    def test_a_body_that_nginx_keeps_in_a_file(self):
        data = {"text": "x" * 100_000}
        events = [{"event_type": EARNED, "data": {**data, "n": number}} for number in range(150)]
        ids = self.ask("POST", "/api/v1/events", {"events": events}, 202)["ids"]
        self.assertEqual(len(ids), 150)
        self.assertEqual(self.ask("GET", f"/api/v1/events/{ids[149]}")["data"]["n"], 149)

    def test_what_strangers_wrote_comes_as_data(self):
        evil = '</script><script>alert(1)</script>"\'\\\u2028'
        made = self.webhook(evil, "http://127.0.0.1:1/x?<script>=1".replace("<", "%3C")
                            .replace(">", "%3E"))
        answer = self.here.ask("GET", f"/api/v1/webhooks/{made['id']}", token=self.read)
        self.assertEqual(answer.json()["name"], evil)
        self.assertEqual(answer.header("Content-Type"), "application/json")
        self.assertEqual(answer.header("X-Content-Type-Options"), "nosniff")
        self.assertIn("default-src 'none'", answer.header("Content-Security-Policy"))
        self.assertEqual(answer.header("Cache-Control"), "no-store")
        bad = self.here.ask("GET", "/api/v1/requests?" + urllib.parse.urlencode({evil: 1}),
                            token=self.read)
        self.assertEqual(bad.header("Content-Type"), "application/problem+json")

    def test_methods_that_a_path_does_not_have(self):
        for method in ("TRACE", "PUT", "DELETE", "PROPFIND"):
            answer = self.here.ask(method, "/api/v1/webhooks", token=self.read)
            self.assertEqual(answer.status, 405, method)
            self.assertEqual(answer.header("Allow"), "GET, HEAD, OPTIONS, POST", method)
        self.assertEqual(self.here.ask("POST", "/healthz").status, 405)
        head = self.here.ask("HEAD", "/api/v1/settings", token=self.read)
        self.assertEqual((head.status, head.body), (200, b""))

    def test_edits_are_judged_by_us_alone(self):
        """nginx compares If-Match with the ETag of an answer by itself: after the change."""
        made = self.webhook("edited", "http://127.0.0.1:1/edited")
        path = "/api/v1/webhooks/" + made["id"]
        answer = self.here.ask("PATCH", path, {"batch_size": 7}, token=self.write,
                               headers={"If-Match": '"r1"'})
        self.assertEqual((answer.status, answer.header("ETag")), (200, '"r2"'))
        answer = self.here.ask("PATCH", path, {"batch_size": 8}, token=self.write,
                               headers={"If-Match": '"r1"'})
        self.assertEqual((answer.status, answer.json()["current"]["batch_size"]), (412, 7))
        answer = self.here.ask("PATCH", path, {"batch_size": 9}, token=self.write,
                               headers={"If-None-Match": '"r3"',
                                        "If-Unmodified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"})
        self.assertEqual((answer.status, answer.json()["batch_size"]), (200, 9))
        answer = self.here.ask("GET", path, token=self.read, headers={"If-None-Match": '"r3"'})
        self.assertEqual((answer.status, answer.body), (304, b""))

    def test_cookies_are_marked(self):
        headers = {"Origin": "http://" + self.here.host, "Sec-Fetch-Site": "same-origin"}
        answer = self.here.ask("POST", "/api/v1/session", {"user": "nobody", "password": PASSWORD},
                               headers=headers)
        self.assertEqual(answer.status, 401)
        answer = self.here.ask("POST", "/api/v1/session", {"user": "anna", "password": PASSWORD},
                               headers={"Origin": "http://evil.example"})
        self.assertEqual(answer.status, 403)


class BehindAProxy(Case):
    settings = ('public_url = "https://console.example.com", trusted_proxies = { "127.0.0.1/32" },'
                ' metrics_public = true')

    def test_wrong_tries_count_for_who_made_them(self):
        def guess(address):
            return self.here.ask("GET", "/api/v1/webhooks", headers={
                "Authorization": "Bearer lhk_" + "0" * 64, "X-Forwarded-For": address}).status
        answers = [guess("192.0.2.1") for _ in range(40)]
        self.assertEqual((answers[0], answers[-1]), (401, 429))
        self.assertEqual(guess("192.0.2.2"), 401)
        self.assertEqual(guess("6.6.6.6, 192.0.2.1"), 429)  # what a client writes is not believed

    def test_its_name_and_its_cookies(self):
        headers = {"Host": "console.example.com", "Origin": "https://console.example.com"}
        answer = self.here.ask("POST", "/api/v1/session", {
            "user": "anna", "password": PASSWORD,
            "first_run_token": self.here.head["first_run_token"]}, headers=headers)
        self.assertEqual(answer.status, 201, answer.body)
        self.assertTrue(answer.header("Set-Cookie").endswith("HttpOnly; SameSite=Strict; Secure"))

    def test_metrics_without_a_token(self):
        self.assertEqual(self.here.ask("GET", "/metrics").status, 200)


class Endpoint:
    """Accepts connections and answers them only when told."""

    def __init__(self):
        self.link = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.link.getsockname()[1]}/hook"
        self.held = []
        self.free = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.link.accept()
            except OSError:
                return
            self.held.append(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        self.free.wait(120)
        with client:
            client.recv(1 << 20)
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")

    def close(self):
        self.free.set()
        self.link.close()


class Waiting(Case):
    def setUp(self):
        self.endpoint = Endpoint()
        self.addCleanup(self.endpoint.close)

    def wait_until(self, look):
        limit = time.monotonic() + 60
        while not look():
            self.assertLess(time.monotonic(), limit)
            time.sleep(0.01)

    def test_who_waits_for_an_endpoint_holds_up_nobody(self):
        made = self.webhook("slow", self.endpoint.url)
        path = f"/api/v1/webhooks/{made['id']}/test"
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            trials = [pool.submit(self.here.ask, "POST", path, token=self.write)
                      for _ in range(12)]
            self.wait_until(lambda: len(self.endpoint.held) >= 4)
            for _ in range(30):
                self.ask("GET", "/api/v1/webhooks")
            for _ in range(8): # in more than one process of nginx
                self.ask("POST", "/api/v1/session", {"user": "nobody", "password": PASSWORD}, 401,
                         token=None)
            self.assertFalse(any(trial.done() for trial in trials))
            self.endpoint.free.set()
            for trial in trials:
                self.assertEqual(trial.result().status, 200)
                self.assertTrue(trial.result().json()["delivered"])

    def test_many_at_once_are_all_answered(self):
        with concurrent.futures.ThreadPoolExecutor(40) as pool:
            emits = [pool.submit(self.here.ask, "POST", "/api/v1/events",
                                 {"event_type": EARNED, "data": {"n": number}}, token=self.write)
                     for number in range(400)]
            ids = {emit.result().json()["ids"][0] for emit in emits}
        self.assertEqual(len(ids), 400)

    def test_a_request_under_way_is_answered_when_it_is_told_to_end(self):
        with Serving() as here:
            write = here.token("write")
            made = here.ask("POST", "/api/v1/webhooks", {
                "name": "slow", "url": self.endpoint.url, "event_types": ["*"]}, token=write).json()
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                trial = pool.submit(here.ask, "POST", f"/api/v1/webhooks/{made['id']}/test",
                                    token=write)
                self.wait_until(lambda: self.endpoint.held)
                here.process.send_signal(signal.SIGTERM)
                self.endpoint.free.set()
                self.assertEqual(trial.result().status, 200)
            here.process.stdout.read()
            self.assertEqual(here.process.wait(60), 0)


class Parity(Case):
    """What the API says is what the command line says."""

    def without(self, row, *names):
        return {name: value for name, value in row.items() if name not in names}

    def test_lists_and_things(self):
        here = self.here
        for number in range(3):
            self.webhook(f"w{number}", f"http://127.0.0.1:1/{number}", retries_max=0,
                         pause_after=2, headers={"X-A": "1"} if number else {})
        ids = [self.ask("POST", "/api/v1/events", {
            "event_type": EARNED, "data": {"member_info": {"member_id": f"m{number}"}}},
            202)["ids"][0] for number in range(4)]
        limit = time.monotonic() + 60
        while here.cli("request", "list", "--state", "failed")["requests"] == [] or \
                here.cli("stats")["waiting"] > 0 or \
                here.cli("request", "list", "--state", "sending")["requests"]:
            self.assertLess(time.monotonic(), limit)
            time.sleep(0.05)
        webhooks = here.cli("webhook", "list")["webhooks"]
        self.assertEqual(self.ask("GET", "/api/v1/webhooks")["webhooks"], webhooks)
        self.assertEqual(self.ask("GET", "/api/v1/webhooks/" + webhooks[0]["id"]),
                         here.cli("webhook", "show", webhooks[0]["id"]))
        every = here.cli("request", "list")["requests"]
        middle = every[len(every) // 2]["created_at"]
        for query, options in (("", ()), ("?state=failed&limit=2", ("--state", "failed",
                                                                      "--limit", 2)),
                               (f"?event={ids[0]}", ("--event", ids[0])),
                               ("?member=m2", ("--member", "m2")),
                               (f"?event_type={EARNED}", ("--event-type", EARNED)),
                               ("?event_type=event_member_enrol",
                                ("--event-type", "event_member_enrol")),
                               ("?since=1h&until=" + middle,
                                ("--since", "1h", "--until", middle)),
                               (f"?since={middle}", ("--since", middle)),
                               (f"?webhook={webhooks[1]['id']}", ("--webhook", "w1"))):
            self.assertEqual(self.ask("GET", "/api/v1/requests" + query),
                             here.cli("request", "list", *options), query)
        request = here.cli("request", "list", "--limit", 1)["requests"][0]
        shown = self.ask("GET", "/api/v1/requests/" + request["request_id"])
        for attempt in shown["attempts"]:
            attempt.pop("explanation")
        self.assertEqual(shown, here.cli("request", "show", request["request_id"]))
        self.assertEqual(self.ask("GET", f"/api/v1/events/{ids[0]}/explain"),
                         here.cli("explain", ids[0]))
        self.assertEqual(self.ask("GET", "/api/v1/notices"), here.cli("notices"))
        self.assertEqual(self.ask("GET", "/api/v1/accounts")["accounts"],
                         here.cli("account", "list")["accounts"])
        stats, said = self.ask("GET", "/api/v1/stats"), here.cli("stats")
        for name in ("requests", "waiting", "attempts", "events", "webhooks", "per_webhook"):
            self.assertEqual(stats[name], said[name], name)
        self.assertEqual(len(self.ask("GET", "/api/v1/catalogue?samples=false")["types"]),
                         len(here.cli("events")["events"]) if "events" in here.cli("events")
                         else 20)


class Metrics(Case):
    def test_prometheus_can_read_them(self):
        python = installed()
        self.webhook('a "name" \\ with\u00fc', "http://127.0.0.1:1/")
        self.ask("POST", "/api/v1/events", {"event_type": EARNED, "data": {}}, 202)
        text = self.here.ask("GET", "/metrics", token=self.read).body.decode()
        program = """
import json, sys
from prometheus_client.parser import text_string_to_metric_families
for family in text_string_to_metric_families(sys.stdin.read()):
    print(json.dumps([family.name, family.type, family.documentation,
                      [[s.name, s.labels, s.value] for s in family.samples]]))"""
        done = subprocess.run([python, "-c", program], input=text, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        families = [json.loads(line) for line in done.stdout.splitlines()]
        seen, named = set(), set(re.findall(r"^# TYPE (\S+)", text, re.M))
        for name, kind, about, samples in families:
            self.assertTrue(name.startswith("loyalhook_") and about.endswith("."), name)
            self.assertNotEqual(kind, "unknown", name)
            for sample, labels, value in samples:
                key = (sample, tuple(sorted(labels.items())))
                self.assertNotIn(key, seen)
                seen.add(key)
                self.assertGreaterEqual(value, 0)
            if kind == "counter":
                self.assertTrue(all(sample[0].endswith("_total") for sample in samples), name)
            if kind == "histogram":
                counts = [value for sample, _, value in samples if sample.endswith("_bucket")]
                self.assertEqual(counts, sorted(counts))
        self.alerts_name_what_there_is(named | {name for name, _ in seen})

    def alerts_name_what_there_is(self, names):
        with open(os.path.join(TOP, "docs", "alerts.yml")) as file:
            rules = file.read()
        named = set(re.findall(r"\bloyalhook_\w+", rules))
        self.assertGreater(len(named), 5)
        self.assertEqual(named - names, set())

    def test_counters_rise_whatever_is_asked_where(self):
        def emitted():
            text = self.here.ask("GET", "/metrics", token=self.read).body.decode()
            return int(re.search(r"^loyalhook_events_emitted_total (\d+)$", text, re.M).group(1))
        before = emitted()
        for number in range(20):
            self.ask("POST", "/api/v1/events", {"event_type": EARNED, "data": {"n": number}}, 202)
            self.assertEqual(emitted(), before + number + 1)


class Contract(Case):
    """schemathesis makes requests of every kind out of the contract: no 5xx, no answer that the
    contract does not have, in form and status."""

    settings = "webhooks_max = 1000"
    CHECKS = ("not_a_server_error,status_code_conformance,content_type_conformance,"
              "response_headers_conformance,response_schema_conformance,unsupported_method,"
              "negative_data_rejection")
    EXAMPLES = os.environ.get("LOYALHOOK_SPEC_EXAMPLES", "10")

    def run_with(self, *options):
        python = installed()
        done = subprocess.run(
            [os.path.join(os.path.dirname(python), "schemathesis"), "run", CONTRACT, "--url",
             self.here.url, "--checks", self.CHECKS, "--phases", "examples,coverage,fuzzing",
             "--max-examples", self.EXAMPLES, "--seed", "1", "--generation-database", "none",
             "--exclude-operation-id", "testWebhook", *options],
            capture_output=True, text=True, cwd=self.here.shop.folder, timeout=280,
            env={**os.environ, "NO_COLOR": "1"})
        self.assertEqual(done.returncode, 0, done.stdout[-8000:] + done.stderr[-2000:])
        self.assertRegex(done.stdout, r"\d{3,} generated")

    def test_as_a_program(self):
        self.run_with("-H", "Authorization: Bearer " + self.write)

    def test_as_an_admin(self):
        admin = self.here.admin()
        keep = [part for name in ("signOut", "changePassword", "signIn")
                for part in ("--exclude-operation-id", name)]
        self.run_with("-H", "Cookie: " + admin["Cookie"], "-H",
                      "X-CSRF-Token: " + admin["X-CSRF-Token"], *keep)

    def test_as_nobody(self):
        self.run_with("--include-path-regex", "session|healthz|metrics|webhooks$")


if __name__ == "__main__":
    unittest.main()
