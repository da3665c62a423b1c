"""loyalhook explain, as a person reads it: what became of an event, webhook by webhook, and whether
the command that it hands out does help.
"""

import shlex
import unittest

from test_delivery import Delivery, event


class Explain(Delivery):

    def explain(self, event_id):
        """The document's webhooks by name, and the text for people."""
        document = self.shop.run("explain", event_id, "--json").json()
        self.assertEqual(list(document),
                         ["event", "explanation", "workers", "webhooks"])
        text = self.shop.run("explain", event_id).out
        for webhook in document["webhooks"]:
            self.assertIn(f"{webhook['name']}: {webhook['verdict']}\n", text)
            self.assertIn(webhook["explanation"], text)
            if webhook["hint"]:
                self.assertIn("try: " + webhook["hint"] + "\n", text)
            for attempt in (webhook["request"] or {}).get("attempts", []):
                self.assertIn(attempt["explanation"].split(" (")[0], text)
        return {webhook["name"]: webhook for webhook in document["webhooks"]}, text

    def emit(self):
        return self.shop.emit_lines([event()])["ids"][0]

    def test_a_story_with_a_good_a_bad_and_a_disabled_webhook(self):
        self.endpoint.script("/bad", [{"status": 503, "body": "\x1b[31mbusy\r\nmaintenance"}])
        self.webhook("/ok")
        self.webhook("/bad", retries_max=0, pause_after=1)
        self.webhook("/members", event_types=["category:member"])
        self.webhook("/off")
        self.shop.run("webhook", "disable", "off")
        first = self.emit()
        found, _ = self.explain(first)
        self.assertEqual({name: row["verdict"] for name, row in found.items()},
                         {"ok": "waiting", "bad": "waiting", "members": "not_subscribed",
                          "off": "disabled"})
        self.assertIn("no worker is running", found["ok"]["explanation"])
        self.shop.work_until_idle()
        found, text = self.explain(first)
        self.assertEqual(found["ok"]["verdict"], "delivered")
        self.assertEqual(found["bad"]["verdict"], "failed")
        self.assertIn("was answered 503", text)
        self.assertIn("maintenance", text)
        self.assertNotIn("\x1b", text)
        self.assertEqual(found["bad"]["request"]["attempts"][0]["status"], 503)
        second = self.emit()
        found, _ = self.explain(second)
        self.assertIn("paused (failures)", found["bad"]["explanation"])
        self.shop.work_until_idle()
        found, _ = self.explain(second)
        self.assertEqual((found["bad"]["verdict"], found["bad"]["request"]["reason"]),
                         ("failed", "paused"))
        enable = found["bad"]["hint"].split(" && ")[0]
        self.shop.run(*shlex.split(enable)[1:])
        self.assertEqual(self.explain(second)[0]["bad"]["status"], "enabled")

    def test_what_is_not_there(self):
        answer = self.shop.run("explain", "61f1dfbd0c709aac1851b526", expect=4)
        self.assertRegex(answer.err, r"^loyalhook: no event has this id; .*retention_days\n$")
        self.shop.run("explain", "crm", expect=5)
        _, text = self.explain(self.emit())
        self.assertIn("no webhook of its account existed when it was emitted", text)

    def test_an_id_of_the_other_kind_is_recognised(self):
        self.webhook("/ok")
        event_id = self.emit()
        self.shop.work_until_idle()
        request_id = self.shop.requests()[0]["request_id"]
        for words in (["explain", request_id], ["request", "show", event_id]):
            said = self.shop.run(*words, expect=4).err.strip()
            self.shop.run(*said.split("loyalhook ")[1].split())
        self.assertRegex(self.shop.run("retry", event_id, expect=4).out, "unknown +no request has")
        self.assertRegex(self.shop.run("retry", request_id).out, "not_failed +it waits, is being")


if __name__ == "__main__":
    unittest.main()
