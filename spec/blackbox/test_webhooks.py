"""Changing webhooks through the command line, seen from the wire: what an edit, a status, a new
secret or a test means for the requests that an endpoint gets.
"""

import base64
import hashlib
import hmac
import json
import os
import pty
import time
import unittest

from cli import stop, wait_for
from test_delivery import SECRET, Delivery, event, header, wire_body

NEW = "another secret for tests"


def zinrelo(secret, entry):
    message = wire_body(entry) + b":" + header(entry, "nonce").encode()
    return hmac.new(secret.encode(), message, hashlib.sha512).hexdigest()


class Changes(Delivery):

    def deliver(self, count, path, **more):
        """Emits one event and lets a worker deliver it; returns the last of `count` requests."""
        self.shop.emit_lines([event()])
        self.shop.work_until_idle(**more)
        entries = self.endpoint.wait(count, path, 0.1)
        self.assertEqual(len(entries), count)
        return entries[-1]

    def change(self, *words, expect=0, **more):
        return self.shop.run("webhook", *words, "--json", expect=expect, **more)

    def signed_with(self, secret, entry):
        self.assertEqual(header(entry, "x-zinrelo-signature"), zinrelo(secret, entry))

    def test_the_old_secret_signs_until_its_time_is_over(self):
        self.webhook("/ok", retry_interval_s=1)
        document = self.change("rotate-secret", "ok", "--overlap-s", 2, "--secret-stdin",
                               stdin=NEW).json()
        self.assertEqual(document["secret"], NEW)
        self.assertRegex(document["secret_rotates_at"], r"^\d{4}-")
        self.signed_with(SECRET, self.deliver(1, "/ok"))
        wait_for(lambda: document["secret_rotates_at"] <
                 time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()), 10, "the time is over")
        self.signed_with(NEW, self.deliver(2, "/ok"))
        self.assertNotIn("secret_rotates_at", self.change("show", "ok").json())

    def test_now_means_the_next_attempt(self):
        self.webhook("/ok")
        self.change("rotate-secret", "ok", "--now", "--secret-stdin", stdin=NEW)
        self.signed_with(NEW, self.deliver(1, "/ok"))

    def test_the_standard_scheme_signs_with_both(self):
        old = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
        new = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
        self.shop.webhook("ok", self.endpoint.url("/ok"), secret=old, scheme="standard")
        self.change("rotate-secret", "ok", "--secret-stdin", stdin=new)
        entry = self.deliver(1, "/ok")
        message = b".".join([header(entry, "webhook-id").encode(),
                             header(entry, "webhook-timestamp").encode(), wire_body(entry)])
        wanted = ["v1," + base64.b64encode(hmac.new(base64.b64decode(key[6:]), message,
                                                    hashlib.sha256).digest()).decode()
                  for key in (old, new)]
        self.assertEqual(header(entry, "webhook-signature").split(" "), wanted)

    def test_an_edit_holds_for_a_request_that_waits(self):
        self.endpoint.script("/old", [500])
        self.endpoint.script("/new", [200])
        self.webhook("/old", retry_interval_s=1, header="X-Shop: one")
        self.deliver(1, "/old")
        self.change("edit", "old", "--url", self.endpoint.url("/new"), "--header", "X-Shop: two")
        worker = self.shop.start("work")
        entry = self.endpoint.wait(1, "/new", 20)[0]
        self.assertEqual(stop(worker)[0], 0)
        self.assertEqual(header(entry, "x-shop"), "two")
        self.assertEqual(wire_body(entry), wire_body(self.endpoint.requests("/old")[0]))
        self.change("edit", "old", "--no-headers")
        entry = self.deliver(2, "/new")
        self.assertNotIn("x-shop", [name.lower() for name, _ in entry["headers"]])

    def test_a_status_is_obeyed_at_once_by_a_worker_that_runs(self):
        self.webhook("/ok")
        worker = self.shop.start("work")
        self.shop.emit_lines([event()])
        self.endpoint.wait(1, "/ok")
        self.assertEqual(self.change("disable", "ok").json()["status"], "disabled")
        self.shop.emit_lines([event(n) for n in range(20)])
        self.assertEqual(self.change("enable", "ok").json()["status"], "enabled")
        self.shop.emit_lines([event(99)])
        entries = self.endpoint.wait(2, "/ok")
        sent = [e["data"]["n"] for e in json.loads(wire_body(entries[-1]))["events"]]
        self.assertEqual(sent, [99])
        self.assertEqual(stop(worker)[0], 0)

    def test_a_test_is_one_signed_request_and_nothing_else(self):
        self.endpoint.script("/t", [200, 204, 500])
        self.webhook("/t", header="X-Shop: one")
        self.change("disable", "t")
        document = self.change("test", "t").json()
        entry = self.endpoint.wait(1, "/t")[0]
        self.signed_with(SECRET, entry)
        self.assertEqual(header(entry, "x-shop"), "one")
        body = json.loads(wire_body(entry))
        self.assertEqual(body["request_id"], document["request_id"])
        self.assertEqual([e["id"] for e in body["events"]], [document["event_id"]])
        self.assertEqual((document["delivered"], document["status"]), (True, 200))
        self.assertEqual(self.change("test", "t", expect=1).json()["delivered"], False)
        self.change("edit", "t", "--success", "2xx")
        answer = self.shop.run("webhook", "test", "t", expect=1)
        self.assertRegex(answer.out, r"^500 in \d+ ms: not delivered\n$")
        self.assertEqual(self.shop.run("stats", "--json").json()["attempts"], 0)
        self.assertEqual(self.shop.requests(), [])
        self.assertEqual(len(self.endpoint.requests()), 3)

    def test_a_test_obeys_the_address_guard(self):
        self.webhook("/ok")
        document = self.change("test", "ok", expect=1, LOYALHOOK_ALLOW_NETWORKS="10.0.0.0/8").json()
        self.assertEqual(document["outcome"], "blocked")
        self.assertIn("allow_networks", document["error"])
        self.assertEqual(self.endpoint.requests(), [])

    def test_a_pause_is_made_up_for_when_it_ends(self):
        self.endpoint.script("/w", [500, 200])
        self.shop.webhook("w", self.endpoint.url("/w"), batch_size=1, retries_max=0, pause_after=1)
        self.shop.emit_lines([event(1)])
        self.shop.work_until_idle()
        self.shop.emit_lines([event(2), event(3)])
        document = self.change("enable", "w", "--retry-failed").json()
        self.assertEqual(document["webhook"]["status"], "enabled")
        self.assertEqual((document["job"]["total"], document["job"]["retried"]), (2, 2))
        self.shop.work_until_idle()
        ends = [(row["state"], row["reason"]) for row in self.shop.requests()]
        self.assertEqual(ends, [("failed", "retries_exhausted")] + 2 * [("delivered", None)])
        self.assertEqual(self.change("enable", "w", "--retry-failed", expect=5).error()["code"],
                         "refused")

    def test_a_paused_webhook_says_what_to_do_and_that_is_the_cure(self):
        self.endpoint.script("/w", [500, 200])
        self.shop.webhook("w", self.endpoint.url("/w"), batch_size=1, retries_max=0, pause_after=1)
        self.shop.emit_lines([event(1)])
        self.shop.work_until_idle()
        self.assertIn("'loyalhook webhook show'", self.shop.run("doctor").out)
        self.assertEqual(self.change("show", "w").err, "")
        told = self.shop.run("webhook", "show", "w").err.splitlines()
        commands = [line.split(": " if i == 0 else "? " if i == 1 else "then: ")[1].split(" && ")
                    for i, line in enumerate(told)]
        self.assertEqual([len(line) for line in commands], [1, 1, 2], told)
        listed = self.shop.run(*commands[0][0].split()[1:]).out
        self.assertRegex(listed, r"\n[0-9a-f]{24} +default +w +failed +retries_exhausted ")
        self.assertRegex(self.shop.run("request", "show", listed.splitlines()[1].split()[0]).out,
                         r"\nwebhook +w\n")
        for command in [words for line in commands[1:] for words in line]:
            self.shop.run(*command.split()[1:])
        self.shop.work_until_idle()
        self.assertEqual([row["state"] for row in self.shop.requests()], ["delivered"])
        self.assertEqual(self.shop.run("webhook", "show", "w").err, "")

    def test_enabling_tells_what_is_failed_still(self):
        self.endpoint.script("/w", [500, 200])
        self.shop.webhook("w", self.endpoint.url("/w"), batch_size=1, retries_max=0, pause_after=1)
        self.shop.emit_lines([event(1)])
        self.shop.work_until_idle()
        self.shop.emit_lines([event(2)])
        told = self.shop.run("webhook", "enable", "w", "--retry-failed").err.splitlines()[-1]
        self.assertRegex(told, "requests of it: 1; .*: loyalhook retry --failed --webhook w")
        self.shop.run(*told.split("loyalhook ")[1].split())
        self.assertNotIn("failed", self.shop.run("webhook", "enable", "w").err)

    def test_a_name_that_nobody_has_is_answered_with_where_to_look(self):
        self.webhook("/ok")
        for words in ((), ("--account", "shop-7")):
            said = self.shop.run("webhook", "show", "ok" if words else "okk", *words, expect=4).err
            self.assertIn("loyalhook webhook list", said)
            self.assertEqual("of account shop-7" in said, bool(words))

    def test_words_that_make_no_sense_are_usage_errors(self):
        self.webhook("/ok")
        for words in (["edit", "ok"], ["edit", "ok", "--ordered", "--no-ordered"],
                      ["edit", "ok", "--header", "A: b", "--no-headers"],
                      ["edit", "ok", "--retry-schedule", "5,x"],
                      ["rotate-secret", "ok", "--now", "--overlap-s", "5"], ["enable"]):
            answer = self.shop.run("webhook", *words, expect=2)
            self.assertRegex(answer.err, r"^loyalhook: .+\n(Run .*\n)?$")
        self.assertEqual(self.change("edit", "nobody", "--batch-size", 1, expect=4).error()["code"],
                         "not_found")
        self.assertEqual(self.change("edit", "ok", "--batch-size", 0, expect=5).error()["code"],
                         "invalid")

    def test_a_person_at_a_terminal_types_the_name_to_delete(self):
        self.webhook("/ok")
        for typed, code, status in ((b"yes\n", 2, "enabled"), (b"ok\n", 0, "deleted")):
            master, slave = pty.openpty()
            os.write(master, typed)
            answer = self.shop.run("webhook", "delete", "ok", stdin=slave, expect=code)
            os.close(slave)
            os.close(master)
            self.assertIn("for good", answer.err)
            rows = self.shop.run("stats", "--json").json()["webhooks"]
            self.assertEqual(rows, 0 if status == "deleted" else 1)


if __name__ == "__main__":
    unittest.main()
