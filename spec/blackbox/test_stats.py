"""loyalhook stats: what waits, what was done and how long it took, for monitors and people."""

import sqlite3
import unittest

from test_delivery import SECRET, Delivery, event

STATES = ["pending", "sending", "retrying", "delivered", "failed"]
OF_STORE = ["accounts", "webhooks", "events", "waiting", "waiting_at_least", "requests", "attempts",
            "oldest_undelivered_at", "last_delivered_at", "database_bytes", "wal_bytes",
            "recent", "inbox", "per_webhook", "more"]
OF_WEBHOOK = ["webhook_id", "account", "name", "status", "waiting", "waiting_at_least", "requests",
              "attempts", "oldest_undelivered_at", "last_delivered_at", "recent"]
RECENT = ["since", "delivered", "delivered_events", "failed", "attempts", "failed_attempts",
          "delivered_per_hour", "failed_per_hour", "attempt_ms", "delivery_ms"]


class Stats(Delivery):

    def stats(self, *words):
        document = self.shop.run("stats", *words, "--json").json()
        self.assertEqual(list(document), OF_STORE)
        self.assertEqual(list(document["recent"]), RECENT)
        self.assertEqual(list(document["requests"]), STATES)
        for row in document["per_webhook"] or []:
            self.assertEqual(list(row), OF_WEBHOOK)
        return document

    def test_what_was_done_and_how_long_it_took(self):
        self.endpoint.script("/slow", [{"status": 200, "delay_ms": 300}])
        self.endpoint.script("/bad", [503])
        self.webhook("/ok")
        self.webhook("/slow", batch_size=2)
        self.webhook("/bad", retries_max=0, pause_after=0)
        self.shop.emit_lines([event(n) for n in range(4)])
        before = self.stats()
        self.assertEqual((before["events"], before["waiting"], before["attempts"]), (4, 12, 0))
        self.assertIsNone(before["recent"]["attempt_ms"])
        self.assertRegex(before["oldest_undelivered_at"], r"^\d{4}-")
        self.shop.work_until_idle()
        after = self.stats()
        self.assertEqual((after["waiting"], after["attempts"]), (0, 4))
        self.assertEqual(after["requests"], dict(zip(STATES, (0, 0, 0, 3, 1))))
        self.assertIsNone(after["oldest_undelivered_at"])
        rows = {row["name"]: row for row in after["per_webhook"]}
        self.assertEqual(set(rows), {"ok", "slow", "bad"})
        last = max(row["finished_at"] for row in self.shop.requests("--state", "delivered"))
        self.assertEqual((before["last_delivered_at"], after["last_delivered_at"]), (None, last))
        self.assertIsNone(rows["bad"]["last_delivered_at"])
        recent = rows["slow"]["recent"]
        self.assertEqual((recent["delivered"], recent["delivered_events"], recent["failed"]),
                         (2, 4, 0))
        self.assertGreaterEqual(recent["attempt_ms"]["p50"], 300)
        self.assertGreaterEqual(recent["delivery_ms"]["p50"], recent["attempt_ms"]["p50"] * 3 / 4)
        recent = rows["bad"]["recent"]
        self.assertEqual((recent["delivered"], recent["failed"], recent["failed_attempts"]),
                         (0, 1, 1))
        self.assertIsNone(recent["delivery_ms"])
        text = self.shop.run("stats").out
        self.assertRegex(text, r"(?m)^default +slow +enabled +0 +- ")
        self.assertIn("delivered  ", text)

    def test_of_one_webhook_and_of_an_account(self):
        self.webhook("/ok")
        self.shop.webhook("theirs", self.endpoint.url("/theirs"), secret=SECRET, account="shop-7")
        self.shop.emit_lines([event(1), event(2), event(3, account="shop-7")])
        self.assertEqual(self.stats("--webhook", "ok")["waiting"], 2)
        self.assertIsNone(self.stats("--webhook", "ok")["per_webhook"])
        theirs = self.stats("--account", "shop-7")
        self.assertEqual((theirs["waiting"], [row["name"] for row in theirs["per_webhook"]]),
                         (1, ["theirs"]))
        self.assertEqual(self.stats()["waiting"], 3)

    def test_what_was_received(self):
        self.assertIsNone(self.stats()["inbox"])
        database = sqlite3.connect(self.shop.path("loyalhook.db"))
        database.executescript("""
            PRAGMA wal_autocheckpoint = 0;
            INSERT INTO sources VALUES (1, 's');
            INSERT INTO inbox VALUES (1, 1, 'a', 't', 1795000000000, NULL, x'7B7D');
            INSERT INTO handlers (name, event_types, when_unknown, serial, cursor, loaded_ms,
              created_ms, pending) VALUES ('email', '*', 0, 0, 1, 1, 1, 1);
            INSERT INTO tasks (handler, position, state, due_ms) VALUES (1, 1, 0, 5);""")
        database.close()
        self.assertEqual(self.stats()["inbox"], {
            "events": 1, "oldest_unfinished_at": "2026-11-18T11:06:40.000Z",
            "tasks": {"pending": 1, "running": 0, "retrying": 0, "done": 0, "failed": 0}})
        text = self.shop.run("stats").out
        self.assertRegex(text, r"inbox +1 event\n +tasks +1 pending, 0 running")

    def test_the_window(self):
        self.webhook("/ok")
        self.shop.emit_lines([event()])
        self.shop.work_until_idle()
        self.assertEqual(self.stats("--since", "30m")["recent"]["delivered"], 1)
        self.assertEqual(self.stats("--since", "2099-01-01")["recent"]["delivered"], 0)
        self.shop.run("stats", "--since", "yesterday", expect=5)


if __name__ == "__main__":
    unittest.main()
