"""A backup that is taken while `serve` emits, delivers, receives and handles, and the same log,
users and tokens served from it elsewhere (docs/guide/backup-and-upgrade.md).
"""

import http.client
import json
import os
import shutil
import threading
import unittest

from cli import wait_for
from endpoint import Endpoint
from receiving import SECRET, envelope, signed
from serving_api import Serving

HANDLER = """return { name = "shop.points", event_types = { "*" },
  handle = function() return true end }"""
SETTINGS = f"""sources = {{ shop = {{ secrets = {{ "{SECRET}" }} }} }},
  handlers = {{ {{ file = "points.lua" }} }}"""
PASSWORD = "a password of twelve bytes or more"


def with_handler(shop):
    shop.write("points.lua", HANDLER)


class Load:
    """Emits and posts until it is told to stop; what was answered well is listed, in order."""

    def __init__(self, here, token):
        self.here, self.token, self.over = here, token, threading.Event()
        self.emitted, self.received, self.wrong = [], [], []
        self.threads = [threading.Thread(target=self.repeat, args=(one,))
                        for one in (self.emit, self.receive)]
        for thread in self.threads:
            thread.start()

    def repeat(self, one):
        number = 0
        while not self.over.is_set():
            number += 1
            try:
                one(number)
            except (OSError, http.client.HTTPException) as problem:
                self.wrong.append(repr(problem))

    def take(self, answer, status, list_of, found):
        if answer.status == status:
            list_of.append(found(answer))
        else:
            self.wrong.append((answer.status, answer.body))

    def emit(self, number):
        answer = self.here.ask("POST", "/api/v1/events", {
            "event_type": "event_points_earned", "data": {"n": number}}, token=self.token)
        self.take(answer, 202, self.emitted, lambda answer: answer.json()["ids"][0])

    def receive(self, number):
        body = envelope([f"e{number}"])
        answer = self.here.ask("POST", "/receive/shop", body, headers=signed(body))
        self.take(answer, 200, self.received, lambda _: f"e{number}")

    def wait(self, count):
        wait_for(lambda: self.wrong or min(len(self.emitted), len(self.received)) >= count, 60,
                 "load")

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join()


def log_of(here, token, **filters):
    """Every request, by the API; the newest first."""
    rows, cursor = [], None
    while True:
        query = "&".join(f"{name}={value}" for name, value in
                         {**filters, "limit": 200, **({"after": cursor} if cursor else {})}.items())
        page = here.ask("GET", "/api/v1/requests?" + query, token=token).json()
        rows += page["requests"]
        cursor = page["next"]
        if not cursor:
            return rows


class Backup(unittest.TestCase):
    def test_one_taken_under_load_serves_the_same_log_elsewhere(self):
        with Endpoint() as endpoint, Serving(SETTINGS, with_handler) as here:
            here.shop.webhook("crm", endpoint.url("/ok"), batch_size=3)
            here.shop.run("user", "add", "anna", "--role", "admin", "--password-stdin",
                          stdin=PASSWORD)
            token = here.token("write")
            load = Load(here, token)
            try:
                load.wait(40)
                before = (list(load.emitted), list(load.received))
                self.take_backup(here.shop)
                load.wait(len(load.emitted) + 20)
            finally:
                load.stop()
            self.assertEqual(load.wrong, [])
            first = {row["request_id"]: row for row in log_of(here, token)}

            def restore(shop):
                with_handler(shop)
                self.restore(here.shop, shop)
            with Serving(SETTINGS, restore) as there:
                self.assertIsNone(there.head["first_run_token"])
                self.check(there, first, before, token)

    def take_backup(self, shop):
        shop.run("backup", "copy.db")
        shutil.copy2(shop.path("loyalhook.db.key"), shop.path("copy.db.key"))

    def restore(self, old, new):
        """As the page says, where a store has just been made."""
        for end in ("-wal", "-shm", ".lock"):
            if os.path.exists(new.path("loyalhook.db" + end)):
                os.remove(new.path("loyalhook.db" + end))
        for end in ("", ".key"):
            shutil.copy2(old.path("copy.db" + end), new.path("loyalhook.db" + end))
            os.chmod(new.path("loyalhook.db" + end), 0o600)
        self.assertIn("every secret decrypts", new.run("doctor", "--full").out)

    def check(self, there, first, before, token):
        emitted, received = before
        wait_for(lambda: not log_of(there, token, state="sending") and
                 there.cli("stats")["waiting"] == 0, 60, "the copy at rest")
        rows = log_of(there, token)
        self.assertLessEqual(set(emitted), {one for row in rows for one in row["event_ids"]})
        for row in rows:
            self.assertEqual(row["state"], "delivered")
            same = first.get(row["request_id"])
            if same and same["finished_at"] == row["finished_at"]:
                self.assertEqual(row, same)
            elif same: # it was on its way when the copy was made: attempted again, as it was
                self.assertEqual(row["event_ids"], same["event_ids"])
        known = [row for row in rows if row == first.get(row["request_id"])]
        self.assertGreater(len(known), 5)
        inbox = there.shop.run("inbox", "list", "--limit", 1000, "--json").json()["events"]
        self.assertLessEqual(set(received), {row["id"] for row in inbox})
        # Users came along, as tokens did, and what it received it does not take twice.
        signing = {"user": "anna", "password": PASSWORD}
        self.assertEqual(there.ask("POST", "/api/v1/session", signing).status, 201)
        body = envelope([received[0], "new"])
        answer = there.ask("POST", "/receive/shop", body, headers=signed(body))
        self.assertEqual(json.loads(answer.body), {"events": 2, "added": 1})


if __name__ == "__main__":
    unittest.main()
