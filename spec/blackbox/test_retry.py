"""Manual retry from the command line: what each id is told, and a retry of many that loses its
command and then a worker to kill -9, while emitting goes on.

LOYALHOOK_RETRIED (20000) is how many failed requests there are.
"""

import base64
import collections
import contextlib
import fcntl
import os
import re
import signal
import sqlite3
import subprocess
import unittest

from cli import VMS, Workshop, lua_environment, stop, wait_for
from emitter import Emitter
from endpoint import Endpoint

RETRIED = int(os.environ.get("LOYALHOOK_RETRIED", "20000"))
STEP_ROWS = 1000
NOWHERE = "http://127.0.0.1:9/hook"
EARNED, ENROL = "event_points_earned", "event_member_enrol"
JOB = ["id", "account", "webhook_id", "since", "until", "reason", "created_at", "total",
       "retried", "left_over", "finished_at"]
UNKNOWN = "61f11851bdfb9aac526d0c70"
REQUEST_ID = re.compile(rb'\{"request_id":"([0-9a-f]{24})"')


class Case(unittest.TestCase):
    def setUp(self):
        self.shop = Workshop()
        self.addCleanup(self.shop.close)
        self.shop.init()

    def make_failed(self, count, name="crm", url=NOWHERE, **fields):
        """Requests of one event each that failed without an attempt; the webhook is enabled."""
        webhook = self.shop.webhook(name, url, event_types=(ENROL,), batch_size=1, **fields)
        self.shop.emit_lines([{"event_type": ENROL, "data": {"n": n}} for n in range(count)])
        self.shop.run("webhook", "disable", name)
        self.shop.work_until_idle()
        self.shop.run("webhook", "enable", name)
        return webhook

    def failed(self):
        return [row["request_id"] for row in self.shop.requests("--state", "failed")]

    def read(self, query):
        path = self.shop.path("loyalhook.db")
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            return database.execute(query).fetchall()

    def job(self):
        """(total, retried, finished) of the newest job, or None."""
        rows = self.read("SELECT total, retried, finished_ms IS NOT NULL FROM jobs"
                         " ORDER BY job DESC LIMIT 1")
        return rows[0] if rows else None

    @contextlib.contextmanager
    def store_held(self, when):
        """Nobody writes in here; `when` is true. Steps of a job leave room between them."""
        with open(self.shop.path("loyalhook.db.lock"), "rb+") as file:
            def caught():
                fcntl.flock(file, fcntl.LOCK_EX)
                if when():
                    return True
                fcntl.flock(file, fcntl.LOCK_UN)
                return False
            wait_for(caught, what="the store between two steps")
            yield


class Chosen(Case):
    def test_each_id_has_its_outcome_and_the_worst_is_the_exit_code(self):
        self.make_failed(3)
        first, second, third = self.failed()
        answer = self.shop.run("retry", first, "--json")
        self.assertEqual(answer.json(), {"requests": [{"request_id": first,
                                                       "outcome": "retried"}]})
        again = self.shop.run("request", "retry", first, first, "--json").json()["requests"]
        self.assertEqual(again, [{"request_id": first, "outcome": "not_failed"}])
        mixed = self.shop.run("retry", UNKNOWN, second, UNKNOWN, "--json", expect=4).json()
        self.assertEqual([(row["request_id"], row["outcome"]) for row in mixed["requests"]],
                         [(UNKNOWN, "unknown"), (second, "retried")])
        webhook = self.shop.run("webhook", "disable", "crm", "--json").json()
        refused = self.shop.run("retry", UNKNOWN, third, "--json", expect=5).json()["requests"][1]
        self.assertEqual(refused["outcome"], "refused")
        self.assertIn(f"enable it first (loyalhook webhook enable {webhook['id']})",
                      refused["message"])
        shown = self.shop.run("retry", third, expect=5)
        self.assertRegex(shown.out, rf"^REQUEST +OUTCOME +WHY\n{third} +refused +webhook 'crm' is")
        self.assertEqual(self.failed(), [third])

    def test_the_command_that_a_refusal_names_is_the_cure(self):
        self.make_failed(1)
        self.shop.run("webhook", "disable", "crm")
        request = self.failed()[0]
        message = self.shop.run("retry", request, "--json", expect=5).json()["requests"][0]
        command = re.search(r"\(loyalhook (.*)\)", message["message"]).group(1)
        self.shop.run(*command.split())
        self.shop.run("retry", request)

    def test_more_ids_than_fit_one_transaction(self):
        ids = ["%024x" % number for number in range(1, 2 * STEP_ROWS + 2)]
        answer = self.shop.run("retry", *ids, "--json", expect=4)
        self.assertEqual([row["request_id"] for row in answer.json()["requests"]], ids)

    def test_what_is_no_id_or_no_command_changes_nothing(self):
        self.make_failed(1)
        request = self.failed()[0]
        for bad in ("x", request.upper(), request + "0"):
            answer = self.shop.run("retry", request, bad, "--json", expect=5)
            self.assertEqual(answer.out, "")
            self.assertEqual(answer.error()["code"], "invalid")
        for words in ([], [request, "--failed"], [request, "--dry-run"], [request, "--since", "2h"],
                      ["--webhook", "crm"], [request, "--webhook", "crm"]):
            self.shop.run("retry", *words, expect=2)
        self.assertEqual(self.failed(), [request])

    def test_attempt_numbers_go_on(self):
        with Endpoint() as endpoint:
            endpoint.script("/hook", [500, 500, 500, 200])
            self.shop.webhook("crm", endpoint.url("/hook"), retries_max=1, retry_interval_s=1,
                              pause_after=0)
            self.shop.run("emit", EARNED, "--data", "{}")
            worker = self.shop.start("work")
            wait_for(self.failed, what="the request failed")
            before = self.shop.requests()[0]
            self.shop.run("retry", before["request_id"])
            wait_for(lambda: self.shop.requests()[0]["state"] == "delivered", what="delivered")
            self.assertEqual(stop(worker)[0], 0)
            after = self.shop.request(before["request_id"])
            self.assertEqual([row["number"] for row in after["attempts"]], [1, 2, 3, 4])
            self.assertEqual([row["status"] for row in after["attempts"]], [500, 500, 500, 200])
            for name in ("event_ids", "created_at", "total_count"):
                self.assertEqual(after[name], before[name])
            self.assertEqual(len({entry["sha256"] for entry in endpoint.requests()}), 1)


class Failed(Case):
    def test_counts_and_retries_what_the_list_shows(self):
        webhook = self.make_failed(3)
        self.make_failed(2, "wallet", "http://127.0.0.1:9/wallet")
        for words in ([], ["--webhook", "crm"], ["--webhook", webhook["id"]],
                      ["--since", "1h"], ["--since", "2099-01-01"], ["--account", "default"],
                      ["--account", "nobody"]):
            shown = self.shop.requests("--state", "failed", *words)
            told = self.shop.run("retry", "--failed", "--dry-run", *words, "--json").json()
            self.assertEqual(told, {"dry_run": True, "total": len(shown)}, words)
        self.assertEqual(self.shop.run("retry", "--failed", "--dry-run").out,
                         "failed requests: 5\n")
        self.assertEqual(len(self.failed()), 5)
        job = self.shop.run("retry", "--failed", "--webhook", "crm", "--json").json()
        self.assertEqual(list(job), JOB)
        self.assertEqual((job["webhook_id"], job["total"], job["retried"], job["left_over"]),
                         (webhook["id"], 3, 3, 0))
        self.assertEqual(len(self.failed()), 2)
        self.assertRegex(self.shop.run("request", "retry", "--failed").out,
                         r"^job +[0-9a-f]{24}\ntotal +2\nretried +2\nleft over +0\n$")
        self.assertEqual(self.shop.run("retry", "--failed", "--json").json()["total"], 0)

    def test_what_is_not_enabled_is_refused_by_name_and_left_over_else(self):
        self.make_failed(2)
        self.shop.run("webhook", "disable", "crm")
        told = self.shop.run("retry", "--failed", "--webhook", "crm", "--json", expect=5).error()
        self.assertEqual(told["code"], "refused")
        self.assertIn("enable it first", told["message"])
        self.assertEqual(self.shop.run("retry", "--failed", "--json").json()["left_over"], 2)
        shown = self.shop.run("retry", "--failed")
        self.assertEqual(shown.err, "left over: their webhook is not enabled\n")
        self.shop.run("retry", "--failed", "--webhook", "nobody", expect=4)
        self.shop.run("retry", "--failed", "--since", "soon", expect=5)
        self.assertEqual(len(self.failed()), 2)

    def test_until_idle_waits_for_a_job(self):
        with Endpoint() as endpoint:
            endpoint.script("/hook", [200])
            self.make_failed(1, url=endpoint.url("/hook"))
            program = """
              local sender = assert(require("loyalhook.sender").open{ store = "loyalhook.db" })
              assert(sender:retry_failed())"""
            subprocess.run([VMS["lua5.4"], "-e", program], check=True, cwd=self.shop.folder,
                           env={**os.environ, **lua_environment("lua5.4")})
            self.shop.work_until_idle()
            self.assertEqual(self.shop.requests()[0]["state"], "delivered")

    def test_progress_is_drawn_on_a_terminal(self):
        self.make_failed(3)
        code, shown = self.shop.on_terminal("retry", "--failed")
        self.assertEqual(code, 0)
        bar, wiped, rest = shown.rpartition("\r\x1b[K")
        self.assertRegex(bar, r"\d+ requests, \d+/s$")
        self.assertRegex(rest, r"^job .*\r\ntotal +3\r\nretried +3")


class Many(Case):
    """A retry of many that is ended on its way."""

    def half_way(self, beyond=0):
        job = self.job()
        return job and beyond < job[1] < job[0]

    def test_interrupted_it_is_left_to_the_workers(self):
        self.make_failed(5 * STEP_ROWS)
        process = self.shop.start("retry", "--failed")
        with self.store_held(self.half_way):
            process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)
        self.assertRegex(err.decode(), r"^job [0-9a-f]{24} is stored: a worker goes on with it\n"
                                       r"loyalhook: interrupted\n$")
        self.assertFalse(self.job()[2])
        worker = self.shop.start("work")
        wait_for(lambda: self.job()[2], what="the job is over")
        stop(worker)
        self.assertEqual(self.job()[1], 5 * STEP_ROWS)

    def test_killed_twice_nothing_is_lost_and_nothing_doubled(self):
        endpoint = Endpoint().start()
        self.addCleanup(endpoint.stop)
        for path in ("/crm", "/other"):
            endpoint.script(path, [200])
        crm = self.make_failed(RETRIED, url=endpoint.url("/crm"), max_in_flight=32, pause_after=0)
        self.shop.webhook("other", endpoint.url("/other"), event_types=(EARNED,), pause_after=0)
        emitter = Emitter(self.shop, "e")
        said = self.kill_the_command(emitter)
        self.kill_a_worker()
        worker = self.shop.start("work")
        wait_for(lambda: self.job()[2], 120, "the job is over")
        self.assertGreater(len(emitter.ids()), said)  # emitting went on all the while
        self.assertEqual(emitter.complaint(), "")
        emitter.process.kill()
        emitter.process.wait()
        wait_for(lambda: self.read("SELECT count(*) FROM requests WHERE state <> 3"
                                   " AND webhook = 1") == [(0,)], 600, "all are delivered")
        self.shop.work_until_idle()
        self.assertEqual(stop(worker)[0], 0)
        self.assertEqual(self.job(), (RETRIED, RETRIED, 1))
        self.check(endpoint, crm)

    def kill_the_command(self, emitter):
        command = self.shop.start("retry", "--failed", "--webhook", "crm")
        with self.store_held(self.half_way):
            command.kill()
            command.communicate()
            steps = self.read("SELECT count(*) FROM requests WHERE state = 2"
                              " GROUP BY next_attempt_ms")
            said = len(emitter.ids())
        # No transaction took more: a step gives all it retries the same time.
        self.assertLessEqual(max(count for count, in steps), STEP_ROWS)
        return said

    def kill_a_worker(self):
        before = self.job()[1]
        worker = self.shop.start("work")
        with self.store_held(lambda: self.half_way(before)):
            worker.kill()
            worker.communicate()

    def check(self, endpoint, crm):
        """Each was delivered by exactly one attempt; others only for an attempt that was lost."""
        sent = collections.Counter(
            REQUEST_ID.match(base64.b64decode(entry["body"])).group(1).decode()
            for entry in endpoint.requests("/crm"))
        rows = self.read("SELECT lower(hex(r.request_id)), r.state, r.attempts_made,"
                         " count(a.number), sum(a.status = 200), sum(a.outcome = 8),"
                         " min(a.number), max(a.number)"
                         " FROM requests r LEFT JOIN attempts a ON a.request = r.request"
                         " WHERE r.webhook = (SELECT webhook FROM webhooks WHERE"
                         f" lower(hex(id)) = '{crm['id']}') GROUP BY r.request")
        self.assertEqual(len(rows), RETRIED)
        for name, state, made, logged, good, lost, first, last in rows:
            self.assertEqual((state, good, first, last, logged), (3, 1, 1, made, made), name)
            self.assertEqual(made, 1 + lost, name)
            self.assertTrue(1 <= sent[name] <= made, name)
        self.assertEqual(len(sent), RETRIED)
        events = self.read("SELECT count(*) FROM requests WHERE state <> 3")
        self.assertEqual(events, [(0,)])


if __name__ == "__main__":
    unittest.main(verbosity=2)
