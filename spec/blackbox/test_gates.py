"""Gates under load: several workers at once, and a webhook that pauses, is disabled or deleted in
the middle. What the endpoint got is exactly what was leased before, and the log says so.
"""

import unittest

from cli import Workshop, stop, wait_for
from endpoint import Endpoint
from test_delivery import event

WORKERS = 8
EVENTS = 400


class Gates(unittest.TestCase):

    def setUp(self):
        self.shop = Workshop()
        self.addCleanup(self.shop.close)
        self.other = Workshop(vm="luajit", folder=self.shop.folder)
        self.addCleanup(self.other.close)
        self.endpoint = Endpoint(bodies=False).start()
        self.addCleanup(self.endpoint.stop)
        self.shop.init()

    def start_workers(self):
        return [(self.shop, self.other)[n % 2].start("work", "--concurrency", 16)
                for n in range(WORKERS)]

    def emit(self, count=EVENTS):
        self.shop.emit_lines([event(n) for n in range(count)])

    def status(self):
        return self.shop.run("webhook", "show", "w", "--json").json()["status"]

    def settled(self):
        """All requests, once none is unfinished and every event is in one."""
        def look():
            rows = self.shop.requests("--webhook", "w")
            open_ones = [r for r in rows if r["state"] not in ("delivered", "failed")]
            return rows if rows and not open_ones else None
        return wait_for(look, 60, "nothing is unfinished")

    def check_the_wire(self, rows):
        """One request on the wire for each attempt that is logged, none more."""
        attempts = sum(row["attempts_made"] for row in rows)
        self.assertEqual(len(self.endpoint.requests()), attempts)
        return attempts

    def check_nothing_more_comes(self, workers):
        """New events move no worker: they are not sent, though every worker looks at them."""
        before = len(self.endpoint.requests())
        self.emit(50)
        for worker in workers:
            code, _, err = stop(worker)
            self.assertEqual(code, 0, err)
        self.shop.work_until_idle()
        self.assertEqual(len(self.endpoint.requests()), before)

    def test_pause_comes_exactly_at_the_threshold(self):
        self.endpoint.script("/w", ["status/500"])
        self.shop.webhook("w", self.endpoint.url("/w"), batch_size=1, retries_max=0,
                          max_in_flight=64, pause_after=7)
        workers = self.start_workers()
        self.emit()
        wait_for(lambda: self.status() == "paused", 60, "paused")
        rows = self.settled()
        reasons = [row["reason"] for row in rows]
        self.assertEqual(reasons.count("retries_exhausted"), 7)
        self.assertEqual(set(reasons), {"retries_exhausted", "paused"})
        self.check_the_wire(rows)
        self.check_nothing_more_comes(workers)
        rows = self.settled()
        self.assertEqual(sum(row["total_count"] for row in rows), EVENTS + 50)
        webhook = self.shop.run("webhook", "show", "w", "--json").json()
        self.assertEqual((webhook["status"], webhook["failed_in_a_row"]), ("paused", 7))

    def stop_in_the_middle(self, verb, reason):
        self.endpoint.script("/w", ["delay/50"])
        self.shop.webhook("w", self.endpoint.url("/w"), batch_size=1, max_in_flight=16)
        workers = self.start_workers()
        self.emit()
        webhook = self.shop.run("webhook", "show", "w", "--json").json()["id"]
        self.endpoint.wait(40, "/w", 60)
        self.shop.run("webhook", verb, webhook)
        rows = wait_for(lambda: self.finished(webhook), 60, "nothing is unfinished")
        delivered = [row for row in rows if row["state"] == "delivered"]
        failed = [row for row in rows if row["state"] == "failed"]
        self.assertGreaterEqual(len(delivered), 24)   # what had arrived, less what flew
        self.assertEqual({row["reason"] for row in failed}, {reason})
        self.assertEqual(sum(row["total_count"] for row in rows), EVENTS)
        self.check_the_wire(rows)
        self.check_nothing_more_comes(workers)
        self.assertEqual(len(self.shop.requests("--webhook", webhook)), len(rows))

    def finished(self, webhook):
        rows = self.shop.requests("--webhook", webhook)
        done = sum(row["total_count"] for row in rows
                   if row["state"] in ("delivered", "failed"))
        return rows if done == EVENTS else None

    def test_disable_in_the_middle(self):
        self.stop_in_the_middle("disable", "disabled")

    def test_delete_in_the_middle(self):
        self.stop_in_the_middle("delete", "deleted")


if __name__ == "__main__":
    unittest.main()
