"""Retention through the command line. Time cannot be moved from outside: the rows of a store that
nobody has open are made older.
"""

import sqlite3
import unittest

from test_delivery import SECRET, Delivery, event, header, wire_body
from test_webhooks import zinrelo

DAY_MS = 86400000


class Retention(Delivery):

    environment = {"LOYALHOOK_WAL_BYTES_MAX": "4096"}   # the file's size shows at once

    def age(self, days):
        database = sqlite3.connect(self.shop.path("loyalhook.db"))
        database.executescript(f"""
            PRAGMA wal_autocheckpoint = 0;
            UPDATE events SET created_ms = created_ms - {days * DAY_MS};
            UPDATE requests SET finished_ms = finished_ms - {days * DAY_MS};""")
        database.close()

    def figures(self):
        return self.shop.run("stats", "--json").json()

    def work_until_clean(self):
        """Each run makes a step or more; what one leaves is the next one's."""
        log = ""
        for _ in range(60):
            before = self.figures()["events"]
            log += self.shop.work_until_idle().err
            if self.figures()["events"] == before:
                return log
        self.fail("there is no end of it")

    def test_a_month_later(self):
        self.endpoint.script("/bad", [500, 200])
        self.webhook("/ok")
        self.webhook("/bad", retries_max=0, pause_after=0)
        ids = self.shop.emit_lines([event(n) for n in range(3)])["ids"]
        self.shop.work_until_idle()
        failed = self.shop.run("request", "list", "--state", "failed", "--json").json()["requests"]
        self.age(31)
        newest = self.shop.emit_lines([event(7)])["ids"][0]
        log = self.work_until_clean()
        self.assertRegex(log, r"deleted what is older than it is to be kept .*events=3")
        self.assertEqual(self.figures()["events"], 1)
        self.shop.run("explain", newest)
        gone = self.shop.run("explain", ids[0], expect=4)
        self.assertIn("older than retention_days", gone.err)
        request = self.shop.request(failed[0]["request_id"])
        self.assertEqual((request["state"], request["event_ids"]), ("failed", ids))
        self.assertEqual(request["attempts"][0]["status"], 500)
        self.shop.run("retry", failed[0]["request_id"])
        self.shop.work_until_idle()
        entries = [entry for entry in self.endpoint.wait(3, "/bad", 0.1)
                   if failed[0]["request_id"].encode() in wire_body(entry)]
        self.assertEqual([entry["answer"] for entry in entries], ["500", "200"])
        self.assertEqual(wire_body(entries[0]), wire_body(entries[1]))
        self.assertEqual(header(entries[1], "x-zinrelo-signature"), zinrelo(SECRET, entries[1]))
        self.assertNotEqual(header(entries[0], "nonce"), header(entries[1], "nonce"))
        request = self.shop.request(failed[0]["request_id"])
        self.assertEqual((request["state"], request["attempts_made"]), ("delivered", 2))
        self.assertEqual(self.shop.run("doctor", "--full", "--json").code, 0)

    def test_nothing_goes_before_its_time(self):
        self.webhook("/ok")
        self.shop.emit_lines([event(n) for n in range(3)])
        self.shop.work_until_idle()
        self.age(40)
        self.shop.emit_lines([event(7)])
        self.shop.run("work", "--until-idle", LOYALHOOK_RETENTION_DAYS="41")
        self.assertEqual(self.figures()["events"], 4)
        self.shop.run("work", "--until-idle", expect=3, LOYALHOOK_RETENTION_DAYS="0")
        self.work_until_clean()
        self.assertEqual(self.figures()["events"], 1)

    def past_headers(self):
        database = sqlite3.connect(f"file:{self.shop.path('loyalhook.db')}?mode=ro", uri=True)
        count, = database.execute("SELECT count(*) FROM past_headers").fetchone()
        database.close()
        return count

    def test_headers_of_before_an_edit_go_with_the_last_attempt_that_had_them(self):
        self.endpoint.script("/bad", [500, 200])
        self.webhook("/ok", header="X-Shop: 1")
        self.shop.run("webhook", "edit", "ok", "--header", "X-Shop: 2")
        self.assertEqual(self.past_headers(), 0)   # no attempt had them
        self.webhook("/bad", header="X-Shop: 1", retries_max=0, pause_after=0)
        self.shop.emit_lines([event(1)])
        self.shop.work_until_idle()
        for name in ("ok", "bad"):
            self.shop.run("webhook", "edit", name, "--header", "X-Shop: 3")
            self.shop.run("webhook", "edit", name, "--timeout-ms", "2000")
        self.assertEqual(self.past_headers(), 2)
        self.shop.emit_lines([event(2)])
        self.shop.work_until_idle()
        self.age(31)
        self.shop.emit_lines([event(3)])
        self.work_until_clean()
        (failed,) = self.shop.requests("--state", "failed")
        shown = self.shop.request(failed["request_id"])["attempts"][0]["headers"]
        self.assertEqual(shown["X-Shop"], "1")
        self.assertEqual(self.past_headers(), 1)
        self.age(61)
        self.shop.emit_lines([event(4)])
        self.work_until_clean()
        self.assertEqual(self.past_headers(), 0)

    def test_what_was_deleted_makes_room_for_what_comes(self):
        self.webhook("/ok")
        lines = [{"event_type": "event_points_earned",
                  "data": {"member_info": {"member_id": f"m-{n}"}, "note": "x" * 2000}}
                 for n in range(2000)]
        sizes = []
        for _ in range(3):
            self.shop.emit_lines(lines)
            self.shop.work_until_idle()
            self.age(31)
            self.shop.emit_lines([event()])
            self.work_until_clean()
            sizes.append(self.figures()["database_bytes"])
        self.assertEqual(self.figures()["events"], 1)
        self.assertGreater(sizes[0], 4000000)
        self.assertLess(sizes[2], sizes[0] * 1.1)


if __name__ == "__main__":
    unittest.main()
