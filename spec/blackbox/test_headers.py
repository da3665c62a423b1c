"""What the log shows of our headers is what the endpoint got, attempt by attempt, however the
webhook was changed since; and its signature is one that Python makes too.
"""

import base64
import hashlib
import hmac
import socket
import unittest

from test_delivery import SECRET, Delivery, event, wire_body
from test_webhooks import NEW, zinrelo

CONNECTIONS = {"host", "user-agent", "content-length"}
OLD_STANDARD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEW_STANDARD = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


def standard(secret, headers, body):
    message = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return "v1," + base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode()


class Headers(Delivery):

    def edit(self, *words, **more):
        self.shop.run("webhook", *words, **more)

    def one(self):
        """The only request, shown."""
        (row,) = self.shop.requests()
        return self.shop.request(row["request_id"])

    def again(self):
        """A further attempt of the only request, which failed for good."""
        self.shop.run("retry", self.one()["request_id"])
        self.shop.work_until_idle()

    def compare(self, attempts, path="/hook"):
        """Names, values and order of all that we set, of every attempt."""
        seen = self.endpoint.wait(len(attempts), path, 0.1)
        self.assertEqual(len(attempts), len(seen))
        for attempt, entry in zip(attempts, seen):
            came = [(name, value) for name, value in entry["headers"]
                    if name.lower() not in CONNECTIONS]
            self.assertEqual(list(attempt["headers"].items()), came)
            self.assertIs(attempt["sent"], True)
        return seen

    def test_an_edit_and_a_rotation_change_no_attempt_of_before(self):
        self.webhook("/hook", header="X-Shop: seven", retries_max=0, pause_after=0)
        self.endpoint.script("/hook", [500])
        self.shop.emit_lines([event()])
        self.shop.work_until_idle()
        before = self.one()["attempts"]
        self.edit("edit", "hook", "--header", "X-Shop: eight", "--header", "Authorization: a b")
        self.assertEqual(self.one()["attempts"], before)
        self.again()
        self.edit("rotate-secret", "hook", "--now", "--secret-stdin", stdin=NEW)
        self.edit("edit", "hook", "--no-headers")
        self.again()
        self.edit("edit", "hook", "--header", "X-Shop: nine")
        attempts = self.one()["attempts"]
        self.assertEqual(attempts[0], before[0])
        seen = self.compare(attempts)
        self.assertEqual([attempt["headers"].get("X-Shop") for attempt in attempts],
                         ["seven", "eight", None])
        for attempt, entry, secret in zip(attempts, seen, (SECRET, SECRET, NEW)):
            self.assertEqual(attempt["headers"]["nonce"], attempt["nonce"])
            self.assertEqual(attempt["headers"]["x-zinrelo-signature"], zinrelo(secret, entry))

    def test_a_change_of_scheme_and_an_overlap_of_secrets(self):
        self.webhook("/hook", retries_max=0, pause_after=0)
        self.endpoint.script("/hook", [500])
        self.shop.emit_lines([event()])
        self.shop.work_until_idle()
        self.edit("rotate-secret", "hook", "--now", "--secret-stdin", stdin=OLD_STANDARD)
        self.edit("edit", "hook", "--scheme", "standard")
        self.again()
        self.edit("rotate-secret", "hook", "--secret-stdin", stdin=NEW_STANDARD)
        self.again()
        self.edit("rotate-secret", "hook", "--now", "--secret-stdin", stdin=OLD_STANDARD)
        attempts = self.one()["attempts"]
        body = wire_body(self.compare(attempts)[0])
        first, second, third = (attempt["headers"] for attempt in attempts)
        self.assertEqual(list(first), ["Content-Type", "nonce", "x-zinrelo-signature"])
        self.assertEqual(second["webhook-id"], self.one()["request_id"])
        self.assertEqual(second["webhook-signature"], standard(OLD_STANDARD, second, body))
        self.assertEqual(third["webhook-signature"].split(" "),
                         [standard(secret, third, body) for secret in (OLD_STANDARD, NEW_STANDARD)])

    def test_what_never_left_is_shown_as_that(self):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            self.shop.webhook("refused", f"http://127.0.0.1:{closed.getsockname()[1]}/",
                              secret=SECRET, retries_max=0, header="X-Shop: seven")
            self.shop.emit_lines([event()])
            self.shop.work_until_idle()
        shown = self.one()
        (attempt,) = shown["attempts"]
        self.assertIs(attempt["sent"], False)
        self.assertEqual(list(attempt["headers"]),
                         ["Content-Type", "nonce", "x-zinrelo-signature", "X-Shop"])
        text = self.shop.run("request", "show", shown["request_id"]).out
        self.assertIn("headers of attempt 1 (nothing was sent; these would have been)\n"
                      "  Content-Type: application/json\n", text)
        self.assertIn("  X-Shop: seven\n", text)

    def test_what_may_not_be_contacted_got_nothing(self):
        self.webhook("/hook", retries_max=0)
        self.shop.emit_lines([event()])
        self.shop.run("work", "--until-idle", LOYALHOOK_ALLOW_NETWORKS="")
        (attempt,) = self.one()["attempts"]
        self.assertIs(attempt["sent"], False, attempt)
        self.assertIn("x-zinrelo-signature", attempt["headers"])
        self.assertEqual(self.endpoint.requests(), [])


if __name__ == "__main__":
    unittest.main()
