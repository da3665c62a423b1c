"""A store that an earlier version made is brought up to date when it is opened, and goes on."""

import base64
import json
import os
import re
import shutil
import sqlite3
import time
import unittest

from cli import Workshop
from endpoint import Endpoint

STORES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "stores")
PORT = ":18999/"


def as_of_now(text):
    """All times of a store moved by the same, so that it was made minutes ago: what waits for an
    hour still does, and nothing is old enough to be deleted. By whole five minutes, since figures
    are of such."""
    times = [int(found) for found in re.findall(r"\b1\d{12}\b", text)]
    newest = sorted(times)[len(times) // 2]  # most are of that minute; due times come later
    later = (int(time.time() * 1000) - newest) // 300000 * 300000
    return re.sub(r"\b1\d{12}\b", lambda found: str(int(found.group()) + later), text)


class Migration(unittest.TestCase):
    """A workshop with a store that an earlier version left behind."""
    STORE = None

    def setUp(self):
        self.shop = Workshop()
        self.addCleanup(self.shop.close)
        self.endpoint = Endpoint().start()
        self.addCleanup(self.endpoint.stop)
        with open(os.path.join(STORES, self.STORE + ".sql"), encoding="utf-8") as file:
            text = file.read().replace(PORT, f":{self.endpoint.port}/")
        text = as_of_now(text)
        database = sqlite3.connect(self.shop.path("loyalhook.db"))
        database.executescript(text)
        database.execute("PRAGMA journal_mode = WAL")
        database.close()
        shutil.copy(os.path.join(STORES, self.STORE + ".key"), self.shop.path("loyalhook.db.key"))
        for name in ("loyalhook.db", "loyalhook.db.key"):
            os.chmod(self.shop.path(name), 0o600)

    def names(self):
        rows = self.shop.run("webhook", "list", "--json").json()["webhooks"]
        return {row["name"]: row for row in rows}

    def version(self):
        database = sqlite3.connect(f"file:{self.shop.path('loyalhook.db')}?mode=ro", uri=True)
        version, = database.execute("PRAGMA user_version").fetchone()
        database.close()
        return version


class FromVersion1(Migration):
    STORE = "version-1"

    def test_who_only_looks_leaves_it_as_it_is(self):
        shown = self.shop.run("doctor").out
        self.assertRegex(shown, r"warning +store .*tables of an older version \(1, now \d+\)")
        self.assertEqual(self.shop.run("completion", "bash", "--", "webhook", "show", "").out,
                         "words\n")
        self.assertEqual(self.version(), 1)
        self.names()
        self.assertGreater(self.version(), 1)
        self.assertIn("good", self.shop.run("completion", "bash", "--", "webhook", "show", "").out)

    def test_it_shows_what_it_held(self):
        self.assertEqual({name: row["status"] for name, row in self.names().items()},
                         {"good": "enabled", "bad": "paused", "slow": "enabled"})
        states = [(row["state"], row["reason"]) for row in self.shop.requests()]
        self.assertEqual(states, [("delivered", None), ("failed", "retries_exhausted"),
                                  ("failed", "retries_exhausted"), ("failed", "paused"),
                                  ("failed", "paused"), ("retrying", None)])
        self.assertEqual(self.shop.run("doctor", "--json").code, 0)
        figures = self.shop.run("stats", "--json").json()
        delivered, = self.shop.requests("--state", "delivered")
        self.assertEqual(figures["last_delivered_at"], delivered["finished_at"])
        self.assertEqual(figures["requests"], {"pending": 0, "sending": 0, "retrying": 1,
                                               "delivered": 1, "failed": 4})
        attempts = [len(self.shop.request(row["request_id"])["attempts"])
                    for row in self.shop.requests()]
        self.assertEqual(figures["attempts"], sum(attempts))

    def test_attempts_of_before_show_no_headers_and_new_ones_do(self):
        row = self.shop.requests("--state", "retrying")[0]
        (before,) = self.shop.request(row["request_id"])["attempts"]
        self.assertEqual((before["sent"], before["headers"]), (None, None))
        self.assertRegex(before["nonce"], r"^\d{13}$")
        self.assertIn("headers of attempt 1: not kept by the version that recorded it\n",
                      self.shop.run("request", "show", row["request_id"]).out)
        self.endpoint.script("/good", [200])
        self.shop.work_until_idle()
        (entry, *_) = self.endpoint.requests("/good")
        sent = json.loads(base64.b64decode(entry["body"]))
        (after,) = self.shop.request(sent["request_id"])["attempts"]
        self.assertLessEqual(set(after["headers"].items()), {tuple(h) for h in entry["headers"]})

    def test_what_waited_is_delivered_and_signed_with_its_secret(self):
        self.endpoint.script("/good", [200])
        self.endpoint.script("/slow", [200])
        self.endpoint.script("/bad", [200])
        self.shop.run("webhook", "enable", "bad")
        self.shop.run("emit", "event_points_earned", "--data", "{}")
        self.shop.work_until_idle()
        events = {}
        for entry in self.endpoint.requests():
            body = json.loads(base64.b64decode(entry["body"]))
            events.setdefault(entry["path"], []).extend(body["events"])
        self.assertEqual(len(events["/good"]), 3)   # two had waited
        self.assertEqual(len(events["/bad"]), 1)    # two were emitted while it was paused
        again = self.shop.run("emit", "event_member_enrol", "--data",
                              '{"member_info":{"member_id":"m-5"}}', "--idempotency-key", "k1",
                              "--json").json()
        self.assertTrue(again["duplicate"])
        with sqlite3.connect(self.shop.path("loyalhook.db")) as database:
            self.assertEqual(database.execute("PRAGMA integrity_check").fetchone()[0], "ok")


class FromVersion2(Migration):
    STORE = "version-2"

    def test_it_shows_what_it_held_and_goes_on(self):
        self.assertEqual(self.version(), 2)
        self.assertEqual({name: row["status"] for name, row in self.names().items()},
                         {"good": "enabled", "bad": "paused", "slow": "enabled",
                          "off": "disabled"})
        self.assertGreater(self.version(), 2)
        notices = self.shop.run("notices", "--json").json()["notices"]
        figures = self.shop.run("stats", "--json").json()["requests"]
        self.assertEqual(figures, {"pending": 0, "sending": 0, "retrying": 2, "delivered": 1,
                                   "failed": 4})
        self.assertEqual(len(notices), 5)           # four requests and the pause
        for path in ("/good", "/slow", "/bad"):
            self.endpoint.script(path, [200])
        self.shop.run("webhook", "enable", "bad")
        self.shop.run("retry", "--failed", "--webhook", "bad")
        self.shop.work_until_idle()
        states = {}
        for row in self.shop.requests():
            states.setdefault(row["state"], []).append(row["reason"])
        self.assertEqual(sorted(states), ["delivered", "failed", "retrying"])
        self.assertEqual(states["failed"], ["disabled"])
        self.assertEqual(len(states["retrying"]), 1)  # its hour is not over
        self.assertEqual(self.shop.run("doctor", "--json").code, 0)


if __name__ == "__main__":
    unittest.main()
