"""The command line where no store is needed: help and usage errors, sign, verify, trigger, events,
version, and how every command behaves towards streams and signals. test_cli_store.py has the rest.
"""

import base64
import hashlib
import hmac
import json
import os
import shutil
import signal
import subprocess
import time
import unittest

from cli import PROGRAM, VMS, Workshop, commands
from endpoint import Endpoint

SECRET = b"a shared secret of 31 characters"
BODY = b'{"request_id":"61f11851bdfb9aac526d0c70","total_count":"0","events":[]}'
NONCE = "1640796461000"
AT = "2021-12-29T16:47:41Z"
COMMANDS = [name.split() for name in commands()]


def signature(body, nonce=NONCE, secret=SECRET):
    return hmac.new(secret, body + b":" + nonce.encode(), hashlib.sha512).hexdigest()


class Case(unittest.TestCase):
    """A workshop with a secret and a body in files."""

    vm = "lua5.4"

    def setUp(self):
        self.shop = Workshop(vm=self.vm)
        self.addCleanup(self.shop.close)
        self.shop.write("secret", SECRET)
        self.shop.write("body", BODY)
        self.run_cli = self.shop.run


class Help(Case):
    def test_overview_lists_every_command(self):
        for words in (["--help"], ["-h"], ["help"]):
            text = self.run_cli(*words).out
            for command in COMMANDS:
                self.assertRegex(text, rf"(?m)^  {' '.join(command)} ")

    def test_every_command_explains_itself_examples_first(self):
        for command in COMMANDS:
            for words in ([*command, "--help"], ["help", *command]):
                answer = self.run_cli(*words)
                self.assertLess(answer.out.index("Examples:"), answer.out.index("Usage:"), command)
                for option in ("--json", "--store", "--config", "--help"):
                    self.assertIn(option, answer.out)
                self.assertEqual(answer.err, "")

    def test_usage_errors_are_one_line_a_hint_and_exit_2(self):
        for words, wanted in (
                ([], "a command is required"),
                (["evnts"], 'unknown command \'evnts\'; did you mean "events"'),
                (["webhook", "lst"], 'did you mean "webhook list"'),
                (["webhook"], "create, list, show"),
                (["events", "--catgory", "x"], "did you mean '--category'"),
                (["events", "--category"], "requires an argument"),
                (["events", "member"], "too many arguments"),
                (["webhook", "show"], "missing argument"),
                (["webhook", "create", "--name", "x"], "missing option"),
                (["request", "list", "--limit", "many"], "--limit: 'many' is not a whole number"),
                (["emit"], "an event type is needed"),
                (["emit", "t", "--data", "{}", "--data-file", "f"], "can not be used together"),
                (["emit", "t", "--ndjson", "f"], "with --ndjson"),
                (["sign", "body"], "--secret-stdin or --secret-file"),
                (["verify", "--secret-stdin"], "the body must be a file"),
                (["trigger", "event_points_earned", "--secret-file", "secret"], "--url")):
            answer = self.run_cli(*words, expect=2)
            self.assertIn(wanted, answer.err)
            lines = answer.err.splitlines()
            self.assertTrue(lines[0].startswith("loyalhook: "), answer.err)
            self.assertLessEqual(len(lines), 2, answer.err)
            self.assertEqual(answer.out, "")
            error = self.run_cli("--json", *words, expect=2).error()
            self.assertEqual(error["code"], "usage")
            self.assertIn(wanted, error["message"])

    def test_version(self):
        self.assertRegex(self.run_cli("version").out, r"^loyalhook \d+\.\d+\.\d+ \(Lua")
        document = self.run_cli("--version", "--json").json()
        self.assertEqual(set(document), {"version", "lua"})


class Streams(Case):
    def test_a_full_disk_behind_stdout_is_an_error(self):
        for words in (["events"], ["--help"], ["version", "--json"]):
            with open("/dev/full", "w") as full:
                done = subprocess.run(self.shop.command(*words), stdout=full,
                                      stderr=subprocess.PIPE, cwd=self.shop.folder)
            self.assertEqual(done.returncode, 1, words)
            self.assertIn(b"No space left", done.stderr)
            self.assertEqual(done.stderr.count(b"\n"), 1)

    def test_a_reader_that_goes_away_leaves_no_trace(self):
        self.shop.init()
        for words in (["events"], ["doctor", "--json"], ["--help"]):
            for ignored in (False, True):
                script = "trap '' PIPE; exec \"$@\"" if ignored else 'exec "$@"'
                reader, writer = os.pipe()
                os.close(reader)
                done = subprocess.run(["sh", "-c", script, "sh", *self.shop.command(*words)],
                                      stdout=writer, stderr=subprocess.PIPE, cwd=self.shop.folder,
                                      env=self.shop.environment)
                os.close(writer)
                self.assertNotEqual(done.returncode, 0)
                self.assertEqual(done.stderr, b"", words)

    def test_what_needs_no_store_loads_no_sqlite(self):
        for words in (["version"], ["events"], ["sign", "--secret-file", "secret", "body"],
                      ["verify", "--secret-file", "secret", "body", "--nonce", NONCE,
                       "--signature", signature(BODY), "--tolerance", "none"]):
            loaded = self.run_cli(*words, LD_DEBUG="files").err
            self.assertIn("core.so", loaded)
            for library in ("libsqlite3", "libcurl"):
                self.assertNotIn(library, loaded, words)

    def test_a_bug_is_one_line_that_says_how_to_report_it(self):
        self.shop.write("loyalhook.lua", "return {}")
        broken = self.shop.write("broken.lua", 'package.preload["loyalhook.cli.commands.events"] ='
                                 ' function() local t = nil; return t.x end\n')
        for trace, lines_max in (("", 1), ("1", 40)):
            done = subprocess.run(
                [VMS[self.vm], "-e", f"dofile('{broken}')", PROGRAM, "events"],
                capture_output=True, cwd=self.shop.folder,
                env={**self.shop.environment, "LOYALHOOK_TRACE": trace})
            text = done.stderr.decode()
            self.assertEqual(done.returncode, 1)
            self.assertIn("report it", text)
            self.assertLessEqual(len(text.splitlines()), lines_max)
            self.assertEqual("stack traceback" in text, trace == "1")

    def test_interrupting_a_command_that_reads_ends_with_130(self):
        self.shop.init()
        process = subprocess.Popen(self.shop.command("emit", "--ndjson", "-"),
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, cwd=self.shop.folder,
                                   env=self.shop.environment)
        self.shop.started.append(process)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        try:
            process.wait(2)
        except subprocess.TimeoutExpired:  # a VM whose reads go on: the second one ends it
            process.send_signal(signal.SIGINT)
            process.wait(5)
        self.assertIn(process.returncode, (130, -signal.SIGINT))
        self.assertNotIn(b"traceback", process.stderr.read())

    def test_interrupting_while_the_modules_load_is_no_broken_installation(self):
        # lua5.4 makes an error of the signal; where it strikes is chance, so it is raised here.
        folder = self.shop.path("modules/loyalhook")
        os.makedirs(folder)
        with open(os.path.join(folder, "cli.lua"), "w", encoding="ascii") as file:
            file.write('error("interrupted!")')
        program = shutil.copy(PROGRAM, self.shop.path("program.lua"))
        done = subprocess.run([VMS["lua5.4"], program, "version"], capture_output=True, text=True,
                              env={"LUA_PATH": self.shop.path("modules/?.lua")})
        self.assertEqual((done.returncode, done.stderr), (130, "loyalhook: interrupted\n"))


class Events(Case):
    def test_the_catalogue(self):
        entries = self.run_cli("events", "--json").json()["events"]
        self.assertEqual(len(entries), 20)
        self.assertEqual({entry["category"] for entry in entries},
                         {"transaction", "member", "referral", "system", "campaign"})
        self.assertEqual(list(entries[0]), ["name", "category", "description"])
        table = self.run_cli("events").out
        for entry in entries:
            self.assertIn(entry["name"], table)

    def test_one_category_and_an_unknown_one(self):
        entries = self.run_cli("events", "--category", "campaign", "--json").json()["events"]
        self.assertEqual([entry["name"] for entry in entries],
                         ["event_campaign_entered", "event_campaign_exited"])
        answer = self.run_cli("events", "--category", "campain", expect=5)
        self.assertIn("campaign", answer.err)

    def test_types_of_the_configuration_are_listed_and_a_broken_one_is_survived(self):
        self.shop.write("loyalhook.lua", "return { types = { { name = 'event_order_paid', category "
                        "= 'order', description = 'Paid \\27[31m.' } } }")
        answer = self.run_cli("events", "--category", "order")
        self.assertIn("event_order_paid", answer.out)
        self.assertNotIn("\x1b", answer.out)
        self.shop.write("loyalhook.lua", "return {")
        answer = self.run_cli("events")
        self.assertIn("event_points_earned", answer.out)
        self.assertIn("loyalhook.lua", answer.err)
        self.run_cli("events", "--config", "loyalhook.lua", expect=3)


class Sign(Case):
    def test_prints_the_signature_alone(self):
        answer = self.run_cli("sign", "--secret-file", "secret", "--nonce", NONCE, "body")
        self.assertEqual(answer.out, signature(BODY) + "\n")
        self.assertEqual(answer.err, "")

    def test_body_from_stdin_and_secret_from_stdin_agree(self):
        by_body = self.run_cli("sign", "--secret-file", "secret", "--nonce", NONCE, stdin=BODY).out
        by_secret = self.run_cli("sign", "--secret-stdin", "--nonce", NONCE, "body",
                                 stdin=SECRET + b"\n").out
        self.assertEqual({by_body, by_secret}, {signature(BODY) + "\n"})

    def test_only_one_final_newline_of_a_secret_is_dropped(self):
        for ending, used in ((b"", SECRET), (b"\n", SECRET), (b"\r\n", SECRET),
                             (b"\n\n", SECRET + b"\n"), (b" \n", SECRET + b" ")):
            answer = self.run_cli("sign", "--secret-stdin", "--nonce", NONCE, "body",
                                  stdin=SECRET + ending)
            self.assertEqual(answer.out.strip(), signature(BODY, secret=used))

    def test_without_a_nonce_it_is_now_and_said(self):
        document = self.run_cli("sign", "--secret-file", "secret", "body", "--json").json()
        self.assertLess(abs(int(document["nonce"]) - time.time() * 1000), 60_000)
        self.assertEqual(document["signature"], signature(BODY, document["nonce"]))
        self.assertEqual(document["headers"], {
            "Content-Type": "application/json", "nonce": document["nonce"],
            "x-zinrelo-signature": document["signature"]})
        self.assertRegex(self.run_cli("sign", "--secret-file", "secret", "body").err,
                         r"nonce \d{13}")

    def test_headers_are_lines_for_curl(self):
        lines = self.run_cli("sign", "--secret-file", "secret", "--nonce", NONCE, "--headers",
                             "body").out.splitlines()
        self.assertEqual(lines, ["Content-Type: application/json", f"nonce: {NONCE}",
                                 f"x-zinrelo-signature: {signature(BODY)}"])

    def test_standard(self):
        with open(os.path.join(os.path.dirname(__file__), "..", "vectors",
                               "standard-webhooks.json")) as file:
            vector = json.load(file)[0]
        self.shop.write("standard", vector["secret"])
        self.shop.write("message", vector["body"])
        answer = self.run_cli("sign", "--secret-file", "standard", "--scheme", "standard", "--id",
                              vector["webhook-id"], "--timestamp", vector["webhook-timestamp"],
                              "message")
        self.assertEqual(answer.out.strip(), vector["webhook-signature"])

    def test_standard_says_what_it_signed(self):
        self.shop.write("standard", "whsec_" + base64.b64encode(SECRET * 2).decode())
        words = ["sign", "--secret-file", "standard", "--scheme", "standard", "body"]
        document = self.run_cli(*words, "--json").json()
        self.assertRegex(document["id"], r"^[0-9a-f]{24}$")
        self.assertLess(abs(int(document["timestamp"]) - time.time()), 60)
        self.assertEqual(document["headers"], {
            "Content-Type": "application/json", "webhook-id": document["id"],
            "webhook-timestamp": document["timestamp"],
            "webhook-signature": document["signature"]})
        self.assertIsNone(document["nonce"])
        for more in ([], ["--id", "msg_1"], ["--id", "msg_1", "--timestamp", "1614265330"]):
            told = self.run_cli(*words, *more).err
            self.assertRegex(told, r"webhook-id \S+, webhook-timestamp \d{10}\n")
            self.assertIn("msg_1" if more else "", told)

    def test_options_of_the_other_scheme_are_refused(self):
        for words, wanted in ((["--nonce", NONCE, "--scheme", "standard"], "--nonce"),
                              (["--id", "msg_1"], "--id"), (["--timestamp", "7"], "--timestamp"),
                              (["--timestamp", "7", "--scheme", "zinrelo"], "--timestamp")):
            answer = self.run_cli("sign", "--secret-file", "secret", "body", *words, expect=2)
            self.assertRegex(answer.err, rf"^loyalhook: {wanted} is not for the scheme \w+\n$")
            self.assertEqual(answer.out, "")

    def test_refusals(self):
        for words, stdin, code, wanted in (
                (["--secret-file", "nowhere", "body"], b"", 4, "nowhere"),
                (["--secret-file", "secret", "nowhere"], b"", 4, "nowhere"),
                (["--secret-file", "secret", "."], b"", 1, "directory"),
                (["--secret-stdin", "body"], b"", 5, "empty"),
                (["--secret-stdin", "body"], b"x" * 5000, 5, "4096"),
                (["--secret-file", "secret", "--nonce", "12a", "body"], b"", 5, "nonce"),
                (["--secret-file", "secret", "--scheme", "standard", "body"], b"", 5, "whsec_"),
                (["--secret-file", "secret"], b"x" * (10 * 1024 * 1024 + 1), 5, "10485760")):
            answer = self.run_cli("sign", *words, stdin=stdin, expect=code)
            self.assertIn(wanted, answer.err)
            self.assertEqual(answer.out, "")
            self.assertNotIn(SECRET.decode(), answer.err)


class Verify(Case):
    def verify(self, *words, expect=0, body="body", **more):
        return self.run_cli("verify", "--secret-file", "secret", *words, body, expect=expect,
                            **more)

    def signed(self, body=BODY, nonce=NONCE, secret=SECRET):
        return ["--nonce", nonce, "--signature", signature(body, nonce, secret)]

    def test_valid(self):
        self.assertEqual(self.verify(*self.signed(), "--at", AT).out, "valid\n")
        self.assertEqual(self.verify(*self.signed(), "--at", NONCE, "--json").json()["valid"], True)
        self.verify(*self.signed(), "--tolerance", "none")
        self.verify("--header", f"Nonce: {NONCE}", "--header",
                    f"X-Zinrelo-Signature:  {signature(BODY)} ", "--at", AT)
        self.run_cli("verify", "--secret-stdin", *self.signed(), "--at", AT, "body",
                     stdin=SECRET + b"\n")
        self.run_cli("verify", "--secret-file", "secret", *self.signed(), "--at", AT, stdin=BODY)

    def test_says_why_not(self):
        pretty = json.dumps(json.loads(BODY), indent=2).encode()
        now = ["--at", AT]
        self.shop.write("newline", BODY + b"\n")
        self.shop.write("pretty", pretty)
        for words, body, code, wanted in (
                (self.signed(secret=b"another") + now, "body", "signature_mismatch", "secret"),
                (self.signed() + now, "newline", "signature_mismatch", "newline|line break"),
                (self.signed() + now, "pretty", "signature_mismatch", "written again"),
                (self.signed(nonce="1640796461") + now, "body", "nonce_malformed", "seconds"),
                (self.signed(), "body", "too_old", "old"),
                (self.signed() + ["--at", "2021-12-29T16:00:00Z"], "body", "too_new",
                 "future|ahead|early"),
                (["--nonce", NONCE] + now, "body", "header_missing", "x-zinrelo-signature"),
                (self.signed() + ["--header", f"NONCE: {NONCE}"] + now, "body", "header_repeated",
                 "(?i)nonce"),
                (["--nonce", NONCE, "--signature", "abc"] + now, "body", "signature_malformed",
                 "128")):
            with self.subTest(code=code, body=body):
                answer = self.verify(*words, "--json", body=body, expect=5)
                verdict = answer.json()
                self.assertEqual((verdict["valid"], verdict["code"]), (False, code))
                self.assertRegex(f"{verdict['message']} {verdict['hint']}", wanted)
                self.assertEqual(answer.error(), {"code": code, "message": verdict["message"]})
                plain = self.verify(*words, body=body, expect=5)
                self.assertEqual(plain.out, "not valid\n")
                self.assertIn(verdict["message"], plain.err)

    def test_standard_is_recognised_by_its_headers(self):
        secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
        self.shop.write("standard", secret)
        signed = self.run_cli("sign", "--secret-file", "standard", "--scheme", "standard", "body",
                              "--json").json()
        headers = [word for name, value in signed["headers"].items()
                   for word in ("--header", f"{name}: {value}")]
        document = self.run_cli("verify", "--secret-file", "standard", *headers, "body",
                                "--json").json()
        self.assertEqual((document["valid"], document["scheme"]), (True, "standard"))
        self.run_cli("verify", "--secret-file", "standard", *headers, "body",
                     "--at", "2020-01-01T00:00:00Z", expect=5)

    def test_usage(self):
        for words in (["--header", "no colon"], ["--at", "tomorrow"], ["--tolerance", "long"],
                      ["--scheme", "other"]):
            self.verify(*words, expect=2)


class Trigger(Case):
    def trigger(self, url, *words, event_type="event_points_earned", expect=0):
        return self.run_cli("trigger", event_type, "--url", url, "--secret-stdin", *words,
                            stdin=SECRET, expect=expect, LOYALHOOK_ALLOW_HTTP="",
                            LOYALHOOK_ALLOW_NETWORKS="")

    def test_sends_one_signed_sample(self):
        with Endpoint() as endpoint:
            document = self.trigger(endpoint.url("/ok"), "--json").json()
            self.assertEqual((document["status"], document["outcome"]), (200, "answered"))
            self.assertIn("200", self.trigger(endpoint.url("/ok")).out)
            self.trigger(endpoint.url("/ok"), "--scheme", "zinrelo",
                         event_type="event_campaign_entered")
            requests = endpoint.requests()
        self.assertEqual(len(requests), 3)
        first = requests[0]
        body = base64.b64decode(first["body"])
        headers = {name.lower(): value for name, value in first["headers"]}
        self.assertEqual(headers["x-zinrelo-signature"], signature(body, headers["nonce"]))
        self.assertEqual(headers["content-type"], "application/json")
        sent = json.loads(body)
        self.assertEqual(list(sent), ["request_id", "total_count", "created_date", "events"])
        self.assertEqual(sent["request_id"], document["request_id"])
        self.assertEqual(sent["events"][0]["id"], document["id"])
        self.assertEqual(sent["events"][0]["event_type"], "event_points_earned")
        self.assertIn("transaction_info", sent["events"][0]["data"])

    def test_anything_but_200_is_exit_1(self):
        with Endpoint() as endpoint:
            for path, status in (("/status/204", 204), ("/status/500", 500), ("/redirect", 302),
                                 ("/reset", None)):
                document = self.trigger(endpoint.url(path), "--json", expect=1).json()
                self.assertEqual(document["status"], status)
            document = self.trigger(endpoint.url("/hang"), "--timeout-ms", "300", "--json",
                                    expect=1).json()
            self.assertEqual(document["outcome"], "timeout")

    def test_an_answer_cannot_move_the_cursor(self):
        with Endpoint() as endpoint:
            endpoint.script("/hook", [{"status": 500, "body": "bad\x1b[2J\x07"}])
            answer = self.trigger(endpoint.url("/hook"), expect=1)
        self.assertNotIn("\x1b", answer.out + answer.err)
        self.assertIn("bad", answer.err)

    def test_refusals(self):
        answer = self.trigger("http://127.0.0.1:1/", event_type="event_point_earned", expect=5)
        self.assertIn("event_points_earned", answer.err)
        answer = self.trigger("ftp://127.0.0.1/", expect=5)
        self.assertIn("url", answer.err)


class OnLuaJIT(Case):
    """The same program on the other VM: enough to see that nothing depends on the first."""

    vm = "luajit"

    def test_sign_verify_events_version(self):
        answer = self.run_cli("sign", "--secret-file", "secret", "--nonce", NONCE, "body")
        self.assertEqual(answer.out, signature(BODY) + "\n")
        self.run_cli("verify", "--secret-file", "secret", "--nonce", NONCE, "--signature",
                     signature(BODY), "--at", AT, "body")
        self.assertEqual(len(self.run_cli("events", "--json").json()["events"]), 20)
        self.assertIn("LuaJIT", self.run_cli("version").out)
        self.run_cli("evnts", expect=2)

    def test_trigger(self):
        with Endpoint() as endpoint:
            document = self.run_cli("trigger", "event_member_enrol", "--url", endpoint.url("/ok"),
                                    "--secret-stdin", "--json", stdin=SECRET).json()
        self.assertEqual(document["status"], 200)


if __name__ == "__main__":
    unittest.main()
