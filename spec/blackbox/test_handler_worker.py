"""Shipped handlers in a real worker against the vendors' stand-ins: events go into the inbox,
`work` runs the handlers, and the vendor's side is looked at. Workers are killed between the remote
effect and its record. Where a retry has to wait, no worker runs and the due times are moved.
"""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import unittest

from cli import TOP, VMS, Workshop, lua_environment, wait_for
from endpoint import Endpoint
from receiving import SECRET, signed

sys.path.insert(0, "spec/harness/vendors")

from hubspot import HubSpot  # noqa: E402
from salesforce import Salesforce  # noqa: E402
from stripe import Stripe  # noqa: E402
from wallet import Wallet  # noqa: E402

HOUR_S = 3600
CREDITS = """credits = { event_points_redeemed = {
        points = "transaction_info.redeem_info.points", rate = { points = 100, amount = 500 } } }"""


def member(number):
    return {"member_id": f"m{number}", "first_name": "Zoë", "last_name": "Brandt",
            "email_address": f"m{number}@example.com", "available_points": str(number),
            "custom_attributes": {"stripe_customer_id": "cus_A1"}}


def redeemed(number=1, points=360):
    return {"id": f"{number:024x}", "event_type": "event_points_redeemed",
            "data": {"member_info": member(number),
                     "transaction_info": {"redeem_info": {"points": points}}}}


class Case(unittest.TestCase):
    vendor_class = None
    vm = "lua5.4"

    def setUp(self):
        if self.vendor_class:
            self.vendor = self.vendor_class()
            self.vendor.__enter__()
            self.addCleanup(self.vendor.close)
        self.shop = Workshop(self.vm)
        self.addCleanup(self.shop.close)
        self.shop.run("init")

    def configure(self, *handlers):
        self.shop.write("loyalhook.lua", """return {
  allow_http = true, allow_networks = { "127.0.0.0/8" },
  handlers = {
    %s
  },
}
""" % ",\n    ".join("{ from = \"start\", " + one + " }" for one in handlers))

    def accept(self, *events):
        body = json.dumps({"request_id": "0" * 24, "created_date": "01/01/2026 00:00:00",
                           "total_count": str(len(events)), "events": events}).encode()
        line = {"source": "zinrelo", "headers": signed(body), "body": body.hex()}
        done = subprocess.run(
            [VMS[self.shop.vm], os.path.join(TOP, "spec/harness/accept.lua"),
             "sqlite:" + self.shop.path("loyalhook.db"),
             json.dumps({"zinrelo": {"secrets": [SECRET]}})], input=json.dumps(line) + "\n",
            capture_output=True, text=True, timeout=60, check=True,
            env={**os.environ, **lua_environment(self.shop.vm)})
        self.assertEqual("200", done.stdout[:3], done.stdout[:500])

    def sql(self, statement, *values):
        with sqlite3.connect(self.shop.path("loyalhook.db"), timeout=30) as store:
            found = store.execute(statement, values).fetchall()
        store.close()
        return found

    def hurry(self):
        """Every wait is over."""
        self.sql("UPDATE tasks SET due_ms = 0 WHERE due_ms IS NOT NULL")

    def states(self):
        """Per state how many tasks: pending 0, running 1, retrying 2, done 3, failed 4."""
        return dict(self.sql("SELECT state, count(*) FROM tasks GROUP BY state"))

    def work(self):
        self.shop.run("work", "--role", "handle", "--until-idle", expect=None, limit_s=120)

    def work_until(self, condition, what):
        """A worker runs until condition() holds, and is then stopped."""
        worker = self.shop.start("work", "--role", "handle")
        try:
            return wait_for(condition, 60, what)
        finally:
            worker.terminate()
            worker.wait(60)

    def good(self):
        self.assertEqual([], self.vendor.problems())


class StripeTest(Case):
    vendor_class = Stripe

    def setUp(self):
        super().setUp()
        self.configure('use = "wallet.stripe", secret_key = "sk_test_1", currency = "eur", '
                       f'url = "{self.vendor.url}", {CREDITS}')

    def credited_once(self):
        self.good()
        self.assertEqual([-1800], [one["amount"] for one in self.vendor.customers["cus_A1"]])
        self.assertEqual({3: 1}, self.states())

    def kill_after_the_effect(self):
        """The worker dies when the credit has been made and nobody has told it so."""
        self.vendor.script(["timeout_after"])
        worker = self.shop.start("work", "--role", "handle")
        wait_for(lambda: self.vendor.customers["cus_A1"], 60, "credit")
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        self.assertEqual({1: 1}, self.states())

    def test_a_worker_killed_between_the_credit_and_its_record(self):
        self.accept(redeemed())
        self.kill_after_the_effect()
        self.work_until(lambda: self.states() == {3: 1}, "done")
        self.credited_once()
        self.assertEqual(2, len(self.vendor.requests))

    def test_the_same_25_hours_later_when_stripe_has_forgotten_the_key(self):
        self.accept(redeemed())
        self.kill_after_the_effect()
        self.sql("UPDATE tasks SET first_ms = first_ms - ?", 25 * HOUR_S * 1000)
        self.vendor.customers["cus_A1"][0]["created"] -= 25 * HOUR_S
        self.vendor.keys.clear()
        self.work_until(lambda: self.states() == {3: 1}, "done")
        self.credited_once()
        self.assertEqual(["POST", "GET"], [one["method"] for one in self.vendor.requests])

    def test_many_bad_ends_one_after_the_other(self):
        self.accept(redeemed())
        for order in (429, 500, "reset_after", "half", "reset", 503):
            self.vendor.script([order])
            self.work_until(lambda: self.states() == {2: 1} and not self.vendor.entries, "a try")
            self.hurry()
        self.work_until(lambda: self.states() == {3: 1}, "done")
        self.credited_once()

    def test_what_stripe_asks_for_is_waited(self):
        self.accept(redeemed())
        self.vendor.script([{"status": 429, "headers": {"Retry-After": "3000"}}])
        self.work_until(lambda: self.states() == {2: 1}, "a try")
        (due_ms,), = self.sql("SELECT due_ms FROM tasks")
        self.assertGreater(due_ms, (time.time() + 2000) * 1000)
        self.assertIn("Stripe answered 429", self.shop.run("inbox", "show", "1".zfill(24)).out)

    def test_what_cannot_be_credited_fails_at_once(self):
        self.accept(redeemed(points=-5))
        self.work()
        self.assertEqual({4: 1}, self.states())
        self.assertIn("expected a whole number", self.shop.run("inbox", "show", "1".zfill(24)).out)
        self.assertEqual([], self.vendor.requests)


class StripeOnLuaJitTest(StripeTest):
    vm = "luajit"


class WalletTest(Case):
    vendor_class = Wallet

    def wallet(self, more=""):
        self.shop.write("key", "k-1\n")
        self.configure(
            f'use = "wallet.http", url = "{self.vendor.url}/members/{{{{member_info.member_id}}}}'
            '/credits", body = [[{ "amount": {{amount_decimal}}, "reference": "{{key}}" }]], '
            f'secret_headers = {{ ["X-Api-Key"] = "{self.shop.path("key")}" }}, {CREDITS}, {more}')

    def kill_after_the_effect(self):
        self.vendor.script(["timeout_after"])
        worker = self.shop.start("work", "--role", "handle")
        wait_for(lambda: self.vendor.credits, 60, "credit")
        worker.send_signal(signal.SIGKILL)
        worker.wait()

    def test_a_worker_killed_after_the_credit_with_a_key(self):
        self.wallet('idempotency_header = "Idempotency-Key"')
        self.accept(redeemed())
        self.kill_after_the_effect()
        self.work_until(lambda: self.states() == {3: 1}, "done")
        self.assertEqual(1, len(self.vendor.credits))
        self.good()

    def test_a_worker_killed_after_the_credit_with_a_look_up(self):
        self.wallet(f'lookup = {{ url = "{self.vendor.url}/credits?reference={{{{key}}}}", found = '
                    '{ path = "credits.1.reference", equals = "{{key}}" } }')
        self.accept(redeemed())
        self.kill_after_the_effect()
        self.work_until(lambda: self.states() == {3: 1}, "done")
        self.assertEqual(1, len(self.vendor.credits))
        self.good()

    def test_a_worker_killed_after_the_credit_without_a_guard(self):
        self.wallet()
        self.accept(redeemed())
        self.kill_after_the_effect()
        self.work_until(lambda: self.states() == {4: 1}, "failed")
        self.assertEqual(1, len(self.vendor.credits))
        self.assertIn("unknown", self.shop.run("inbox", "list").out)

    def test_an_answer_that_broke_off_without_a_guard(self):
        self.wallet()
        self.accept(redeemed())
        self.vendor.script(["reset_after"])
        self.work()
        self.assertEqual({4: 1}, self.states())
        self.assertEqual(1, len(self.vendor.credits))


class CrmTest(Case):
    vendor_class = HubSpot

    def test_many_events_go_in_batches_and_one_bad_contact_fails_alone(self):
        self.configure(f'use = "crm.hubspot", token = "pat-test", url = "{self.vendor.url}"')
        events = [redeemed(n) for n in range(1, 151)]
        events[70]["data"]["member_info"]["email_address"] = "nonsense"
        self.accept(*events)
        self.work()
        self.assertEqual({3: 149, 4: 1}, self.states())
        self.assertEqual(149, len(self.vendor.contacts))
        self.good()
        self.assertLess(len(self.vendor.requests), 75)

    def test_one_members_events_come_in_order(self):
        self.configure(f'use = "crm.hubspot", token = "pat-test", url = "{self.vendor.url}"')
        events = [redeemed(n) for n in range(1, 41)]
        for number, event in enumerate(events):
            event["data"]["member_info"].update(member(7), available_points=str(number))
        self.accept(*events)
        self.work()
        self.good()
        self.assertEqual({3: 40}, self.states())
        self.assertEqual("39", self.vendor.contacts[0]["properties"]["loyalty_points"])


class SalesforceTest(Case):
    vendor_class = Salesforce

    def test_many_at_once_fetch_one_token(self):
        self.configure(f'use = "crm.salesforce", url = "{self.vendor.url}", client_id = "client-1",'
                       ' client_secret = "secret 1"')
        self.accept(*[redeemed(n) for n in range(1, 41)])
        self.work()
        self.good()
        self.assertEqual({3: 40}, self.states())
        self.assertEqual(40, len(self.vendor.contacts))
        self.assertEqual(1, self.vendor.fetched)


class ForwardTest(Case):
    def test_forwarded_bytes_are_signed_and_the_log_has_no_member(self):
        endpoint = Endpoint(bodies=True).start()
        self.addCleanup(endpoint.stop)
        self.configure(f'use = "forward", url = "{endpoint.url()}", secret = "a secret of ours"',
                       'use = "log"')
        self.accept(redeemed())
        shown = self.shop.run("work", "--role", "handle", "--until-idle").err
        self.assertEqual({3: 2}, self.states())
        line, = [one for one in shown.splitlines() if "event received" in one]
        self.assertIn("event=" + "1".zfill(24), line)
        self.assertNotIn("m1", line.replace("1".zfill(24), ""))
        self.assertEqual(1, len(endpoint.requests()))


if __name__ == "__main__":
    unittest.main()
