"""Nothing that was accepted gets lost: kill -9 at random moments, and many processes on one file.

Emitters say an id only after the emit said ok. At the end each of these ids stands in exactly one
request of each webhook, delivered, or failed with reason worker_lost; no request came over the
wire more often than it has attempts, nor has more than it may; the store is sound.

LOYALHOOK_KILLS (50) and LOYALHOOK_CAMPAIGN_S (60) make the campaigns longer or shorter.
"""

import base64
import collections
import os
import random
import re
import time
import unittest

from cli import Workshop, stop, wait_for
from emitter import TINY_WAL_BYTES, Emitter
from endpoint import Endpoint

KILLS = int(os.environ.get("LOYALHOOK_KILLS", "50"))
CAMPAIGN_S = float(os.environ.get("LOYALHOOK_CAMPAIGN_S", "60"))
REQUEST_ID = re.compile(rb'\{"request_id":"([0-9a-f]{24})"')
UNFINISHED = ("pending", "sending", "retrying")


class Durability(unittest.TestCase):
    def setUp(self):
        self.seed = int(os.environ.get("LOYALHOOK_SEED", str(random.randrange(10 ** 6))))
        self.random = random.Random(self.seed)
        self.shop = Workshop(LOYALHOOK_WAL_BYTES_MAX=str(TINY_WAL_BYTES))
        self.addCleanup(self.shop.close)
        self.endpoint = Endpoint().start()
        self.addCleanup(self.endpoint.stop)
        self.shop.init()
        # A campaign of kills must not pause anybody; a lost attempt is due at once.
        for name, size in (("singles", 1), ("batches", 100)):
            self.endpoint.script("/" + name, [200])
            self.shop.webhook(name, self.endpoint.url("/" + name), batch_size=size,
                              pause_after=0, retry_interval_s=1, retries_max=20, max_in_flight=16)

    def say(self, what):
        print(f"  {what} (LOYALHOOK_SEED={self.seed})", flush=True)

    def finish(self, limit_s):
        """One undisturbed worker ends what is left."""
        worker = self.shop.start("work")

        def done():
            rows = self.shop.run("webhook", "list", "--json").json()["webhooks"]
            waiting = sum(self.shop.run("stats", "--webhook", row["id"], "--json")
                          .json()["waiting"] for row in rows)
            states = self.shop.run("stats", "--json").json()["requests"]
            return waiting + sum(states[state] for state in UNFINISHED) == 0

        wait_for(done, limit_s, "everything finished")
        code, _, err = stop(worker)
        self.assertEqual(code, 0, err)

    def check(self, accepted):
        self.assertGreater(len(accepted), 0)
        self.assertEqual(len(accepted), len(set(accepted)), "an id was given twice")
        wire = self.wire()
        for webhook in self.shop.run("webhook", "list", "--json").json()["webhooks"]:
            rows = self.shop.requests("--webhook", webhook["id"])
            self.check_rows(webhook, rows, accepted)
            for row in rows:
                sent = wire.pop(row["request_id"], 0)
                self.assertLessEqual(sent, row["attempts_made"], row)
                if row["state"] == "delivered":
                    self.assertGreater(sent, 0, row)
        self.assertEqual(wire, {}, "on the wire, but in no list")
        health = self.shop.run("doctor", "--full", "--json", expect=None)
        self.assertIn('"ok"', health.out.replace(" ", ""), health)

    def wire(self):
        """How often each request came over the wire."""
        count = collections.Counter()
        for entry in self.endpoint.requests():
            found = REQUEST_ID.match(base64.b64decode(entry["body"]))
            self.assertIsNotNone(found, entry)
            count[found.group(1).decode()] += 1
        return dict(count)

    def check_rows(self, webhook, rows, accepted):
        seen = collections.Counter()
        for row in rows:
            lost = row["state"] == "failed" and row["reason"] == "worker_lost"
            self.assertTrue(row["state"] == "delivered" or lost, row)
            self.assertLessEqual(row["attempts_made"], webhook["retries_max"] + 1, row)
            self.assertLessEqual(row["total_count"], webhook["batch_size"])
            self.assertEqual(len(row["event_ids"]), row["total_count"])
            seen.update(row["event_ids"])
        twice = [event for event, count in seen.items() if count > 1]
        self.assertEqual(twice, [], f"{webhook['name']}: in two requests")
        missing = [event for event in accepted if event not in seen]
        self.assertEqual(missing, [], f"{webhook['name']}: accepted, but in no request")

    def test_kill_9_of_workers_and_emitters_at_random_moments(self):
        workers = [self.shop.start("work") for _ in range(2)]
        emitters = [Emitter(self.shop, "e0"), Emitter(self.shop, "e1", per_call=7)]
        everyone = list(emitters)
        for kill in range(KILLS):
            time.sleep(self.random.uniform(0.02, 0.5))  # the moment is what is random here
            place = self.random.randrange(4)
            if place < 2:
                workers[place].kill()
                workers[place].communicate()
                workers[place] = self.shop.start("work")
            else:
                place -= 2
                emitters[place].process.kill()
                emitters[place].process.wait()
                emitters[place] = Emitter(self.shop, f"e{place}-{kill}", per_call=1 + 6 * place)
                everyone.append(emitters[place])
        for emitter in emitters:
            emitter.process.kill()
            emitter.process.wait()
        for worker in workers:
            worker.kill()
            worker.communicate()
        self.assertEqual("".join(emitter.complaint() for emitter in everyone), "")
        accepted = [event for emitter in everyone for event in emitter.ids()]
        self.say(f"{KILLS} kills, {len(accepted)} events accepted")
        self.finish(240)
        self.check(accepted)

    def test_ten_emitters_beside_three_workers_with_a_tiny_wal(self):
        workers = [self.shop.start("work") for _ in range(3)]
        emitters = [Emitter(self.shop, f"e{i}", per_call=1 + 3 * (i % 3)) for i in range(10)]
        time.sleep(CAMPAIGN_S)  # how long they run is the test
        for emitter in emitters:
            self.assertIsNone(emitter.process.poll(), emitter.complaint())
            emitter.process.kill()
            emitter.process.wait()
        accepted = [event for emitter in emitters for event in emitter.ids()]
        self.say(f"{CAMPAIGN_S:g} s, {len(accepted)} events accepted")
        for worker in workers:
            code, _, err = stop(worker, limit_s=60)
            self.assertEqual(code, 0, err)
        self.finish(300)
        self.check(accepted)


if __name__ == "__main__":
    unittest.main(verbosity=2)
