"""`loyalhook listen`: what it shows of good and bad requests, what its scripts do to our own
sender, how it ends. nginx and the receiver are real.
"""

import fcntl
import http.server
import json
import os
import queue
import shutil
import signal
import socket
import threading
import unittest
import urllib.error
import urllib.request

from cli import Workshop, stop, wait_for
from slow_request import begin_request

SECRET = "a secret for tests"
EARNED = "event_points_earned"
SHOWN = ["time", "method", "path", "source", "verdict", "status", "script", "code", "reason",
         "hint", "total_count", "added", "duplicates", "events", "bytes", "duration_ms"]


class Listening:
    """A running `listen --json`: `shown` has its rows as they come."""

    def __init__(self, shop, *options, secret=SECRET, **environment):
        self.shop = shop
        if secret:
            shop.write("listen.secret", secret)
            options += ("--secret-file", "listen.secret")
        self.process = shop.start("listen", "--port", 0, "--json", *options, **environment)
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        first = self.lines.get(timeout=60)
        if first is None:
            raise AssertionError(self.process.stderr.read().decode())
        self.head = json.loads(first)
        self.url = self.head["url"]
        self.port = int(self.url.rsplit(":", 1)[1].strip("/"))

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def next(self, limit_s=30):
        return json.loads(self.lines.get(timeout=limit_s))

    def post(self, body, headers, path="hook"):
        request = urllib.request.Request(self.url + path, body, headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.read().decode()

    def nginx(self):
        """Process ids of its nginx master and workers."""
        parent = str(self.process.pid)
        master = children_of(parent)
        return master + [child for one in master for child in children_of(one)]

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        code = self.process.wait(timeout=60)
        return code


def children_of(pid):
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as file:
                    fields = file.read().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if fields[1] == pid and fields[0] != "Z":
                found.append(name)
    return found


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def envelope(*ids):
    return json.dumps({"request_id": "61f11851bdfb9aac526d0c70", "total_count": str(len(ids)),
                       "created_date": "11/25/2026 10:00:00", "events": [
                           {"id": one, "event_type": EARNED, "data": {"n": 1}}
                           for one in ids]}).encode()


class Case(unittest.TestCase):
    vm = "lua5.4"

    def setUp(self):
        self.shop = Workshop(vm=self.vm, TMPDIR=self.temporary_folder())
        self.addCleanup(self.shop.close)

    def temporary_folder(self):
        """Temporary folders of commands land here, so that what they leave is seen."""
        self.temporary = Workshop()
        self.addCleanup(self.temporary.close)
        return self.temporary.folder

    def listen(self, *options, **more):
        listening = Listening(self.shop, *options, **more)
        self.addCleanup(lambda: listening.process.poll() is None and listening.process.kill())
        return listening

    def signed(self, body, *options, secret=SECRET):
        self.shop.write("sign.secret", secret)
        return self.shop.run("sign", "--secret-file", "sign.secret", "--json", *options,
                             stdin=body).json()["headers"]

    def left(self):
        return os.listdir(self.temporary.folder)


class Shown(Case):
    def test_each_request_with_its_verdict_and_its_reason(self):
        listening = self.listen()
        self.assertEqual((listening.head["source"], listening.head["secret"]), ("listen", None))
        body = envelope("e1", "e2")
        headers = self.signed(body)
        self.assertEqual(listening.post(body, headers)[0], 200)
        row = listening.next()
        self.assertEqual(list(row), SHOWN)
        self.assertEqual((row["verdict"], row["status"], row["method"], row["path"], row["added"]),
                         ("valid", 200, "POST", "/hook", 2))
        self.assertEqual(row["events"], [{"id": "e1", "event_type": EARNED},
                                         {"id": "e2", "event_type": EARNED}])
        self.assertEqual(listening.post(body, headers, "other/path?x=1")[0], 200)
        row = listening.next()
        self.assertEqual((row["path"], row["added"], row["duplicates"]), ("/other/path?x=1", 0, 2))
        self.assertEqual(listening.post(body + b"\n", headers)[0], 401)
        row = listening.next()
        self.assertEqual((row["verdict"], row["code"], row["events"]),
                         ("refused", "signature_mismatch", None))
        self.assertIn("line", row["reason"] + row["hint"])
        self.assertEqual(listening.post(b"{}", self.signed(b"{}"))[0], 400)
        self.assertEqual(listening.next()["code"], "invalid")
        self.assertEqual(listening.stop(), 0)
        self.assertEqual(self.left(), [])

    def test_what_nginx_itself_refuses_is_shown_too(self):
        listening = self.listen()
        with socket.create_connection(("127.0.0.1", listening.port), timeout=20) as wire:
            wire.sendall(b"no http\r\n\r\n")
            self.assertIn(b" 400 ", wire.recv(4096))
        row = listening.next()
        self.assertEqual((row["verdict"], row["status"], row["code"]), ("refused", 400, "http"))
        body = b"x" * (11 * 1024 * 1024)
        with socket.create_connection(("127.0.0.1", listening.port), timeout=20) as wire:
            head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
            wire.sendall(head.encode())
            self.assertIn(b" 413 ", wire.recv(4096))
        self.assertEqual(listening.next()["status"], 413)

    def test_a_batch_of_a_thousand_in_a_body_that_nginx_spools(self):
        listening = self.listen()
        body = envelope(*[f"e{n:04}" for n in range(1000)])
        body = body[:-1] + b',"padding":"' + b"x" * 3_000_000 + b'"}'
        self.shop.write("body", body)
        headers = self.shop.run("sign", "--secret-file", "listen.secret", "--json",
                                "body").json()["headers"]
        self.assertEqual(listening.post(body, headers)[0], 200)
        row = listening.next()
        self.assertEqual((row["total_count"], row["added"], row["bytes"] > 3_000_000),
                         (1000, 1000, True))
        self.assertEqual(row["events"][999]["id"], "e0999")

    def test_people_see_lines_that_a_stranger_cannot_break(self):
        self.shop.write("secret", SECRET)
        process = self.shop.start("listen", "--port", 0, "--secret-file", "secret")
        said = process.stderr.readline().decode()
        port = int(said.split("127.0.0.1:")[1].split("/")[0])
        body = envelope("e1")
        lines = [f"{name}: {value}" for name, value in self.signed(body).items()]
        head = ["POST /a\xc2\x9b31m\xff HTTP/1.0", f"Content-Length: {len(body)}", *lines]
        with socket.create_connection(("127.0.0.1", port), timeout=20) as wire:
            wire.sendall("\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body)
            self.assertIn(b" 200 ", wire.recv(4096))
        code, out, _ = stop(process)
        self.assertEqual(code, 0)
        self.assertRegex(out, r"^\d\d:\d\d:\d\d\.\d{3}  200  valid    POST /a31m\ufffd  1 event  "
                         rf"\d+ ms\n    e1  {EARNED}\n$")

    def test_standard_webhooks_and_a_new_secret(self):
        listening = self.listen("--scheme", "standard", secret=None)
        secret = listening.head["secret"]
        self.assertRegex(secret, "^whsec_")
        body = b'{"type":"invoice.paid","data":{"n":1}}'
        headers = self.signed(body, "--scheme", "standard", "--id", "msg_1", secret=secret)
        self.assertEqual(listening.post(body, headers)[0], 200)
        self.assertEqual(listening.next()["events"],
                         [{"id": "msg_1", "event_type": "invoice.paid"}])

    def test_on_luajit_too(self):
        self.shop.vm = "luajit"
        listening = self.listen()
        body = envelope("e1")
        self.assertEqual(listening.post(body, self.signed(body))[0], 200)
        self.assertEqual(listening.next()["added"], 1)
        self.assertEqual(listening.stop(signal.SIGINT), 130)


class Sources(Case):
    def test_a_configured_source_has_its_own_secrets(self):
        self.shop.write("shop.secret", "the secret of the shop\n")
        self.shop.write("loyalhook.lua", """return { sources = {
          shop = { secret_files = { "shop.secret" } },
          other = { secrets = { "another secret of 16+" } } } }""")
        listening = self.listen("--source", "shop", secret=None)
        self.assertEqual((listening.head["source"], listening.head["secret"]), ("shop", None))
        body = envelope("e1")
        headers = self.signed(body, secret="the secret of the shop")
        self.assertEqual(listening.post(body, headers)[0], 200)
        self.assertEqual(listening.next()["source"], "shop")
        said = self.shop.run("listen", "--json", expect=2).error()
        self.assertIn("choose one with --source", said["message"])
        said = self.shop.run("listen", "--source", "nobody", "--json", expect=3).error()
        self.assertIn("source 'nobody' is not configured", said["message"])

    def test_a_store_of_ones_own_keeps_what_came(self):
        self.shop.init()
        listening = self.listen("--store", "sqlite:loyalhook.db")
        body = envelope("e1")
        listening.post(body, self.signed(body))
        listening.next()
        listening.stop()
        rows = self.shop.run("inbox", "list", "--json").json()["events"]
        self.assertEqual([(row["id"], row["source"], row["state"]) for row in rows],
                         [("e1", "listen", "done")])
        self.shop.run("listen", "--store", "sqlite:none.db", "--secret-file", "listen.secret",
                      expect=3)


class Refuses(Case):
    """What was given wrong is said in one sentence of our own, before nginx starts."""

    def refused(self, expect, *options, command="listen"):
        self.shop.write("secret", SECRET)
        said = self.shop.run(command, *options, "--json", expect=expect).error()["message"]
        self.assertNotIn("nginx", said)
        self.assertNotIn("\n", said)
        self.assertEqual(self.left(), [])
        return said

    def test_ports_and_addresses(self):
        for command in ("listen", "serve"):
            for port in ("99999", "65536", "-1"):
                self.assertEqual(self.refused(2, "--port", port, command=command),
                                 f"--port: expected 0 to 65535, got {port}")
        for host in ("999.1.1.1", "1:::2", "1.2.3", "::1%lo", ""):
            self.assertEqual(self.refused(2, f"--host={host}", command="serve"),
                             f"--host: '{host}' is no IP address")

    def test_a_secret_of_the_other_scheme(self):
        said = self.refused(3, "--scheme", "standard", "--secret-file", "secret")
        self.assertRegex(said, "^the secret: .*whsec_")

    def test_where_to_forward(self):
        for url in ("ftp://x", "", "http://user:word@host/", "http://", "http://a b/"):
            said = self.refused(5, f"--forward={url}", "--secret-file", "secret")
            self.assertRegex(said, "^--forward: expected http://… or https://… without a user name")
            self.assertNotIn("user:word", said)

    def test_an_answer_by_script_has_no_space_at_its_end(self):
        listening = self.listen("--respond", "201")
        self.assertEqual(listening.post(b"{}", {}), (201, '{"script":"201"}'))


class Scripts(Case):
    """--respond against our own sender: what the script says is what the sender logs."""

    def sender(self, listening, **fields):
        self.shop.init()
        return self.shop.webhook("try", listening.url, event_types=(EARNED,), secret=SECRET,
                                 **fields)

    def emit(self, count=1):
        return self.shop.emit_lines([{"event_type": EARNED, "data": {"n": n}}
                                     for n in range(count)])["ids"]

    def work(self, until):
        """Lets a worker run until that is true."""
        worker = self.shop.start("work")
        wait_for(until, limit_s=60, what="the worker's work")
        self.assertEqual(stop(worker)[0], 0)

    def delivered(self):
        states = [row["state"] for row in self.shop.requests()]
        return states and set(states) == {"delivered"}

    def test_a_request_is_retried_until_the_script_takes_it(self):
        listening = self.listen("--respond", "500, 429/1, close, reset, 200")
        self.sender(listening, retry_interval_s=1, retries_max=5)
        [event] = self.emit()
        self.work(self.delivered)
        rows = [listening.next() for _ in range(5)]
        self.assertEqual([row["script"] for row in rows], ["500", "429/1", "close", "reset", None])
        self.assertEqual([row["status"] for row in rows], [500, 429, None, None, 200])
        self.assertEqual({row["verdict"] for row in rows}, {"valid"})
        self.assertEqual({row["events"][0]["id"] for row in rows}, {event})
        [request] = self.shop.requests()
        attempts = self.shop.request(request["request_id"])["attempts"]
        self.assertEqual([attempt["status"] for attempt in attempts], [500, 429, None, None, 200])
        self.assertEqual(rows[4]["added"], 1, "what was not answered 200 was not recorded")

    def test_time_outs_and_half_answers(self):
        listening = self.listen("--respond", "timeout, slow/30, half, slow/0")
        self.sender(listening, retry_interval_s=1, retries_max=5, timeout_ms=500)
        self.emit()
        self.work(self.delivered)
        # A 200 whose headers have come is a success: half of the body is only a log.
        rows = [listening.next() for _ in range(3)]
        self.assertEqual([(row["script"], row["status"]) for row in rows],
                         [("timeout", None), ("slow/30", None), ("half", 200)])
        [request] = self.shop.requests()
        attempts = self.shop.request(request["request_id"])["attempts"]
        self.assertEqual([attempt["status"] for attempt in attempts], [None, None, 200])
        self.assertIn("timed out", attempts[0]["error"])

    def test_a_webhook_is_paused_and_enabled_again(self):
        listening = self.listen("--respond", "410*2, 200")
        self.sender(listening, retries_max=0, pause_after=2, batch_size=1, max_in_flight=1)
        self.emit(3)
        self.work(lambda: self.shop.run("webhook", "show", "try", "--json").json()["status"]
                  == "paused")
        self.assertEqual([listening.next()["status"] for _ in range(2)], [410, 410])
        self.shop.run("webhook", "enable", "try")
        self.shop.run("retry", "--failed")
        self.work(self.delivered)
        self.assertEqual([listening.next()["status"] for _ in range(3)], [200, 200, 200])

    def test_a_wrong_script_is_refused(self):
        said = self.shop.run("listen", "--respond", "500,maybe", "--json", expect=5).error()
        self.assertIn("'maybe' is neither a status", said["message"])


class Forwards(Case):
    def target(self):
        """An endpoint of ours that keeps what it gets; down at first."""
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(handler):
                body = handler.rfile.read(int(handler.headers["Content-Length"]))
                self.got.append((handler.path, dict(handler.headers), body))
                handler.send_response(200)
                handler.end_headers()

            def log_message(handler, *_):
                pass
        self.got = []
        return http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)

    def test_a_target_that_is_down_at_first_gets_each_event_once_signed(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        listening = self.listen("--forward", f"http://127.0.0.1:{self.port}/hooks")
        body = envelope("e1", "e2")
        headers = self.signed(body)
        self.assertEqual(listening.post(body, headers)[0], 200)
        failed = self.forwarded(listening, 2)
        self.assertEqual({(one["attempt"], one["state"]) for one in failed}, {(1, "retrying")})
        self.assertIn("connect", failed[0]["error"].lower())
        server = self.target()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        done = self.forwarded(listening, 2, limit_s=60)
        self.assertEqual({(one["id"], one["attempt"], one["state"]) for one in done},
                         {("e1", 2, "done"), ("e2", 2, "done")})
        self.assertEqual(listening.post(body, headers)[0], 200) # nothing new
        self.assertEqual(self.next_request(listening)["duplicates"], 2)
        self.assertEqual(listening.stop(), 0)
        self.assertEqual(sorted(json.loads(body)["events"][0]["id"] for _, _, body in self.got),
                         ["e1", "e2"])
        for path, headers, body in self.got:
            self.assertEqual(path, "/hooks")
            names = {name.lower(): value for name, value in headers.items()}
            self.shop.run("verify", "--secret-file", "listen.secret", "--nonce", names["nonce"],
                          "--signature", names["x-zinrelo-signature"], stdin=body)

    def forwarded(self, listening, count, limit_s=30):
        rows = []
        while len(rows) < count:
            row = listening.next(limit_s)
            if "forwarded" in row:
                rows.append(row["forwarded"])
        return rows

    def next_request(self, listening):
        while True:
            row = listening.next()
            if "forwarded" not in row:
                return row


class Ends(Case):
    def test_a_signal_ends_nginx_too_and_answers_what_is_under_way(self):
        for how, code in ((signal.SIGTERM, 0), (signal.SIGINT, 130)):
            with self.subTest(how):
                listening = self.listen()
                pids = listening.nginx()
                self.assertGreaterEqual(len(pids), 2)
                body = envelope("e1")
                wire = begin_request(listening.port, "/hook", self.signed(body), body)
                listening.process.send_signal(how)
                wire.sendall(body)
                self.assertIn(b" 200 ", wire.recv(4096))
                wire.close()
                self.assertEqual(listening.process.wait(60), code)
                self.assertEqual(listening.next()["status"], 200, "its line is not lost")
                wait_for(lambda: not any(map(alive, pids)), what="nginx's end")
                self.assertEqual(self.left(), [])

    def test_a_signal_while_it_starts_leaves_nothing_behind(self):
        real = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
        stages = {"-V": "exit 1", "-p": f"exec {real} -V"} # hangs at that one
        for stage, other in stages.items():
            self.shop.write("hung", f"""#!/bin/sh
                [ "$1" = {stage} ] || {other}
                echo $$ > began
                exec sleep 600""")
            os.chmod(self.shop.path("hung"), 0o755)
            for command in ("listen", "serve"):
                for how, code in ((signal.SIGTERM, 0), (signal.SIGINT, 130)):
                    with self.subTest((stage, command, how)):
                        self.start_hung(command, how, code)

    def start_hung(self, command, how, code):
        began = self.shop.path("began")
        if os.path.exists(began):
            os.remove(began)
        self.shop.run("init", expect=None)
        self.shop.write("loyalhook.lua",
                        'return { sources = { shop = { secrets = { "one of 16 or more" } } } }')
        process = self.shop.start(command, "--port", 0, LOYALHOOK_NGINX=self.shop.path("hung"))
        wait_for(lambda: os.path.exists(began), what="its nginx")
        process.send_signal(how)
        _, said = process.communicate(timeout=60)
        self.assertEqual((process.returncode, said), (code, b""))
        self.assertEqual(self.left(), [])

    def test_a_kill_leaves_no_nginx_behind(self):
        listening = self.listen()
        pids = listening.nginx()
        self.assertGreaterEqual(len(pids), 2)
        listening.process.kill()
        listening.process.wait()
        wait_for(lambda: not any(map(alive, pids)), limit_s=60, what="nginx's end")

    def test_what_a_killed_one_has_left_goes_with_a_later_run(self):
        listening = self.listen()
        pids, left = listening.nginx(), self.left()
        listening.process.kill()
        listening.process.wait()
        wait_for(lambda: not any(map(alive, pids)), limit_s=60, what="nginx's end")
        self.assertEqual(self.left(), left)
        others = self.folders_that_are_not_left()
        living = self.listen()
        kept = sorted(set(self.left()) - set(left) - set(others))
        self.make_old(*left, *kept, others[0])
        self.assertEqual(self.listen().stop(), 0)
        self.assertEqual(sorted(self.left()), sorted(others + kept))
        self.assertEqual(living.stop(), 0)
        self.assertEqual(os.listdir(self.shop.path("mine")), ["file"])

    def folders_that_are_not_left(self):
        """A locked one, a young one, a link to a folder, a file, and one of another name."""
        names = ["loyalhook-run." + end
                 for end in ("locked", "young0", "link00", "file00", "longer0")]
        locked, young, link, file, longer = (
            os.path.join(self.temporary.folder, name) for name in names)
        for path in (locked, young, longer, self.shop.path("mine")):
            os.mkdir(path)
        lock = os.open(locked, os.O_RDONLY)
        self.addCleanup(os.close, lock)
        fcntl.flock(lock, fcntl.LOCK_EX)
        self.shop.write("mine/file", "")
        os.symlink(self.shop.path("mine"), link)
        self.make_old(longer, self.shop.path("mine"))
        with open(file, "w"):
            pass
        self.make_old(file)
        return names

    def make_old(self, *paths):
        for path in paths:
            os.utime(os.path.join(self.temporary.folder, path), (1, 1))

    def test_it_ends_when_nginx_does(self):
        listening = self.listen()
        pids = listening.nginx()
        os.kill(int(pids[0]), signal.SIGKILL)
        self.assertEqual(listening.process.wait(60), 1)
        error = json.loads(listening.process.stderr.read().decode().splitlines()[-1])["error"]
        self.assertIn("nginx was ended by signal 9", error["message"])
        wait_for(lambda: not any(map(alive, pids)), what="the end of nginx's workers")
        self.assertEqual(self.left(), [])

    def test_a_taken_port_is_said(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            said = self.shop.run("listen", "--port", port, "--json", expect=5).error()
        self.assertEqual(said["message"], f"port {port} is taken: choose another one with --port,"
                         " or --port 0 for a free one")
        self.assertEqual(self.left(), [])

    def test_without_nginx_it_says_what_to_install(self):
        said = self.shop.run("listen", "--json", expect=3, LOYALHOOK_NGINX="/no/nginx").error()
        self.assertEqual(said, {"code": "config", "message": "nginx: no program /no/nginx"})

    def test_folders_and_paths_with_odd_names(self):
        odd = self.shop.path("it's $HOME {a} \"b\"")
        os.mkdir(odd)
        shop = Workshop(folder=odd, TMPDIR=odd)
        self.addCleanup(shop.close)
        listening = Listening(shop)
        self.addCleanup(shop.close)
        body = envelope("e1")
        self.assertEqual(listening.post(body, self.signed(body))[0], 200)
        self.assertEqual(listening.next()["added"], 1)
        self.assertEqual(listening.stop(), 0)

    def test_the_secret_is_in_no_command_line_and_in_nobody_elses_reach(self):
        listening = self.listen()
        pids = [str(listening.process.pid), *listening.nginx()]
        for pid in pids:
            for name in ("cmdline", "environ"):
                with open(f"/proc/{pid}/{name}", "rb") as file:
                    self.assertNotIn(SECRET.encode(), file.read())
        [folder] = self.left()
        mode = os.stat(os.path.join(self.temporary.folder, folder)).st_mode
        self.assertEqual(mode & 0o777, 0o700)


if __name__ == "__main__":
    unittest.main()
