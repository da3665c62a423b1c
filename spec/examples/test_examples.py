"""Every example runs, offline, on both VMs, and shows what its text says."""

import os
import re
import signal
import subprocess
import unittest
import urllib.request

from cli import TOP, VMS, Workshop, wait_for
from example import EXAMPLES, Web
from nginx import free_port

BUILD = os.path.join(TOP, os.environ.get("BUILD", "build"))


def run(vm, name, shop, limit_s=60, **environment):
    """Runs an example as its README says: with the paths that `make env` prints."""
    path = f"{TOP}/lua/?.lua;{TOP}/lua/?/init.lua;;"
    cpath = f"{BUILD}/{vm}/?.so;;"
    done = subprocess.run([VMS[vm], os.path.join(EXAMPLES, name)], cwd=shop.folder, timeout=limit_s,
                          capture_output=True, text=True,
                          env={**shop.environment, "LUA_PATH": path, "LUA_PATH_5_4": path,
                               "LUA_CPATH": cpath, "LUA_CPATH_5_4": cpath, **environment})
    if done.returncode != 0:
        raise AssertionError(done.stdout + done.stderr)
    return done.stdout


class Examples(unittest.TestCase):
    def setUp(self):
        self.shop = Workshop()
        self.addCleanup(self.shop.close)

    def test_events_travel_from_01_over_02_to_04(self):
        for vm in VMS:
            with self.subTest(vm), Workshop() as shop, Web() as web:
                said = run(vm, "01-emit.lua", shop, EXAMPLE_URL=web.url)
                ids = re.findall(r"is ([0-9a-f]{24})", said)
                self.assertEqual(len(set(ids)), 1, "the same order twice is one event")
                self.assertIn("10 enrolments accepted", said)
                self.assertIn("transaction_info.award_info.points", said)
                self.assertIn('did you mean "event_points_earned"', said)
                said = run(vm, "02-worker.lua", shop)
                self.assertRegex(said, r"attempt 1, 12 events: delivered")
                received = web.inbox(shop)
                self.assertEqual(received.count("event_member_enrol"), 10)
                self.assertEqual(len(received), 12)
                self.assertNotIn("[error]", web.stop())

    def test_02_tries_again_while_nobody_listens(self):
        port = free_port()
        run("lua5.4", "01-emit.lua", self.shop, EXAMPLE_URL=f"http://127.0.0.1:{port}/")
        with self.assertRaises(subprocess.TimeoutExpired):
            run("lua5.4", "02-worker.lua", self.shop, limit_s=5)
        rows = self.shop.requests("--store", "sqlite:example.db")
        self.assertEqual(len(rows), 1)
        self.assertGreaterEqual(rows[0]["attempts_made"], 2)

    def test_01_runs_twice_on_one_store(self):
        run("lua5.4", "01-emit.lua", self.shop)
        self.assertIn("the webhook is there already", run("luajit", "01-emit.lua", self.shop))

    def test_03_says_why_each_is_refused(self):
        for vm in VMS:
            with self.subTest(vm):
                said = run(vm, "03-verify.lua", self.shop)
                for line in (r"as it came +valid", r"one byte more +signature_mismatch",
                             r"without its nonce +header_missing", r"an hour later +too_old",
                             r"another secret +signature_mismatch"):
                    self.assertRegex(said, line)

    def test_04_takes_each_event_once_and_refuses_what_is_not_signed(self):
        with Web() as web:
            self.shop.write("secret", "example-secret-of-16+")
            answer = self.shop.run("trigger", "event_points_earned", "--url", web.url,
                                   "--secret-file", "secret", "--json").json()
            self.assertEqual(answer["status"], 200)
            self.shop.write("other", "another secret of 16+")
            answer = self.shop.run("trigger", "event_points_earned", "--url", web.url,
                                   "--secret-file", "other", "--json", expect=1).json()
            self.assertEqual(answer["status"], 401)
            self.assertIn('"unauthorized"', answer["response"])
            body = b'{"request_id":"0","events":[{"id":"e1","event_type":"t","data":{}}]}'
            for _ in range(2):
                signed = self.shop.run("sign", "--secret-file", "secret", "--json",
                                       stdin=body).json()
                request = urllib.request.Request(web.url, body, signed["headers"])
                with urllib.request.urlopen(request, timeout=10) as got:
                    self.assertEqual(got.status, 200)
            self.assertEqual(web.inbox(self.shop), ["t", "event_points_earned"])

    def test_04_takes_a_batch_that_does_not_fit_nginx_defaults(self):
        with Web() as web:
            self.shop.write("secret", "example-secret-of-16+")
            body = b'{"events":[{"id":"e1","event_type":"t","data":{"a":"%s"}}]}' % (b"x" * 900_000)
            self.shop.write("body", body)
            signed = self.shop.run("sign", "--secret-file", "secret", "--json", "body").json()
            request = urllib.request.Request(web.url, body, signed["headers"])
            with urllib.request.urlopen(request, timeout=10) as got:
                self.assertEqual(got.status, 200)

    def test_04_survives_a_reload_and_runs_with_more_workers(self):
        with open(os.path.join(EXAMPLES, "04-nginx", "nginx.conf")) as file:
            self.assertIn("worker_processes 2;", file.read())
        with Web() as web:
            prefix = os.path.dirname(web.store.removeprefix("sqlite:"))
            with open(os.path.join(prefix, "nginx.conf")) as file:
                text = file.read().replace("worker_processes 2;", "worker_processes 4;")
            with open(os.path.join(prefix, "nginx.conf"), "w") as file:
                file.write(text)
            with open(os.path.join(prefix, "nginx.pid")) as file:
                master = int(file.read())
            os.kill(master, signal.SIGHUP)

            def children():
                with open(f"/proc/{master}/task/{master}/children") as file:
                    return len(file.read().split())
            wait_for(lambda: children() == 4, what="four workers")
            self.shop.write("secret", "example-secret-of-16+")
            for _ in range(8):
                answer = self.shop.run("trigger", "event_points_earned", "--url", web.url,
                                       "--secret-file", "secret", "--json").json()
                self.assertEqual(answer["status"], 200)
            self.assertEqual(len(web.inbox(self.shop)), 8)

    def test_05_runs_a_handler_on_what_was_received(self):
        for vm in VMS:
            with self.subTest(vm), Workshop() as shop:
                said = run(vm, "05-handler/run.lua", shop)
                for line in (r'received\t200\t{"events":3,"added":3}',
                             r'again\t200\t{"events":3,"added":0}',
                             r"task\tledger\te1\tdone", r"task\tledger\te2\tdone",
                             r"task\tledger\te3\tfailed\tthe event has no points",
                             r"inbox\te1\tevent_points_earned\tdone"):
                    self.assertRegex(said, line)
                with open(shop.path("ledger.csv"), encoding="utf-8") as file:
                    self.assertEqual(file.read(), "e1.zinrelo.ledger,m-1,event_points_earned,360\n"
                                     "e2.zinrelo.ledger,m-1,event_points_redeemed,-100\n")

    def test_05_is_what_the_worker_command_runs(self):
        folder = os.path.join(EXAMPLES, "05-handler")
        self.shop.run("init", "--store", "sqlite:inbox.db")
        said = self.shop.run("work", "--role", "handle", "--until-idle", "--store",
                             f"sqlite:{self.shop.path('inbox.db')}", "--config",
                             os.path.join(folder, "loyalhook.lua")).err
        self.assertIn("idle: tasks done 0", said)


if __name__ == "__main__":
    unittest.main()
