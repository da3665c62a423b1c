"""The HTTP API on a store with 100,000 requests: pages are bounded and follow each other, whatever
is asked. (How much of the database is read for a page is counted in spec/contract.)"""

import json
import sqlite3
import unittest

from serving_api import Serving

COUNT = 100_000
START_MS = 1_700_000_000_000


def fill(shop):
    """A webhook's log: one event a request, every tenth failed. Written past the program."""
    shop.run("webhook", "create", "--name", "many", "--url", "http://127.0.0.1:1/many",
             "--event-type", "*")
    with sqlite3.connect(shop.path("loyalhook.db")) as db:
        webhook, account = db.execute("SELECT webhook, account FROM webhooks").fetchone()
        db.execute("INSERT INTO event_types (name, category) VALUES ('event_points_earned',"
                   " 'transaction')")
        kind = db.execute("SELECT type FROM event_types").fetchone()[0]
        numbers = range(1, COUNT + 1)
        db.executemany(
            "INSERT INTO events (position, account, type, event_id, created_ms, member, data)"
            " VALUES (?, ?, ?, ?, ?, ?, x'7b7d')",
            ((n, account, kind, b"evnt" + n.to_bytes(8, "big"), START_MS + n * 60_000,
              f"m-{n % 500}") for n in numbers))
        db.executemany(
            "INSERT INTO requests (request, request_id, webhook, state, reason, epoch,"
            " attempts_made, finished_ms, total_count, first_position, last_position, positions,"
            " created_ms) VALUES (?, ?, ?, ?, ?, 0, 1, ?, 1, ?, ?, x'', ?)",
            ((n, b"rqst" + n.to_bytes(8, "big"), webhook, 4 if n % 10 == 0 else 3,
              1 if n % 10 == 0 else 0, START_MS + n * 60_000, n, n, START_MS + n * 60_000)
             for n in numbers))
        db.execute("UPDATE dispatch SET cursor = ?, delivered = ?, failed = ?", (
            COUNT, COUNT - COUNT // 10, COUNT // 10))
    db.close()


class Many(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.here = Serving("retention_days = 36500, failed_retention_days = 36500", fill)
        cls.addClassCleanup(cls.here.close)
        cls.read = cls.here.token("read")

    def page(self, query):
        answer = self.here.ask("GET", "/api/v1/requests?" + query, token=self.read)
        self.assertEqual(answer.status, 200, answer.body[:300])
        self.assertLess(len(answer.body), 200 * 600)
        return answer.json()

    def test_pages_are_bounded_and_follow_each_other(self):
        for query, expected in (("", None), ("state=failed&", 10), ("account=default&", None),
                                ("event_type=event_points_earned&", None)):
            seen, after = [], ""
            for _ in range(5):
                page = self.page(f"{query}limit=200{after}")
                self.assertEqual(len(page["requests"]), 200)
                seen += [int(row["request_id"][8:], 16) for row in page["requests"]]
                after = "&after=" + page["next"]
            step = expected or 1
            self.assertEqual(seen, list(range(COUNT, COUNT - 1000 * step, -step)), query)

    def test_what_is_rare_is_found(self):
        self.assertEqual(len(self.page("member=m-7&limit=200")["requests"]), 200)
        old = self.page("until=2023-11-15T14:53:20.000Z&limit=3")["requests"]
        self.assertEqual([int(row["request_id"][8:], 16) for row in old], [999, 998, 997])
        self.assertEqual(self.page("state=retrying"), {"requests": [], "next": None})

    def test_figures_are_those_of_the_log(self):
        stats = self.here.ask("GET", "/api/v1/stats", token=self.read).json()
        self.assertEqual(stats["requests"]["failed"], COUNT // 10)
        dry = self.here.ask("POST", "/api/v1/requests/retry-failed", {"dry_run": True},
                            token=self.here.token("write"))
        self.assertEqual(json.loads(dry.body), {"total": COUNT // 10})


if __name__ == "__main__":
    unittest.main()
