"""Secrets appear nowhere: not in the database, its WAL and backups, logs, arguments, environments,
mails, JSON output, nor in a worker's memory, be it raw, in hex or in base64. And a secret that was
moved to another webhook's row does not decrypt there.
"""

import base64
import os
import re
import sqlite3
import unittest

from cli import Workshop, stop, wait_for
from endpoint import Endpoint
from mail_server import Mailbox
from test_delivery import event

PLAIN = "f0ntaine-de-Vaucluse-4711"
STANDARD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEXT = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


def forms(secret):
    """The ways in which a secret could have been written down."""
    values = {secret.encode()}
    if secret.startswith("whsec_"):
        values |= {secret[6:].encode(), base64.b64decode(secret[6:])}
    found = set()
    for value in values:
        encoded = base64.b64encode(value).rstrip(b"=")
        found |= {value, value.hex().encode(), value.hex().upper().encode(),
                  encoded, encoded.replace(b"+", b"-").replace(b"/", b"_")}
    return found


FORMS = {form for secret in (PLAIN, STANDARD, NEXT) for form in forms(secret)}


def memory(pid):
    """Every readable page of a process that is not a file's."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, \
            open(f"/proc/{pid}/mem", "rb", 0) as pages:
        for line in maps:
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \d+\s*(.*)", line)
            start, end, mode, name = found.groups()
            if "r" not in mode or name.startswith(("[v", "/usr/")):
                continue
            try:
                pages.seek(int(start, 16))
                yield name, pages.read(int(end, 16) - int(start, 16))
            except (OSError, OverflowError, ValueError):
                continue # gone meanwhile, or not for reading


class Nowhere(unittest.TestCase):

    def setUp(self):
        self.shop = Workshop()
        self.addCleanup(self.shop.close)
        self.endpoint = Endpoint().start()
        self.addCleanup(self.endpoint.stop)
        self.shop.init()

    def must_not_hold(self, where, content):
        for form in FORMS:
            self.assertNotIn(form, content, where)

    def webhooks(self):
        self.endpoint.script("/plain", [500, 200])
        self.endpoint.script("/standard", [500, "reset", 200])
        shown = [self.shop.webhook("plain", self.endpoint.url("/plain"), secret=PLAIN,
                                   retry_interval_s=1),
                 self.shop.webhook("standard", self.endpoint.url("/standard"), secret=STANDARD,
                                   scheme="standard", retry_interval_s=1)]
        self.assertEqual([row.pop("secret") for row in shown], [PLAIN, STANDARD])
        self.shop.run("webhook", "rotate-secret", "standard", "--secret-stdin", stdin=NEXT)
        return shown

    def test_after_all_that_can_be_done_with_them(self):
        said = [repr(self.webhooks()).encode()]
        self.shop.webhook("gone", self.endpoint.url("/echo-back"), secret=PLAIN, retries_max=0)
        self.endpoint.script("/echo-back", [410])
        mailbox = Mailbox().start()
        self.addCleanup(mailbox.stop)
        worker = self.shop.start("work", "--log-level", "debug", "--log-format", "json",
                                 LOYALHOOK_SMTP_URL=mailbox.url(), LOYALHOOK_SMTP_TLS="none",
                                 LOYALHOOK_NOTICES_FROM="a@example.com",
                                 LOYALHOOK_NOTICES_TO="b@example.com")
        self.shop.emit_lines([event(n) for n in range(20)])
        self.endpoint.wait(2, "/plain", 20)
        wait_for(lambda: self.shop.run("stats", "--json").json()["requests"]["delivered"] >= 2)
        said += [mail.data for mail in mailbox.wait(1)]
        for name in ("cmdline", "environ"):
            with open(f"/proc/{worker.pid}/{name}", "rb") as file:
                said.append(file.read())
        for name, content in memory(worker.pid):
            self.must_not_hold(f"a worker's memory ({name or 'anonymous'})", content)
        for words in (["webhook", "list"], ["webhook", "show", "plain"], ["request", "list"],
                      ["stats"], ["doctor"], ["notices"], ["webhook", "test", "plain"],
                      ["webhook", "edit", "plain", "--batch-size", "3"]):
            answer = self.shop.run(*words, "--json", expect=None)
            said.append(answer.raw + answer.err.encode())
        said.append(self.shop.run("request", "show", self.shop.requests()[0]["request_id"]).raw)
        self.shop.run("backup", "copy.db")
        code, out, err = stop(worker)
        self.assertEqual(code, 0)
        said += [out.encode(), err.encode()]
        for content in said:
            self.must_not_hold("something that was said", content)
        names = os.listdir(self.shop.folder)
        self.assertIn("copy.db", names)
        for name in names:
            with open(self.shop.path(name), "rb") as file:
                self.must_not_hold(name, file.read())

    def test_a_core_of_the_worker_would_show_its_heap(self):
        """That the search through memory can find something."""
        worker = self.shop.start("work")
        wanted = b"working on sqlite:"
        wait_for(lambda: any(wanted in page for _, page in memory(worker.pid)), 10, "its heap")
        stop(worker)

    def test_swapped_rows_do_not_decrypt(self):
        self.webhooks()
        database = sqlite3.connect(self.shop.path("loyalhook.db"))
        rows = database.execute("SELECT webhook, secret FROM webhooks ORDER BY webhook").fetchall()
        for (webhook, _), (_, secret) in zip(rows, reversed(rows)):
            database.execute("UPDATE webhooks SET secret = ? WHERE webhook = ?", (secret, webhook))
        database.commit()
        database.close()
        self.assertIn("decrypt", self.shop.run("work", "--until-idle", expect=3).err)
        self.assertEqual(self.endpoint.requests(), [])

    def test_a_moved_secret_pauses_its_webhook_alone(self):
        self.webhooks()
        database = sqlite3.connect(self.shop.path("loyalhook.db"))
        database.execute("UPDATE webhooks SET secret = (SELECT secret FROM webhooks WHERE name ="
                         " 'standard') WHERE name = 'plain'")
        database.commit()
        database.close()
        self.shop.emit_lines([event()])
        self.shop.work_until_idle()
        rows = self.shop.run("webhook", "list", "--json").json()["webhooks"]
        self.assertEqual([(row["status"], row["status_reason"]) for row in rows],
                         [("paused", "secret_unreadable"), ("enabled", None)])
        self.assertEqual(len(self.endpoint.requests("/plain")), 0)
        answer = self.shop.run("webhook", "enable", "plain", "--json", expect=3)
        self.assertEqual(answer.error()["code"], "secret_unreadable")
        # with an overlap the one that cannot sign would go on "signing" for a day
        answer = self.shop.run("webhook", "rotate-secret", "plain", "--json", expect=3)
        self.assertEqual(answer.error()["code"], "secret_unreadable")
        self.shop.run("webhook", "rotate-secret", "plain", "--now", "--secret-stdin", stdin=PLAIN)
        self.shop.run("webhook", "enable", "plain")


if __name__ == "__main__":
    unittest.main()
