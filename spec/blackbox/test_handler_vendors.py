"""Shipped handlers over real sockets against the vendors' stand-ins (spec/harness/vendors), which
check each request by a description of the vendor's API: what is asked for is what the vendor takes,
and however an exchange ends, the remote side ends up right. On both VMs; without a store of events
(spec/harness/exchange.lua), so that a test says which attempt it is and when the first one was.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import unittest

from cli import wait_for

sys.path.insert(0, "spec/harness/vendors")

import schema  # noqa: E402
from hubspot import HubSpot  # noqa: E402
from salesforce import Salesforce  # noqa: E402
from stripe import Stripe  # noqa: E402
from wallet import Wallet  # noqa: E402

BUILD = os.environ.get("BUILD", "build")
HOUR_S = 3600
# Every way an exchange can end badly, and whether the vendor had done its work by then.
BAD_ENDS = [(429, False), (500, False), (503, False), ("timeout", False), ("timeout_after", True),
            ("reset", False), ("reset_after", True), ("half", True), ("status_after/502", True)]


def run_lua(order, vm="lua5.4"):
    command = os.environ.get("LUA54" if vm == "lua5.4" else "LUAJIT", vm)
    setting = {}
    for suffix in ("", "_5_4", "_5_1"):
        setting["LUA_PATH" + suffix] = "lua/?.lua;lua/?/init.lua;spec/?.lua;;"
        setting["LUA_CPATH" + suffix] = f"{BUILD}/{vm}/?.so;;"
    done = subprocess.run([command, "spec/harness/exchange.lua"], input=json.dumps(order),
                          capture_output=True, text=True, timeout=120, check=False,
                          env={**os.environ, **setting})
    if done.returncode:
        raise AssertionError(done.stderr)
    return json.loads(done.stdout)


def member(**more):
    info = {"member_id": "m/1 ä", "first_name": "Zoë", "last_name": "O'Brien",
            "email_address": "zoe@example.com", "available_points": "360",
            "birthdate": "12/29/1990", "tier_info": {"loyalty_tier_name": "Gold"},
            "custom_attributes": {"stripe_customer_id": "cus_A1"}, **more}
    return {"member_info": info}


def earned(number=1, **more):
    return {"id": f"61d0a1b2c3d4e5f6000000{number:02d}", "event_type": "event_points_earned",
            "data": member(**more)}


def redeemed(points=360):
    return {"id": "61d0a1b2c3d4e5f600000099", "event_type": "event_points_redeemed",
            "data": {**member(), "transaction_info": {"redeem_info": {"points": points}}}}


class Case(unittest.TestCase):
    """A vendor, and a handler that is set to it."""

    vendor_class = None
    use = None

    def setUp(self):
        self.vendor = self.vendor_class()
        self.vendor.__enter__()
        self.addCleanup(self.vendor.close)

    def options(self):
        raise NotImplementedError

    def run_all(self, events, vm="lua5.4", options=None, **context):
        stalls = any(str(entry).startswith(("timeout", "gate")) for entry in self.vendor.entries)
        order = {"use": self.use, "options": {**self.options(), **(options or {})},
                 "events": events, "context": {"timeout_ms": 2000 if stalls else 30000, **context}}
        return run_lua(order, vm)

    def run_one(self, event, vm="lua5.4", **more):
        return self.run_all([event], vm, **more)["results"][0]

    def good(self):
        """Nothing that was asked so far is forbidden by the description."""
        self.assertEqual([], self.vendor.problems())


class HubSpotTest(Case):
    vendor_class, use = HubSpot, "crm.hubspot"

    def options(self):
        return {"token": "pat-test", "url": self.vendor.url}

    def test_both_vms_ask_for_the_same_and_it_is_what_the_description_says(self):
        for vm in ("lua5.4", "luajit"):
            self.assertIs(True, self.run_one(earned(), vm))
        self.good()
        first, second = [one["body"] for one in self.vendor.requests]
        self.assertEqual(first, second)
        contact, = self.vendor.contacts
        self.assertEqual(2, contact["upserts"])
        self.assertEqual("360", contact["properties"]["loyalty_points"])
        self.assertEqual("Gold", contact["properties"]["loyalty_tier"])

    def test_the_older_version_of_the_api_and_another_property(self):
        options = {"api_version": "v3", "id_property": "loyalty_member_id",
                   "id_from": "member_info.member_id"}
        self.assertIs(True, self.run_one(earned(), options=options))
        self.good()
        self.assertEqual("m/1 ä", self.vendor.contacts[0]["properties"]["loyalty_member_id"])

    def test_however_a_try_ends_the_next_one_makes_it_right(self):
        for order, _ in BAD_ENDS:
            with self.subTest(order=order):
                self.vendor.contacts.clear()
                self.vendor.script([order])
                self.assertEqual("retry", self.run_one(earned())["kind"])
                self.assertIs(True, self.run_one(earned()))
                self.assertEqual(1, len(self.vendor.contacts))
        self.good()

    def test_a_batch_is_one_request(self):
        events = [earned(n, email_address=f"m{n}@example.com") for n in range(100)]
        self.assertEqual([True] * 100, self.run_all(events)["results"])
        self.good()
        self.assertEqual(1, len(self.vendor.requests))
        self.assertEqual(100, len(self.vendor.contacts))

    def test_the_same_contact_twice_in_a_batch(self):
        events = [earned(1, available_points=1), earned(2, email_address="ZOE@example.com",
                                                        available_points=2)]
        self.assertEqual([True, True], self.run_all(events)["results"])
        self.good()
        self.assertEqual("2", self.vendor.contacts[0]["properties"]["loyalty_points"])

    def test_one_bad_contact_does_not_fail_the_others(self):
        by_id = {"id_property": "loyalty_member_id", "id_from": "member_info.member_id"}
        for options in ({}, by_id, {**by_id, "api_version": "2026-03"}):
            with self.subTest(options=options):
                self.vendor.contacts.clear()
                events = [earned(n, member_id=f"m{n}", email_address=(
                    "nonsense" if n == 3 else f"m{n}@example.com")) for n in range(8)]
                results = self.run_all(events, options=options)["results"]
                self.assertEqual("fail", results.pop(3)["kind"])
                self.assertEqual([True] * 7, results)
                self.assertEqual(7, len(self.vendor.contacts))
        self.good()

    def test_a_property_that_does_not_exist_is_named(self):
        result = self.run_one(earned(), options={"mapping": {"nickname": "member_info.first_name"}})
        self.assertEqual("fail", result["kind"])
        self.assertIn('Property "nickname" does not exist', result["message"])

    def test_a_wrong_token_is_said_without_it(self):
        result = self.run_one(earned(), options={"token": "pat-wrong"})
        self.assertEqual("retry", result["kind"])
        self.assertIn("401", result["message"])
        self.assertNotIn("pat-", json.dumps(result))

    def test_the_stand_in_answers_as_described(self):
        for upserted in ([earned()], [earned(n, member_id=f"m{n}", email_address=mail)
                                      for n, mail in ((1, "a@example.com"), (2, "bad"))]):
            inputs = [{"id": one["data"]["member_info"]["member_id"],
                       "idProperty": "loyalty_member_id", "objectWriteTraceId": one["id"],
                       "properties": {"email": one["data"]["member_info"]["email_address"]}}
                      for one in upserted]
            path = "/crm/objects/2026-03/contacts/batch/upsert"
            request = type("Request", (), {"value": {"inputs": inputs}, "problems": [],
                                           "path": path})()
            reply = self.vendor.act(request, None)
            operation = self.vendor.api.document["paths"][path]["post"]
            self.assertEqual([], schema.complaints(
                operation["responses"][str(reply.status)]["schema"], reply.body,
                self.vendor.api.document))


class SalesforceTest(Case):
    vendor_class, use = Salesforce, "crm.salesforce"

    def options(self):
        return {"url": self.vendor.url, "client_id": "client-1", "client_secret": "secret 1"}

    def test_both_vms_ask_for_the_same_and_it_is_what_the_description_says(self):
        for vm in ("lua5.4", "luajit"):
            self.assertIs(True, self.run_one(earned(), vm))
        self.good()
        upserts = [one for one in self.vendor.requests if one["method"] == "PATCH"]
        self.assertEqual(upserts[0]["body"], upserts[1]["body"])
        self.assertEqual({"upserts": 2, "FirstName": "Zoë", "LastName": "O'Brien",
                          "Email": "zoe@example.com", "Birthdate": "1990-12-29",
                          "Loyalty_Points__c": 360, "Loyalty_Tier__c": "Gold"},
                         self.vendor.contacts["m/1 ä"])

    def test_however_a_try_ends_the_next_one_makes_it_right(self):
        for order, _ in BAD_ENDS:
            for before in ([], ["ok"]): # the token's request, or the upsert
                with self.subTest(order=order, before=before):
                    self.vendor.contacts.clear()
                    self.vendor.script(before + [order])
                    self.assertIn(self.run_one(earned()).get("kind"), ("retry", None))
                    self.assertIs(True, self.run_one(earned()))
                    self.assertEqual(1, len(self.vendor.contacts))
        self.good()

    def test_an_expired_token_is_renewed_within_the_try(self):
        self.vendor.script(["ok", {"status": 401}])
        self.assertIs(True, self.run_one(earned()))
        self.good()
        self.assertEqual(2, self.vendor.fetched)

    def test_what_the_org_refuses(self):
        self.vendor.duplicates = ["m/1 ä"]
        self.assertEqual("fail", self.run_one(earned())["kind"])
        self.vendor.duplicates = []
        self.assertIn("REQUIRED_FIELD_MISSING", self.run_one(earned(last_name=""))["message"])
        self.vendor.script(["ok", 403])
        result = self.run_one(earned())
        self.assertIn("REQUEST_LIMIT_EXCEEDED", result["message"])
        self.assertEqual("retry", result["kind"])
        result = self.run_one(earned(), options={"client_secret": "s-wrong"})
        self.assertIn("invalid_client", result["message"])
        self.assertNotIn("s-wrong", json.dumps(result))


class StripeTest(Case):
    vendor_class, use = Stripe, "wallet.stripe"

    def options(self):
        return {"secret_key": "sk_test_1", "currency": "eur", "url": self.vendor.url, "credits": {
            "event_points_redeemed": {"points": "transaction_info.redeem_info.points",
                                      "rate": {"points": 100, "amount": 500}}}}

    def credited_once(self):
        self.good()
        self.assertEqual([-1800], [one["amount"] for one in self.vendor.customers["cus_A1"]])

    def test_both_vms_ask_for_the_same_and_it_is_what_the_description_says(self):
        for vm in ("lua5.4", "luajit"):
            self.assertIs(True, self.run_one(redeemed("360"), vm))
        self.credited_once() # the second was the same key with the same parameters

    def test_however_a_try_ends_it_is_credited_once(self):
        for order, done in BAD_ENDS:
            with self.subTest(order=order):
                self.vendor.customers["cus_A1"].clear()
                self.vendor.keys.clear()
                self.vendor.script([order])
                self.assertIn(self.run_one(redeemed()).get("kind"), ("retry", None))
                self.assertEqual(1 if done else 0, len(self.vendor.customers["cus_A1"]))
                self.assertIs(True, self.run_one(redeemed(), attempt=2))
                self.credited_once()

    def test_a_try_while_stripe_still_works_on_the_one_before(self):
        self.vendor.script(["gate"])
        self.assertIsNone(self.run_one(redeemed()).get("kind"))
        result = self.run_one(redeemed(), attempt=2)
        self.assertEqual("retry", result["kind"])
        self.assertIn("409", result["message"])
        self.vendor.gate.set()
        wait_for(lambda: self.vendor.customers["cus_A1"])
        self.assertIs(True, self.run_one(redeemed(), attempt=3))
        self.credited_once()

    def test_a_failure_that_stripe_keeps_with_the_key(self):
        for order in ("kept/500", "kept_after/500"):
            with self.subTest(order=order):
                self.vendor.customers["cus_A1"].clear()
                self.vendor.keys.clear()
                self.vendor.script([order])
                self.assertEqual("retry", self.run_one(redeemed())["kind"])
                for attempt in (2, 3):
                    self.assertIs(True, self.run_one(redeemed(), attempt=attempt))
                self.credited_once()

    def test_a_late_try_looks_first_when_the_keys_are_gone(self):
        began_ms = int(time.time() * 1000)
        self.vendor.script(["timeout_after"])
        self.run_one(redeemed(), first_attempt_ms=began_ms)
        self.vendor.advance(25 * HOUR_S) # Stripe has forgotten the key
        old_ms = began_ms - 25 * HOUR_S * 1000 # the handler's clock stays, so its past moves
        self.vendor.customers["cus_A1"][0]["created"] -= 25 * HOUR_S
        self.assertIs(True, self.run_one(redeemed(), attempt=5, first_attempt_ms=old_ms))
        self.credited_once()

    def test_a_late_try_credits_what_was_never_credited(self):
        old_ms = int(time.time() * 1000) - 30 * HOUR_S * 1000
        self.assertIs(True, self.run_one(redeemed(), attempt=5, first_attempt_ms=old_ms))
        self.assertEqual(["GET", "POST"], [one["method"] for one in self.vendor.requests])
        self.credited_once()

    def test_without_the_look_a_late_try_would_have_credited_twice(self):
        """The stand-in does forget keys: else the tests above would prove nothing."""
        self.assertIs(True, self.run_one(redeemed()))
        self.vendor.advance(25 * HOUR_S)
        self.assertIs(True, self.run_one(redeemed(), attempt=2))
        self.assertEqual(2, len(self.vendor.customers["cus_A1"]))

    def test_the_look_reads_every_page(self):
        now = int(time.time())
        for n in range(250):
            self.vendor.customers["cus_A1"].append({
                "id": f"cbtxn_x{n}", "amount": -1, "created": now, "metadata": {
                    "loyalhook_key": ("61d0a1b2c3d4e5f600000099.zinrelo.wallet.stripe"
                                      if n == 3 else "other")}})
        old_ms = (now - 30 * HOUR_S) * 1000
        self.assertIs(True, self.run_one(redeemed(), attempt=5, first_attempt_ms=old_ms))
        self.good()
        self.assertEqual(["GET"] * 3, [one["method"] for one in self.vendor.requests])

    def test_other_parameters_for_the_same_event_are_refused(self):
        self.assertIs(True, self.run_one(redeemed(360)))
        result = self.run_one(redeemed(400), attempt=2)
        self.assertEqual("fail", result["kind"])
        self.assertIn("credited with other parameters before", result["message"])
        self.credited_once()

    def test_a_customer_that_is_not_there(self):
        event = redeemed()
        event["data"]["member_info"]["custom_attributes"]["stripe_customer_id"] = "cus_B2"
        self.assertEqual("fail", self.run_one(event)["kind"])


class WalletTest(Case):
    vendor_class, use = Wallet, "wallet.http"

    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory(prefix="loyalhook-wallet-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        with open(os.path.join(self.folder, "key"), "w", encoding="utf-8") as file:
            file.write("k-1\n")

    def options(self):
        return {"credits": {"event_points_redeemed": {
                    "points": "transaction_info.redeem_info.points",
                    "rate": {"points": 100, "amount": 500}}},
                "url": self.vendor.url + "/members/{{member_info.member_id}}/credits",
                "body": '{"amount": {{amount_decimal}}, "reference": "{{key}}", '
                        '"note": "{{member_info.last_name}}"}',
                "secret_headers": {"X-Api-Key": os.path.join(self.folder, "key")}}

    LOOKUP = {"found": {"path": "credits.1.reference", "equals": "{{key}}"}}

    def guards(self):
        return ({"idempotency_header": "Idempotency-Key"},
                {"lookup": {**self.LOOKUP, "url": self.vendor.url + "/credits?reference={{key}}"}})

    def test_both_vms_ask_for_the_same_and_it_is_what_the_description_says(self):
        for vm in ("lua5.4", "luajit"):
            self.assertIs(True, self.run_one(redeemed(), vm))
        self.good()
        first, second = self.vendor.credits
        self.assertEqual(first, second)
        self.assertEqual({"amount": 18.0, "member": "m/1 ä", "note": "O'Brien",
                          "reference": "61d0a1b2c3d4e5f600000099.zinrelo.wallet.http"}, first)

    def test_with_a_guard_it_is_credited_once_however_a_try_ends(self):
        for options in self.guards():
            for order, done in BAD_ENDS:
                with self.subTest(options=options, order=order):
                    self.vendor.credits.clear()
                    self.vendor.keys.clear()
                    self.vendor.script([order])
                    self.assertIn(self.run_one(redeemed(), options=options).get("kind"),
                                  ("retry", None))
                    self.assertEqual(1 if done else 0, len(self.vendor.credits))
                    self.assertIs(True, self.run_one(redeemed(), options=options, attempt=2))
                    self.assertEqual(1, len(self.vendor.credits))
        self.good()

    def test_without_a_guard_what_may_have_been_credited_is_not_tried_again(self):
        for order, _ in BAD_ENDS:
            with self.subTest(order=order):
                self.vendor.script([order])
                answer = self.run_all([redeemed()])
                kind = answer["results"][0].get("kind")
                if order == 429:
                    self.assertEqual("retry", kind)
                elif isinstance(order, int) or order.startswith("status_after"):
                    self.assertEqual("fail", kind)
                else: # the runtime fails it: when_unknown is "fail" and the exchange was unknown
                    self.assertEqual((None, ["unknown"]), (kind, answer["codes"]))


if __name__ == "__main__":
    unittest.main()
