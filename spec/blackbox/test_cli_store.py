"""The command line on a store: init, webhooks, emit, work, the log, stats, doctor, backup, and what
must be refused without a trace. What happens on the wire is test_delivery's business.
"""

import base64
import hashlib
import json
import os
import pathlib
import pty
import shutil
import signal
import sqlite3
import stat
import subprocess
import time
import unittest

from cli import Workshop, stop, wait_for
from endpoint import Endpoint
from handling import accept, handler

WEBHOOK = ["id", "account", "name", "url", "status", "status_reason", "status_since",
           "event_types", "batch_size", "batch_bytes_max", "batch_wait_ms", "retries_max",
           "retry_interval_s", "retry_schedule", "pause_after", "failed_in_a_row", "timeout_ms",
           "max_in_flight", "ordered", "success", "scheme", "headers", "created_at", "updated_at",
           "revision"]
REQUEST = ["request_id", "webhook_id", "state", "reason", "total_count", "event_ids",
           "attempts_made", "next_attempt_at", "created_at", "finished_at"]
ATTEMPT = ["number", "started_at", "duration_ms", "status", "error", "url", "nonce", "sent",
           "headers", "response"]
TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"
EARNED = "event_points_earned"
DATA = '{"member_info":{"member_id":"m-1"}}'
URL = "http://127.0.0.1:9/hook"
# Commands that need a store; with what they are asked here.
ON_A_STORE = [["webhook", "list"], ["webhook", "show", "x"], ["emit", EARNED, "--data", DATA],
              ["work", "--until-idle"], ["request", "list"], ["stats"], ["backup", "copy.db"],
              ["webhook", "create", "--name", "n", "--url", URL, "--event-type", "*"],
              ["emit", "--ndjson", "-"], ["request", "show", "61f11851bdfb9aac526d0c70"],
              ["explain", "61f11851bdfb9aac526d0c70"]]


class Case(unittest.TestCase):
    vm = "lua5.4"
    with_store = True

    def setUp(self):
        self.shop = Workshop(vm=self.vm)
        self.addCleanup(self.shop.close)
        self.run_cli = self.shop.run
        if self.with_store:
            self.shop.init()

    def create(self, name="crm", url=URL, *words, expect=0, **more):
        return self.run_cli("webhook", "create", "--name", name, "--url", url, "--event-type", "*",
                            "--json", *words, expect=expect, **more)

    def events(self):
        return self.run_cli("stats", "--json").json()["events"]

    def refused(self, *words, code=5, error=None, names="", **more):
        """Runs a command that must be refused: one clear line, nothing on stdout, the code."""
        answer = self.run_cli(*words, expect=code, **more)
        self.assertEqual(answer.out, "")
        self.assertRegex(answer.err, r"^loyalhook: .+\n$")
        self.assertIn(names, answer.err)
        told = self.run_cli(*words, "--json", expect=code, **more).error()
        self.assertEqual(set(told), {"code", "message"})
        if error:
            self.assertEqual(told["code"], error)
        return answer


class Init(Case):
    with_store = False

    def test_makes_store_key_and_configuration_for_the_owner_alone(self):
        document = self.run_cli("init", "--json").json()
        self.assertEqual(document, {"store": "sqlite:loyalhook.db", "key_file": "loyalhook.db.key",
                                    "config": "loyalhook.lua", "config_written": True})
        for name in ("loyalhook.db", "loyalhook.db.key"):
            self.assertEqual(stat.S_IMODE(os.stat(self.shop.path(name)).st_mode), 0o600)
        with open(self.shop.path("loyalhook.lua")) as file:
            self.assertIn("allow_http", file.read())
        self.run_cli("doctor")

    def test_twice_changes_nothing(self):
        self.shop.init()
        self.create()
        before = self.run_cli("webhook", "list", "--json").out
        self.refused("init", error="store_exists")
        self.assertEqual(self.run_cli("webhook", "list", "--json").out, before)

    def test_a_refused_init_leaves_no_trace(self):
        os.mkdir(self.shop.path("folder"))
        for words in (["--store", "nowhere/x.db"], ["--store", "folder"],
                      ["--config", "nowhere/loyalhook.lua"]):
            answer = self.run_cli("init", *words, expect=None)
            self.assertNotEqual(answer.code, 0, words)
            self.assertRegex(answer.err, r"^loyalhook: .+\n$")
            self.assertEqual(os.listdir(self.shop.folder), ["folder"], words)

    def test_an_existing_configuration_stays_and_is_obeyed(self):
        text = "return { store = 'sqlite:mine.db' }\n"
        self.shop.write("loyalhook.lua", text)
        self.assertFalse(self.run_cli("init", "--json").json()["config_written"])
        with open(self.shop.path("loyalhook.lua")) as file:
            self.assertEqual(file.read(), text)
        self.assertTrue(os.path.exists(self.shop.path("mine.db")))
        self.assertFalse(os.path.exists(self.shop.path("loyalhook.db")))

    def test_dev_allows_http_and_loopback_and_the_default_does_not(self):
        closed = {"LOYALHOOK_ALLOW_HTTP": "", "LOYALHOOK_ALLOW_NETWORKS": ""}
        self.run_cli("init")
        self.refused("webhook", "create", "--name", "n", "--url", "http://example.com/",
                     "--event-type", "*", names="allow_http", error="invalid", **closed)
        self.refused("webhook", "create", "--name", "n", "--url", "https://127.0.0.1/",
                     "--event-type", "*", names="allow_networks", error="invalid", **closed)
        with Workshop(**closed) as shop:
            shop.run("init", "--dev")
            shop.webhook("n", URL)

    def test_flag_beats_environment_beats_file_beats_default(self):
        self.shop.write("loyalhook.lua", "return { store = 'sqlite:file.db' }")
        for words, environment, name in (
                ([], {}, "file.db"), ([], {"LOYALHOOK_STORE": "sqlite:env.db"}, "env.db"),
                (["--store", "sqlite:flag.db"], {"LOYALHOOK_STORE": "sqlite:env.db"}, "flag.db")):
            self.run_cli("init", *words, **environment)
            self.assertTrue(os.path.exists(self.shop.path(name)))
        self.shop.write("other.lua", "return { store = 'sqlite:flag.db' }")
        self.assertEqual(self.run_cli("stats", "--config", "other.lua", "--json").json()["events"],
                         0)


class Configuration(Case):
    def test_a_wrong_one_is_refused_with_its_place(self):
        for text, wanted in (("return {", "loyalhook.lua"), ("return 7", "table"),
                             ("return { stor = 'x' }", "store"),
                             ("return { concurrency = 0 }", "concurrency"),
                             ("return { allow_http = 'perhaps' }", "allow_http"),
                             ("os.exit(0)", "loyalhook.lua"), ("\x1bLua", "loyalhook.lua"),
                             ("while true do end", "ever end")):
            self.shop.write("loyalhook.lua", text)
            self.refused("stats", code=3, error="config", names=wanted)
        self.refused("stats", "--config", "nowhere.lua", code=3, names="nowhere.lua")
        os.remove(self.shop.path("loyalhook.lua"))
        self.refused("stats", code=3, names="LOYALHOOK_CONCURRENCY", LOYALHOOK_CONCURRENCY="many")


class Webhooks(Case):
    def test_has_exactly_the_pinned_fields_and_its_secret_once(self):
        created = self.create().json()
        self.assertEqual(list(created), WEBHOOK + ["secret"])
        self.assertRegex(created["secret"], r"^whsec_[A-Za-z0-9+/]{43}=$")
        self.assertRegex(created["created_at"], TIME)
        self.assertEqual((created["status"], created["status_reason"], created["retry_schedule"]),
                         ("enabled", None, None))
        defaults = {"batch_size": 100, "retries_max": 5, "retry_interval_s": 300, "pause_after": 5,
                    "timeout_ms": 30000, "max_in_flight": 4, "ordered": False, "scheme": "zinrelo",
                    "failed_in_a_row": 0, "batch_wait_ms": 0, "account": "default"}
        self.assertEqual({name: created[name] for name in defaults}, defaults)
        for words in (["webhook", "show", "crm"], ["webhook", "show", created["id"]],
                      ["webhook", "list"]):
            answer = self.run_cli(*words, "--json")
            self.assertNotIn(created["secret"], answer.out)
            self.assertNotIn(created["secret"], self.run_cli(*words).out)
        del created["secret"]
        self.assertEqual(self.run_cli("webhook", "list", "--json").json(), {"webhooks": [created]})
        self.assertEqual(self.run_cli("webhook", "show", "crm", "--json").json(), created)

    def test_takes_every_option(self):
        given = {"batch_size": 7, "batch_bytes_max": 5000, "batch_wait_ms": 20, "retries_max": 0,
                 "retry_interval_s": 1, "pause_after": 0, "timeout_ms": 100, "max_in_flight": 1}
        words = [word for name, value in given.items()
                 for word in ("--" + name.replace("_", "-"), str(value))]
        created = self.create("a", URL, *words, "--account", "shop-7", "--header", "X-Token: a: b",
                              "--event-type", "category:member, event_points_earned").json()
        self.assertEqual({name: created[name] for name in given}, given)
        self.assertEqual(created["account"], "shop-7")
        self.assertEqual(created["headers"], {"X-Token": "a: b"})
        self.assertEqual(created["event_types"], ["*", "category:member", EARNED])

    def test_a_secret_of_ones_own(self):
        words = ["webhook", "create", "--event-type", "*", "--secret-stdin"]
        for name, secret in (("a", b"0123456789abcdef"), ("b", b"with a newline at its end\n")):
            answer = self.run_cli(*words, "--name", name, "--url", URL + name, stdin=secret)
            self.assertNotIn(secret.decode().strip(), answer.out + answer.err)
        for secret, extra in ((b"fifteen bytes..", []), (b"", []), (b"\xff" * 16, []),
                              (b"0123456789abcdef", ["--scheme", "standard"])):
            self.refused(*words, "--name", "c", "--url", URL + "c", *extra, stdin=secret)
        self.refused("webhook", "create", "--event-type", "*", "--name", "c", "--url", URL + "c",
                     "--secret-file", "nowhere", code=4, names="nowhere")
        self.assertEqual(len(self.run_cli("webhook", "list", "--json").json()["webhooks"]), 2)

    def test_bad_values_are_refused_by_name_and_leave_no_trace(self):
        for words, names in (
                (["--batch-size", "0"], "batch_size"), (["--batch-size", "1001"], "batch_size"),
                (["--retries-max", "101"], "retries_max"), (["--retries-max", "-1"], "retries_max"),
                (["--retry-interval-s", "0"], "retry_interval_s"),
                (["--retry-interval-s", "86401"], "retry_interval_s"),
                (["--pause-after", "1001"], "pause_after"), (["--timeout-ms", "99"], "timeout_ms"),
                (["--timeout-ms", "300001"], "timeout_ms"),
                (["--max-in-flight", "0"], "max_in_flight"),
                (["--max-in-flight", "1025"], "max_in_flight"), (["--scheme", "x"], "scheme"),
                (["--account", "a b"], "account"), (["--event-type", "category:membr"], "member"),
                (["--event-type", "event_point_earned"], "event_points_earned"),
                (["--url", "ftp://example.com/"], "url"), (["--url", "example.com"], "url"),
                (["--url", "http://u:p@127.0.0.1/"], "url"), (["--url", URL + "#x"], "url"),
                (["--url", "http://10.0.0.1/"], "allow_networks"),
                (["--url", "http://[::1]/"], "allow_networks"), (["--url", ""], "url"),
                (["--name", ""], "name"), (["--name", "x" * 101], "name"),
                (["--name", "a\nb"], "name"), (["--header", "nonce: 1"], "header"),
                (["--header", "A: b\r\nC: d"], "header")):
            with self.subTest(words=words):
                self.refused("webhook", "create", "--name", "n", "--url", URL, "--event-type", "*",
                             *words, names=names)
        self.assertEqual(self.run_cli("webhook", "list", "--json").json(), {"webhooks": []})

    def test_names_and_normalised_urls_are_unique_in_an_account(self):
        self.create("crm", "http://127.0.0.1:8080/hook")
        self.assertEqual(self.create("crm", URL, expect=5).error()["code"], "conflict")
        for url in ("http://127.0.0.1:8080/hook", "HTTP://127.0.0.1:8080/hook"):
            self.assertEqual(self.create("other", url, expect=5).error()["code"], "conflict")
        self.create("crm", "http://127.0.0.1:8080/hook", "--account", "another")
        self.refused("webhook", "show", "crm", error="conflict")
        self.run_cli("webhook", "show", "crm", "--account", "another")
        self.assertEqual(len(self.run_cli("webhook", "list", "--account", "another",
                                          "--json").json()["webhooks"]), 1)

    def test_the_eleventh_is_refused_also_among_twenty_at_once(self):
        processes = [self.shop.start("webhook", "create", "--name", f"w{i}", "--url", f"{URL}/{i}",
                                     "--event-type", "*", "--json") for i in range(20)]
        answers = [(process.communicate()[1], process.returncode) for process in processes]
        codes = [code for _, code in answers]
        self.assertEqual(codes.count(0), 10, answers)
        self.assertEqual(codes.count(5), 10, answers)
        for text, code in answers:
            if code:
                self.assertEqual(json.loads(text)["error"]["code"], "limit")
        self.assertEqual(len(self.run_cli("webhook", "list", "--json").json()["webhooks"]), 10)
        self.create("another", URL, "--account", "another")

    def test_unknown_ones_are_not_found(self):
        for name in ("nobody", "61f11851bdfb9aac526d0c70"):
            self.refused("webhook", "show", name, code=4, error="not_found")
        self.refused("request", "list", "--webhook", "nobody", code=4)
        self.refused("stats", "--webhook", "nobody", code=4)

    def test_a_hostile_name_cannot_move_the_cursor(self):
        self.create("Zo\u00eb \u202e x", URL + "/\u00e9"[:1])
        answer = self.run_cli("webhook", "list")
        self.assertIn("Zo\u00eb", answer.out)
        self.assertNotIn("\u202e", answer.out)


class Emit(Case):
    def emit(self, *words, **more):
        return self.run_cli("emit", *words, **more)

    def test_prints_the_id(self):
        self.assertRegex(self.emit(EARNED, "--data", DATA).out, r"^[0-9a-f]{24}\n$")
        document = self.emit(EARNED, "--data", DATA, "--json").json()
        self.assertEqual(document["ids"], [document["id"]])
        self.assertIs(document["duplicate"], False)
        self.shop.write("data.json", DATA)
        self.emit(EARNED, "--data-file", "data.json")
        self.emit(EARNED, "--data-file", "-", stdin=DATA)
        self.emit(EARNED, stdin=DATA)
        self.assertEqual(self.events(), 5)

    def test_an_idempotency_key_or_id_gives_the_first_id_or_a_conflict(self):
        own = "61f11851bdfb9aac526d0c70"
        for words in (["--idempotency-key", "order-1"], ["--id", own]):
            first = self.emit(EARNED, "--data", DATA, *words).out
            again = self.emit(EARNED, "--data", DATA, *words, "--json").json()
            self.assertEqual((again["id"], again["duplicate"]), (first.strip(), True))
            self.refused("emit", EARNED, "--data", "{}", *words, error="conflict")
            self.refused("emit", "event_member_enrol", "--data", DATA, *words, error="conflict")
        self.assertEqual(self.events(), 2)
        other = self.emit(EARNED, "--data", DATA, "--idempotency-key", "order-1", "--account", "b")
        self.assertNotEqual(other.out, first)

    def test_what_is_not_an_event_is_refused_and_leaves_no_trace(self):
        deep = '{"a":' * 64 + "{}" + "}" * 64
        for event_type, data, error, names in (
                ("event_point_earned", DATA, "unknown_type", "event_points_earned"),
                ("points_earned", DATA, "unknown_type", "event_points_earned"),
                (EARNED, "[]", "invalid", "object"), (EARNED, '"x"', "invalid", "object"),
                (EARNED, "7", "invalid", "object"), (EARNED, "null", "invalid", "object"),
                (EARNED, "", "invalid", "empty"), (EARNED, "{", "invalid", ""),
                (EARNED, '{"a":01}', "invalid", ""), (EARNED, '{"a":1,}', "invalid", ""),
                (EARNED, '{"a":NaN}', "invalid", ""), (EARNED, "{} {}", "invalid", ""),
                (EARNED, '{"a":"\n"}', "invalid", ""), (EARNED, '{"a":"\\ud800"}', "invalid", ""),
                (EARNED, b'{"a":"\xff"}', "invalid", "UTF-8"),
                (EARNED, b'{"a":"\xc0\x80"}', "invalid", "UTF-8"),
                (EARNED, '{"a":"' + "x" * 1048576 + '"}', "too_large", "1048576"),
                (EARNED, deep, "invalid", "")):
            with self.subTest(data=data[:40]):
                self.refused("emit", event_type, stdin=data, error=error, names=names)
        for words in (["--id", "ZZ"], ["--id", "61F11851BDFB9AAC526D0C70"], ["--account", "a/b"],
                      ["--account", "x" * 65], ["--idempotency-key", "x" * 256],
                      ["--idempotency-key", ""]):
            self.refused("emit", EARNED, "--data", DATA, *words, error="invalid")
        self.refused("emit", EARNED, "--data-file", "nowhere", code=4, names="nowhere")
        self.assertEqual(self.events(), 0)

    def test_limits_are_reached(self):
        deepest = '{"a":' * 63 + "{}" + "}" * 63
        largest = '{"a":"' + "x" * (1048576 - 8) + '"}'
        self.assertEqual(len(largest), 1048576)
        for data in (deepest, largest, "{}", ' {"a" : -0.0e5}'):
            self.emit(EARNED, stdin=data)
        self.shop.write("many", "".join(
            json.dumps({"event_type": EARNED, "account": "b", "data": "@"}).replace('"@"', data)
            + "\n" for data in (deepest, largest)))
        self.emit("--ndjson", "many")
        self.assertEqual(self.events(), 6)

    def test_own_types_come_from_the_configuration(self):
        self.refused("emit", "event_order_paid", "--data", "{}", error="unknown_type")
        self.shop.write("loyalhook.lua", "return { types = { { name = 'event_order_paid', category "
                        "= 'order' } } }")
        self.emit("event_order_paid", "--data", "{}")

    def test_a_full_disk_is_an_error_and_no_event(self):
        limit = "ulimit -f 600; trap '' XFSZ; exec \"$@\""  # KiB of any file
        self.shop.write("big", '{"a":"' + "x" * 1000000 + '"}')
        answer = self.emit(EARNED, "--data-file", "big", "--json", expect=1,
                           wrap=("bash", "-c", limit, "bash"))
        self.assertIn(answer.error()["code"], ("full", "io"))
        self.assertEqual(self.events(), 0)
        self.emit(EARNED, "--data-file", "big")


class Ndjson(Case):
    GOOD = json.dumps({"event_type": EARNED, "data": {"member_info": {"id": "1"}}})

    def test_stores_the_good_lines_and_numbers_the_bad_ones(self):
        lines = [
            self.GOOD, "", "not json", json.dumps({"event_type": EARNED}), "[]",
            json.dumps({"event_type": "event_point_earned", "data": {}}),
            json.dumps({"event_type": EARNED, "data": [], "account": "a"}),
            json.dumps({"event_type": EARNED, "data": {}, "idempotency_key": "k"}),
            json.dumps({"event_type": EARNED, "data": {}, "idempotency_key": "k"}),
            json.dumps({"event_type": EARNED, "data": {"x": 1}, "idempotency_key": "k"}),
            json.dumps({"event_type": EARNED, "data": {}, "key": "k"}),
            '{"event_type":"%s","data":{"a":"' % EARNED + "x" * 1100000 + '"}}', "   ",
            self.GOOD]
        self.shop.write("lines", "\n".join(lines))
        answer = self.run_cli("emit", "--ndjson", "lines", "--json", expect=5)
        document = answer.json()
        self.assertEqual(list(document), ["ids", "refused"])
        self.assertEqual([(row["line"], row["code"]) for row in document["refused"]], [
            (3, "invalid"), (4, "invalid"), (5, "invalid"), (6, "unknown_type"), (7, "invalid"),
            (10, "conflict"), (11, "invalid"), (12, "too_large")])
        self.assertIn("event_points_earned", document["refused"][3]["message"])
        self.assertEqual(len(document["ids"]), 4)
        self.assertEqual(document["ids"][1], document["ids"][2])
        self.assertEqual(self.events(), 3)
        self.assertEqual(answer.err, "")

    def test_says_the_same_without_json(self):
        self.shop.write("lines", self.GOOD + "\n{\n" + self.GOOD + "\n")
        answer = self.run_cli("emit", "--ndjson", "lines", expect=5)
        self.assertRegex(answer.out, r"^([0-9a-f]{24}\n){2}$")
        self.assertRegex(answer.err, r"^line 2: .* \(invalid\)\n2 stored, 1 refused\n$")

    def test_only_good_lines_exit_with_0_and_an_empty_file_is_no_error(self):
        self.assertEqual(self.run_cli("emit", "--ndjson", "-", "--json", stdin=self.GOOD).json()
                         ["refused"], [])
        self.assertEqual(self.run_cli("emit", "--ndjson", "-", "--json").json(),
                         {"ids": [], "refused": []})
        self.refused("emit", "--ndjson", "nowhere", code=4)

    def test_bytes_arrive_as_they_were(self):
        odd = '{ "a" : [1.0, 1e5, -0.0], "b":"\\u00e9\\/", "\\u0063" : {"d":  null}, "a" : 2 }'
        with Endpoint() as endpoint:
            self.create("crm", endpoint.url("/ok"))
            line = '{"event_type":"%s", "data":%s ,"account":null}' % (EARNED, odd)
            self.run_cli("emit", "--ndjson", "-", stdin=line)
            self.run_cli("emit", EARNED, "--data", odd)
            self.shop.work_until_idle()
            bodies = [base64.b64decode(r["body"]).decode() for r in endpoint.requests()]
        self.assertEqual("".join(bodies).count('"data":' + odd), 2)

    def test_ten_thousand_lines_are_stored_in_order_with_flat_memory(self):
        count, batch = 20_000, 1_000
        filler = "x" * 500
        with open(self.shop.path("many"), "w") as file:
            for number in range(count):
                file.write(json.dumps({"event_type": EARNED, "data": {"n": number, "f": filler}}))
                file.write("\n")
        peaks = []
        for lines in (batch, count):
            with open(self.shop.path("part"), "w") as part:
                subprocess.run(["head", "-n", str(lines), "many"], cwd=self.shop.folder,
                               stdout=part, check=True)
            answer = self.run_cli("emit", "--ndjson", "part", "--json",
                                  wrap=("/usr/bin/env", "time", "-f", "%M") if shutil.which("time")
                                  else ())
            ids = answer.json()["ids"]
            self.assertEqual(len(set(ids)), lines)
            self.assertEqual(ids, sorted(ids))
            if answer.err:
                peaks.append(int(answer.err.split()[-1]))
        self.assertEqual(self.events(), batch + count)
        if peaks:
            self.assertLess(peaks[1], peaks[0] + 20_000, "memory in KiB grows with the file")


class OnATerminal(Case):
    def test_many_events_show_a_bar_and_a_sum_and_no_ids(self):
        self.shop.write("lines", "\n".join([Ndjson.GOOD] * 3000 + ["{"]))
        code, shown = self.shop.on_terminal("emit", "--ndjson", "lines")
        self.assertEqual(code, 5)
        self.assertRegex(shown, r"\r\x1b\[K\[#+\.*\] +\d+% \d+ events, \d+/s")
        self.assertRegex(shown, r"\r\x1b\[Kline 3001: .*\r\n")
        self.assertTrue(shown.endswith("\r\x1b[K3000 stored, 1 refused\r\n"), shown)
        self.assertNotRegex(shown, r"[0-9a-f]{24}")

    def test_colour_is_for_terminals_and_can_be_declined(self):
        self.assertIn("\x1b[32mok", self.shop.on_terminal("doctor")[1])
        self.assertNotIn("\x1b", self.shop.on_terminal("doctor", NO_COLOR="1")[1])
        self.assertNotIn("\x1b", self.shop.on_terminal("doctor", TERM="dumb")[1])
        self.assertNotIn("\x1b", self.run_cli("doctor").out)

    def test_data_is_asked_for(self):
        master, slave = pty.openpty()
        done = subprocess.run(self.shop.command("emit", EARNED), stdin=slave, capture_output=True,
                              cwd=self.shop.folder, timeout=20)
        os.close(slave)
        os.close(master)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"--data", done.stderr)


class Work(Case):
    def test_delivers_and_shows_what_happened(self):
        with Endpoint() as endpoint:
            webhook = self.create("crm", endpoint.url("/ok"), "--batch-size", "2").json()
            ids = [self.run_cli("emit", EARNED, "--data", DATA).out.strip() for _ in range(3)]
            summary = self.run_cli("work", "--until-idle", "--json").json()
        self.assertEqual(summary, {"result": "idle", "attempts": 2, "delivered": 2, "retrying": 0,
                                   "failed": 0, "tasks_done": 0, "tasks_retrying": 0,
                                   "tasks_failed": 0})
        document = self.run_cli("request", "list", "--json").json()
        self.assertEqual(list(document), ["requests", "next"])
        self.assertIsNone(document["next"])
        newest, oldest = document["requests"]
        self.assertEqual(list(newest), REQUEST)
        self.assertEqual((oldest["event_ids"], newest["event_ids"]), (ids[:2], ids[2:]))
        self.assertEqual((oldest["total_count"], oldest["state"], oldest["attempts_made"]),
                         (2, "delivered", 1))
        self.assertEqual((oldest["reason"], oldest["next_attempt_at"]), (None, None))
        self.assertRegex(oldest["finished_at"], TIME)
        shown = self.run_cli("request", "show", oldest["request_id"], "--json").json()
        self.assertEqual(list(shown), REQUEST + ["attempts"])
        attempt = shown["attempts"][0]
        self.assertEqual(list(attempt), ATTEMPT)
        self.assertEqual((attempt["number"], attempt["status"], attempt["error"],
                          attempt["response"], attempt["url"]),
                         (1, 200, None, "ok", webhook["url"]))
        self.assertRegex(attempt["nonce"], r"^\d{13}$")
        text = self.run_cli("request", "show", oldest["request_id"]).out
        self.assertIn(ids[0], text)
        self.assertIn("\nheaders of attempt 1\n" + "".join(
            f"  {name}: {value}\n" for name, value in attempt["headers"].items()), text)
        stats = self.run_cli("stats", "--webhook", "crm", "--json").json()
        self.assertEqual(stats["requests"], {"pending": 0, "sending": 0, "retrying": 0,
                                             "delivered": 2, "failed": 0})
        self.assertEqual((stats["events"], stats["waiting"]), (3, 0))
        self.assertEqual(self.events(), 3)

    def test_filters_and_pages(self):
        with Endpoint() as endpoint:
            self.create("good", endpoint.url("/ok"), "--batch-size", "1")
            self.create("bad", endpoint.url("/status/500"), "--batch-size", "1", "--retries-max",
                        "0", "--pause-after", "0")
            ids = [self.run_cli("emit", EARNED, "--data",
                                '{"member_info":{"member_id":"m-%d"}}' % i).out.strip()
                   for i in range(3)]
            answer = self.run_cli("work", "--until-idle")
        self.assertIn("failed 3", answer.err)

        def listed(*words):
            return self.run_cli("request", "list", "--json", *words).json()["requests"]
        self.assertEqual(len(listed()), 6)
        self.assertEqual(len(listed("--state", "failed")), 3)
        self.assertEqual({row["reason"] for row in listed("--state", "failed")},
                         {"retries_exhausted"})
        self.assertEqual(len(listed("--webhook", "good")), 3)
        self.assertEqual(len(listed("--event", ids[1])), 2)
        self.assertEqual(len(listed("--member", "m-2", "--state", "delivered")), 1)
        self.assertEqual(len(listed("--since", "1h")), 6)
        self.assertEqual(len(listed("--account", "default")), 6)
        self.assertEqual(listed("--account", "shop-7"), [])
        self.assertEqual(listed("--since", "2999-01-01T00:00:00Z"), [])
        self.assertEqual(listed("--until", "1h"), [])
        self.assertEqual(listed("--event-type", "event_member_enrol"), [])
        pages, cursor = [], None
        while True:
            page = self.run_cli("request", "list", "--limit", "4", "--json",
                                *(["--after", cursor] if cursor else [])).json()
            pages.append([row["request_id"] for row in page["requests"]])
            cursor = page["next"]
            if cursor is None:
                break
        self.assertEqual([row["request_id"] for row in listed()], sum(pages, []))
        self.assertEqual([len(page) for page in pages], [4, 2])
        for words in (["--limit", "0"], ["--limit", "1001"], ["--state", "faild"],
                      ["--since", "long ago"], ["--event", "xyz"], ["--after", "nonsense"]):
            self.refused("request", "list", *words, error="invalid")
        self.refused("request", "show", "61f11851bdfb9aac526d0c70", code=4, error="not_found")

    def test_sigterm_drains_with_0_and_ctrl_c_with_130(self):
        for how, code in ((signal.SIGTERM, 0), (signal.SIGINT, 130)):
            with Endpoint() as endpoint:
                name = how.name
                self.create(name, endpoint.url("/delay/700"))
                process = self.shop.start("work", "--json")
                self.run_cli("emit", EARNED, "--data", DATA)
                wait_for(lambda: self.run_cli("stats", "--webhook", name, "--json").json()
                         ["requests"]["sending"] == 1, what="an attempt in flight")
                ended, out, err = stop(process, how=how)
            self.assertEqual(ended, code, err)
            self.assertEqual(json.loads(out)["result"], "drained")
            self.assertGreaterEqual(json.loads(out)["delivered"], 1)
            stats = self.run_cli("stats", "--webhook", name, "--json").json()
            self.assertEqual(stats["requests"]["delivered"], 1)

    def test_the_drain_waits_as_long_as_it_was_told(self):
        with Endpoint() as endpoint:
            self.create("slow", endpoint.url("/delay/20000"))
            self.run_cli("emit", EARNED, "--data", DATA)
            process = self.shop.start("work", "--drain-grace-s", "0", "--json")
            wait_for(lambda: self.run_cli("stats", "--json").json()["requests"]["sending"] == 1,
                     what="an attempt in flight")
            ended, out, err = stop(process, limit_s=10)
        self.assertEqual(ended, 0, err)
        self.assertEqual(json.loads(out)["delivered"], 0)

    def test_without_the_key_it_does_not_start_but_emit_does(self):
        self.create()
        os.rename(self.shop.path("loyalhook.db.key"), self.shop.path("away"))
        self.refused("work", "--until-idle", code=3, error="key_missing")
        self.refused("webhook", "create", "--name", "n", "--url", URL + "/n", "--event-type", "*",
                     code=3, error="key_missing")
        self.run_cli("emit", EARNED, "--data", DATA)
        self.assertEqual(self.run_cli("doctor", "--json", expect=3).json()["ok"], False)
        self.run_cli("work", "--until-idle", LOYALHOOK_KEY_FILE=self.shop.path("away"))

    def test_a_secret_that_is_damaged_stops_its_webhook_and_that_is_said(self):
        with Endpoint() as endpoint:
            self.create("torn", endpoint.url("/ok"), "--batch-size", "1")
            self.create("whole", endpoint.url("/status/200"))
            with sqlite3.connect(self.shop.path("loyalhook.db")) as database:
                database.execute("UPDATE webhooks SET secret = zeroblob(length(secret))"
                                 " WHERE name = 'torn'")
            database.close()
            for _ in range(2):
                self.run_cli("emit", EARNED, "--data", DATA)
            answer = self.run_cli("work", "--until-idle", "--json")
        failed = self.shop.requests("--state", "failed")
        self.assertGreaterEqual(len(failed), 1)
        self.assertEqual({(row["reason"], row["attempts_made"]) for row in failed},
                         {("paused", 0)})
        summary = answer.json()
        self.assertEqual((summary["delivered"], summary["failed"]), (1, len(failed)))
        self.assertIn("error: requests failed without an attempt: their webhook was stopped"
                      f" count={len(failed)}\n", answer.err)
        self.assertIn("error: webhooks paused: their secret does not decrypt with this key file"
                      " count=1\n", answer.err)
        self.assertRegex(self.run_cli("doctor", expect=None).out, r"does not decrypt .*: torn;")

    def test_another_key_is_noticed(self):
        self.create()
        self.shop.write("loyalhook.db.key", "ab" * 32 + "\n")
        self.assertIn("decrypt", self.run_cli("doctor", expect=3).out)

    def test_usage(self):
        self.refused("work", "--concurrency", "0", code=3, names="concurrency")
        self.refused("work", "--drain-grace-s", "-1", code=3, names="drain_grace_s")
        self.refused("work", "--role", "handle", code=3, names="handle")


class FullDisk(Case):
    """A worker whose store lies on a disk of its own, which fills up and has room again."""

    with_store = False
    EVENTS = 60

    def setUp(self):
        super().setUp()
        os.mkdir(self.shop.path("disk"))
        self.disk = subprocess.Popen(
            ["unshare", "-rm", "sh", "-c",
             "mount -t tmpfs -o size=8m none disk && echo mounted && exec sleep 600"],
            cwd=self.shop.folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(self.unmount)
        if self.disk.stdout.readline() != b"mounted\n":
            self.skipTest("no user may mount a disk of memory here")
        self.wrap = ("nsenter", "-t", str(self.disk.pid), "-U", "-m", "--preserve-credentials",
                     "sh", "-c", 'cd "$0" && exec "$@"', self.shop.folder)
        self.shop.environment["LOYALHOOK_STORE"] = "sqlite:disk/loyalhook.db"
        self.run_cli = lambda *words, **more: self.shop.run(*words, wrap=self.wrap, **more)

    def unmount(self):
        self.disk.kill()
        self.disk.communicate()

    def shell(self, script):
        subprocess.run([*self.wrap, "sh", "-c", script], check=True, stderr=subprocess.DEVNULL)

    def delivered(self):
        return self.run_cli("stats", "--json").json()["requests"]["delivered"]

    def test_a_worker_says_so_waits_and_delivers_each_once(self):
        with Endpoint() as endpoint:
            self.run_cli("init")
            self.create("crm", endpoint.url("/ok"), "--batch-size", "1")
            data = json.dumps({"event_type": EARNED, "data": {"pad": "x" * 2000}})
            self.run_cli("emit", "--ndjson", "-", stdin="\n".join([data] * self.EVENTS))
            self.shell("cat /dev/zero > disk/ballast; truncate -s -100K disk/ballast")
            process = self.shop.start("work", "--json", wrap=self.wrap)
            self.assertTrue(endpoint.wait(1, "/ok"))
            time.sleep(3)
            self.assertIsNone(process.poll())
            self.assertLess(len(endpoint.requests("/ok")), self.EVENTS)
            self.assertLess(self.delivered(), self.EVENTS)
            self.shell("rm disk/ballast")
            wait_for(lambda: self.delivered() == self.EVENTS, what="every delivery recorded")
            code, out, err = stop(process)
            on_the_wire = len(endpoint.requests("/ok"))
        self.assertEqual((code, json.loads(out)["delivered"]), (0, self.EVENTS), err)
        self.assertEqual(on_the_wire, self.EVENTS)
        rows = self.run_cli("request", "list", "--limit", "1000", "--json").json()["requests"]
        self.assertEqual({(row["state"], row["attempts_made"]) for row in rows}, {("delivered", 1)})
        told = [line for line in err.splitlines() if "disk is full" in line]
        self.assertRegex(told[0], r"^\S+Z error: disk is full; nothing was stored code=full$")
        self.assertLessEqual(len(told), 4, "at most one in ten seconds")

    def test_what_handlers_did_is_recorded_once_there_is_room(self):
        name, text = handler("counts", """
            local file = io.open("ran", "a")
            file:write(event.id, "\\n")
            file:close()
            return context.wait(function()
              local go = io.open("go")
              return go and go:close()
            end, 100000)""", concurrency=1024)
        os.mkdir(self.shop.path("handlers"))
        self.shop.write(f"handlers/{name}.lua", text)
        self.shop.write("loyalhook.lua", f'return {{ handlers = {{ {{ file = "handlers/{name}.lua"'
                        " } } }")
        self.run_cli("init")
        ids = [f"e{number}" for number in range(1000)]  # whose results need room
        accept("disk/loyalhook.db", ids, wrap=self.wrap, folder=self.shop.folder)

        def states():
            row, = self.run_cli("inbox", "handlers", "--json").json()["handlers"] or [{"tasks": {}}]
            return {state: count for state, count in row["tasks"].items() if count}
        process = self.shop.start("work", "--role", "handle", "--json", wrap=self.wrap)
        wait_for(lambda: states() == {"running": 1000}, what="every task running")
        self.shell("cat /dev/zero > disk/ballast || true")
        self.shop.write("go", "")
        time.sleep(3)
        self.assertIsNone(process.poll())
        self.assertEqual(states(), {"running": 1000})
        self.shell("rm disk/ballast")
        wait_for(lambda: states() == {"done": 1000}, what="every task recorded")
        code, out, err = stop(process)
        self.assertEqual((code, json.loads(out)["tasks_done"]), (0, 1000), err)
        with open(self.shop.path("ran"), encoding="utf-8") as file:
            self.assertEqual(sorted(file.read().split()), sorted(ids))  # each once
        self.assertIn("disk is full", err)


class Doctor(Case):
    def test_is_content_with_a_new_store(self):
        document = self.run_cli("doctor", "--json").json()
        self.assertEqual(list(document), ["ok", "checks"])
        self.assertTrue(document["ok"])
        names = [check["name"] for check in document["checks"]]
        for name in ("configuration", "versions", "tls", "store", "integrity", "key file",
                     "permissions", "file system", "write-ahead", "clock"):
            self.assertIn(name, names)
        self.assertEqual({check["status"] for check in document["checks"]}, {"ok"})
        self.run_cli("doctor", "--full")

    def test_finds_an_open_key_file(self):
        os.chmod(self.shop.path("loyalhook.db.key"), 0o644)
        answer = self.run_cli("doctor", expect=1)
        self.assertRegex(answer.out, r"problem +permissions +.*loyalhook.db.key.*644")

    def test_finds_a_store_that_is_not_there(self):
        answer = self.run_cli("doctor", "--store", "sqlite:nowhere.db", "--json", expect=3)
        problem = [c for c in answer.json()["checks"] if c["status"] == "problem"]
        self.assertEqual([c["name"] for c in problem], ["store"])

    def test_changes_nothing(self):
        before = sorted(os.listdir(self.shop.folder))
        self.run_cli("doctor", "--store", "sqlite:nowhere.db", expect=3)
        self.assertEqual(sorted(os.listdir(self.shop.folder)), before)


class Backup(Case):
    def test_is_a_store_of_its_own(self):
        self.create()
        self.run_cli("emit", EARNED, "--data", DATA)
        document = self.run_cli("backup", "copy.db", "--json").json()
        self.assertEqual(document, {"file": "copy.db"})
        self.assertEqual(stat.S_IMODE(os.stat(self.shop.path("copy.db")).st_mode), 0o600)
        stats = self.run_cli("stats", "--store", "sqlite:copy.db", "--json").json()
        self.assertEqual((stats["events"], stats["webhooks"]), (1, 1))
        with sqlite3.connect(self.shop.path("copy.db")) as copy:
            self.assertEqual(copy.execute("PRAGMA integrity_check").fetchone(), ("ok",))
        self.refused("backup", "copy.db", error="refused", names="copy.db")
        self.refused("backup", "nowhere/copy.db", code=1)
        self.assertFalse(any(".new" in name for name in os.listdir(self.shop.folder)))


class BadStores(Case):
    """Whatever is not a store of ours is refused by every command and stays as it was."""

    with_store = False

    def refuses_all(self, error, names="loyalhook.db", commands=None):
        before = self.contents()
        for words in commands or ON_A_STORE:
            with self.subTest(words=words):
                self.refused(*words, code=3, error=error, names=names)
        self.assertEqual(self.contents(), before)
        doctor = self.run_cli("doctor", "--json", expect=3).json()
        self.assertFalse(doctor["ok"])

    def test_missing(self):
        self.refuses_all("store_missing")

    def test_empty_file(self):
        self.shop.write("loyalhook.db", b"")
        self.refuses_all("store_damaged")

    def test_text_file(self):
        self.shop.write("loyalhook.db", b"this is no database\n" * 100)
        self.refuses_all("store_foreign")

    def test_database_of_another_program(self):
        with sqlite3.connect(self.shop.path("loyalhook.db")) as other:
            other.execute("CREATE TABLE cats (name TEXT)")
        self.refuses_all("store_foreign")

    def test_newer(self):
        self.shop.init()
        self.settle()
        with sqlite3.connect(self.shop.path("loyalhook.db")) as newer:
            newer.execute("PRAGMA user_version = 9999")
        newer.close()
        self.refuses_all("store_newer")

    def test_truncated(self):
        self.shop.init()
        self.settle()
        size = os.path.getsize(self.shop.path("loyalhook.db"))
        os.truncate(self.shop.path("loyalhook.db"), size // 2)
        self.refuses_all("store_damaged")

    def test_overwritten_in_the_middle(self):
        self.shop.init()
        self.settle()
        with open(self.shop.path("loyalhook.db"), "r+b") as file:
            file.seek(4096)
            file.write(b"\xa5" * 32768)
        self.refuses_all("store_damaged")

    def test_a_wal_without_its_database(self):
        self.shop.write("loyalhook.db-wal", b"x" * 4096)
        self.refuses_all("store_damaged")
        self.refused("init", code=3, error="store_damaged")

    def test_a_folder_or_an_odd_location(self):
        os.mkdir(self.shop.path("folder"))
        for location in ("sqlite:folder", "postgresql://me:hunter2@localhost/x", "sqlite:"):
            answer = self.run_cli("stats", "--store", location, expect=None)
            self.assertIn(answer.code, (3, 5), location)
            self.assertRegex(answer.err, r"^loyalhook: .+\n$")
            self.assertNotIn("hunter2", answer.err)
        self.assertEqual(os.listdir(self.shop.folder), ["folder"])

    def contents(self):
        """Every file's hash, but for what looking at a database makes: lock, index, empty WAL."""
        found = {name: pathlib.Path(self.shop.path(name)).read_bytes()
                 for name in os.listdir(self.shop.folder) if not name.endswith((".lock", "-shm"))}
        return {name: hashlib.sha256(content).hexdigest() for name, content in found.items()
                if content or not name.endswith("-wal")}

    def settle(self):
        """Brings everything into the database file, as after a long time in peace."""
        database = sqlite3.connect(self.shop.path("loyalhook.db"))
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.close()


class OnLuaJIT(Case):
    vm = "luajit"

    def test_the_whole_way(self):
        with Endpoint() as endpoint:
            self.create("crm", endpoint.url("/ok"))
            lines = "\n".join([Ndjson.GOOD, "{", Ndjson.GOOD])
            document = self.run_cli("emit", "--ndjson", "-", "--json", stdin=lines, expect=5).json()
            self.assertEqual((len(document["ids"]), document["refused"][0]["line"]), (2, 2))
            self.assertEqual(self.run_cli("work", "--until-idle", "--json").json()["delivered"], 1)
        request = self.run_cli("request", "list", "--json").json()["requests"][0]
        self.assertEqual(request["event_ids"], document["ids"])
        self.assertRegex(request["created_at"], TIME)
        self.run_cli("doctor")


if __name__ == "__main__":
    unittest.main()
