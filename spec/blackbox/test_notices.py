"""Notices and their mails as administrators get them: the real command line, a real worker and a
real SMTP server (mail_server.py), which misbehaves on order. What arrived is read with Python's
email package, whose strict policy raises for every defect.

Where five minutes have to pass, no worker is running and the store's due times are moved.
"""

import base64
import email.utils
import html.parser
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import unittest

from cli import Workshop, stop, wait_for
from endpoint import Endpoint
from mail_server import Mailbox

PASSWORD = "correct horse battery"


def setUpModule():
    """One authority, and certificates that it signed: for 127.0.0.1 and for somebody else."""
    global CERTIFICATES
    CERTIFICATES = tempfile.mkdtemp(prefix="loyalhook-tls-")
    request = ("openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
               "-keyout {0}.key -subj /CN={0} ")
    script = request.format("ca") + "-x509 -out ca.pem\n"
    for name, san in (("good", "IP:127.0.0.1"), ("wrong", "DNS:example.com")):
        script += (request.format(name) + f"-out {name}.csr\n"
                   f"echo subjectAltName={san} > {name}.ext\n"
                   f"openssl x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial "
                   f"-days 2 -extfile {name}.ext -out {name}.pem\n")
    subprocess.run(["sh", "-ec", script], cwd=CERTIFICATES, check=True, capture_output=True)


def tearDownModule():
    shutil.rmtree(CERTIFICATES)


def certificate(name):
    return os.path.join(CERTIFICATES, name + ".pem"), os.path.join(CERTIFICATES, name + ".key")


class Elements(html.parser.HTMLParser):
    """Which tags and attributes a page has, and its text."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.words = set(), set(), ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.words += data


class Notices(unittest.TestCase):
    """A store, an endpoint that refuses everything, and a mail server."""

    def setUp(self):
        self.endpoint = Endpoint().start()
        self.addCleanup(self.endpoint.stop)
        self.shop = Workshop()
        self.addCleanup(self.shop.close)
        self.shop.init()

    def serve(self, **options):
        """A mail server, and a configuration that names it."""
        mailbox = Mailbox(**options).start()
        self.addCleanup(mailbox.stop)
        return mailbox

    def configure(self, mailbox, to=("ops@example.com",), **smtp):
        smtp = {"url": mailbox.url(), "from": "notices@example.com", **smtp}
        if not mailbox.starttls and not mailbox.smtps:
            smtp.setdefault("tls", "none")
        fields = ", ".join(f"{name} = {value!r}" for name, value in smtp.items())
        people = ", ".join(map(repr, to))
        self.shop.write("loyalhook.lua", "return { allow_http = true, allow_networks = "
                        f"{{ '127.0.0.0/8' }}, ca_file = '{CERTIFICATES}/ca.pem', "
                        f"notices = {{ smtp = {{ {fields} }}, to = {{ {people} }} }} }}")

    def webhook(self, name="crm", path="/status/500", **fields):
        return self.shop.webhook(name, self.endpoint.url(path), **{
            "batch_size": 1, "retries_max": 0, "pause_after": 1, **fields})

    def emit(self, count=1, **more):
        return self.shop.emit_lines([{"event_type": "event_points_earned", **more,
                                      "data": {"member_info": {"member_id": f"m-{i}"}}}
                                     for i in range(count)])

    def notices(self, *options):
        return self.shop.run("notices", "--json", "--limit", 1000, *options).json()["notices"]

    def sql(self, text):
        """Only while nothing of ours runs."""
        with sqlite3.connect(self.shop.path("loyalhook.db")) as store:
            return store.execute(text).fetchall()

    def five_minutes_later(self):
        self.sql("UPDATE mailings SET due_ms = 0 WHERE due_ms IS NOT NULL")
        self.sql("UPDATE mailings SET sent_ms = 0")
        self.sql("UPDATE dispatch SET next_start_ms = 0, due_ms = 0 WHERE status < 2")

    def parts(self, mail):
        """Text and HTML of a mail that is well-formed in every respect."""
        message = mail.message()
        self.assertEqual(message.get_content_type(), "multipart/alternative")
        self.assertEqual(message["Auto-Submitted"], "auto-generated")
        self.assertEqual(message["MIME-Version"], "1.0")
        for name in ("Date", "From", "To", "Subject", "Message-ID"):
            self.assertEqual(len(message.get_all(name)), 1, name)
        self.assertIsNotNone(email.utils.parsedate_to_datetime(message["Date"]).tzinfo)
        self.assertRegex(message["Message-ID"], r"^<[0-9a-f]{24}@example\.com>$")
        self.assertEqual(message["From"].addresses[0].addr_spec, "notices@example.com")
        self.assertEqual([address.addr_spec for address in message["To"].addresses], mail.to)
        for line in mail.data.split(b"\r\n"):
            self.assertLessEqual(len(line), 78, line)
            self.assertTrue(line.isascii())
            self.assertNotIn(b"\n", line)
        text, page = message.iter_parts()
        self.assertEqual(text.get_content_type(), "text/plain")
        self.assertEqual(page.get_content_type(), "text/html")
        return (text.get_content().replace("\r\n", "\n"),
                page.get_content().replace("\r\n", "\n"))


class Contents(Notices):
    def test_a_pause_is_told_with_all_that_a_person_needs(self):
        mailbox = self.serve()
        webhook = self.webhook(path="/status/503?token=topsecret")
        self.emit(3)
        self.shop.work_until_idle()  # without a mail server: all of it is in the first mail
        self.configure(mailbox)
        self.shop.work_until_idle()
        (mail,) = mailbox.wait(1)
        text, page = self.parts(mail)
        self.assertEqual(mail.message()["Subject"], "Webhook crm was paused: 3 requests failed")
        rows = self.shop.requests("--state", "failed")
        for part in (text, Elements(page).words):
            for wanted in ("crm", f"127.0.0.1:{self.endpoint.port}/status/503", "default",
                           "paused: nothing is sent", "was answered 503",
                           "loyalhook request list --state failed --webhook crm",
                           "loyalhook webhook enable crm",
                           "loyalhook retry --failed --webhook crm",
                           *(row["request_id"] for row in rows)):
                self.assertIn(wanted, part)
            for secret in ("topsecret", "a secret for tests"):
                self.assertNotIn(secret, part)
        self.assertEqual(len(rows), 3)
        made = self.notices("--webhook", webhook["id"])
        self.assertEqual([row["kind"] for row in made].count("paused"), 1)
        self.assertEqual([row["kind"] for row in made].count("failed"), 3)
        self.assertTrue(all(row["mailed"] for row in made))

    def test_the_commands_of_a_mail_do_what_they_say(self):
        mailbox = self.serve()
        self.configure(mailbox)
        self.webhook(name="it's crm & more", path="/hook")
        self.endpoint.script("/hook", [500, 200])
        self.emit(2)
        self.shop.work_until_idle()
        text, _ = self.parts(mailbox.wait(1)[0])
        commands = re.findall(r"^    (loyalhook .*)$", text, re.M)
        self.assertEqual(len(commands), 3)
        lua, program = self.shop.command()[:2]
        for command in commands:
            script = f"loyalhook() {{ {lua} {program} \"$@\"; }}\n{command}"
            done = subprocess.run(["sh", "-c", script], cwd=self.shop.folder,
                                  env=self.shop.environment, capture_output=True, check=False)
            self.assertEqual(done.returncode, 0, (command, done.stderr))
        self.shop.work_until_idle()
        self.assertEqual({row["state"] for row in self.shop.requests()}, {"delivered"})

    def test_names_and_answers_cannot_inject_anything(self):
        mailbox = self.serve()
        self.configure(mailbox)
        evil = "\"><script>alert(1)</script> =?UTF-8?Q?x?= Zo\u00eb \u202e%1 --=_ Bcc: x@y"
        self.endpoint.script("/hook", [{"status": 500, "body": (
            "x\r\n\r\n.\r\nBcc: thief@example.com\r\n--=_\r\n<img src=http://u:p@evil.example/?q=1>"
            "\x1b[2J\u202e")}])
        self.webhook(name=evil, path="/hook?<b>=\"'")
        self.emit()
        self.shop.work_until_idle()
        (mail,) = mailbox.wait(1)
        text, page = self.parts(mail)
        self.assertEqual(mail.to, ["ops@example.com"])
        self.assertNotIn("Bcc", mail.message())
        seen = Elements(page)
        self.assertLessEqual(seen.tags, {"html", "head", "meta", "title", "body", "div", "h1", "h2",
                                         "p", "table", "tr", "td", "span", "br", "pre"})
        self.assertLessEqual(seen.attributes, {"style", "lang", "charset", "name", "content",
                                               "role", "cellspacing", "cellpadding"})
        for part in (text, page, seen.words):
            for forbidden in ("\x1b", "\u202e", "evil.example/?", "u:p@", "http://evil"):
                self.assertNotIn(forbidden, part)
        self.assertIn("Zo\u00eb", mail.message()["Subject"])

    def test_every_account_writes_to_its_own_people(self):
        mailbox = self.serve()
        self.configure(mailbox)
        self.shop.run("account", "set", "shop-7", "--notify", "a@shop.example,b@shop.example")
        for account in ("shop-7", "shop-8"):
            self.webhook(name=account, path=f"/status/500?{account}", account=account)
            self.emit(account=account)
        self.shop.work_until_idle()
        sent = {tuple(mail.to): mail.message()["Subject"] for mail in mailbox.wait(2)}
        self.assertEqual(sent, {
            ("a@shop.example", "b@shop.example"): "Webhook shop-7 was paused: 1 request failed",
            ("ops@example.com",): "Webhook shop-8 was paused: 1 request failed"})


class Transfer(Notices):
    def failing(self):
        self.webhook()
        self.emit()
        return self.shop.work_until_idle(LOYALHOOK_LOG_LEVEL="debug")

    def test_starttls_with_a_password_from_a_file(self):
        mailbox = self.serve(starttls=certificate("good"), auth=("tom", PASSWORD))
        self.shop.write("password", PASSWORD + "\n")
        self.configure(mailbox, user="tom", password_file=self.shop.path("password"))
        self.failing()
        (mail,) = mailbox.wait(1)
        self.assertTrue(mail.tls)
        self.assertEqual(mail.user, "tom")

    def test_smtps_with_a_password_in_the_configuration(self):
        mailbox = self.serve(smtps=certificate("good"), auth=("tom", PASSWORD))
        self.configure(mailbox, user="tom", password=PASSWORD)
        self.failing()
        (mail,) = mailbox.wait(1)
        self.assertTrue(mail.tls)

    def test_a_wrong_password_is_an_error_without_it_and_the_mail_stays_due(self):
        mailbox = self.serve(starttls=certificate("good"), auth=("tom", PASSWORD))
        self.configure(mailbox, user="tom", password="wrong " + PASSWORD)
        answer = self.failing()
        self.assertEqual(mailbox.arrived(None), [])
        self.assertIn("the server refuses user and password (535 5.7.8)", answer.err)
        forms = [PASSWORD, base64.b64encode(b"\0tom\0wrong " + PASSWORD.encode()).decode()[:20]]
        for form in forms:
            self.assertNotIn(form, answer.err + answer.out)
        self.assertEqual({row["mailed"] for row in self.notices()}, {False})
        self.configure(mailbox, user="tom", password=PASSWORD)
        self.five_minutes_later()
        self.shop.work_until_idle()
        mailbox.wait(1)
        self.assertEqual({row["mailed"] for row in self.notices()}, {True})

    def test_stripped_starttls_and_foreign_certificates_get_nothing(self):
        for options, words in (({"starttls": certificate("good"), "no_starttls": True}, "STARTTLS"),
                               ({"starttls": certificate("wrong")}, ""),
                               ({"smtps": certificate("wrong")}, "")):
            with self.subTest(options), Workshop() as self.shop:
                self.shop.init()
                mailbox = self.serve(**options)
                self.configure(mailbox, user="tom", password=PASSWORD)
                answer = self.failing()
                self.assertIn("a mail about notices was refused", answer.err)
                self.assertIn(words, answer.err)
                self.assertEqual((mailbox.arrived(None), mailbox.attempts), ([], []))
                self.assertEqual({row["mailed"] for row in self.notices()}, {False})

    def fail_another(self):
        """Five minutes later: first what is due is mailed, then one more request fails."""
        self.five_minutes_later()
        self.emit()
        self.shop.work_until_idle()

    def after(self, *orders):
        """Two requests fail, then time passes: all mails that came to their end, and the server
        that did to each what it was ordered."""
        mailbox = self.serve()
        self.configure(mailbox)
        mailbox.order(*orders)
        self.webhook(pause_after=0)
        self.fail_another()
        self.fail_another()
        for _ in range(3):
            self.five_minutes_later()
            self.shop.work_until_idle()
        return [mail.message() for mail in mailbox.arrived(None)], mailbox

    def test_refused_mails_merge_with_what_comes_and_have_another_id(self):
        mails, mailbox = self.after("451", "554", "mail/550", "accept")
        self.assertEqual([mail["Subject"] for mail in mails],  # one was refused before its end
                         [f"Webhook crm: {words} failed"
                          for words in ("1 request", "1 request", "2 requests")])
        self.assertEqual(len({mail["Message-ID"] for mail in mails}), 3)
        self.assertEqual(len(mailbox.arrived()), 1)

    def test_a_mail_that_may_have_arrived_comes_again_as_it_was(self):
        mails, _ = self.after("drop", "451", "accept", "accept")
        self.assertEqual(len(mails), 4)
        first, again, third, other = mails
        self.assertEqual([again["Message-ID"], third["Message-ID"]], [first["Message-ID"]] * 2)
        self.assertNotEqual(other["Message-ID"], first["Message-ID"])
        self.assertEqual({mail["Subject"] for mail in mails}, {"Webhook crm: 1 request failed"})

    def test_a_refused_recipient_keeps_nobody_else_from_the_mail(self):
        mailbox = self.serve()
        self.configure(mailbox, to=("refuse-550@example.com", "ops@example.com"))
        answer = self.failing()
        (mail,) = mailbox.wait(1)
        self.assertEqual(mail.to, ["ops@example.com"])
        self.assertIn("1 of 2 recipients refused, refuse-550@example.com: 550 5.1.1", answer.err)
        self.assertTrue(all(row["mailed"] for row in self.notices()))

    def test_without_a_server_or_recipients_notices_are_listed(self):
        self.failing()
        self.assertEqual([row["mailed"] for row in self.notices()], [False, False])
        table = self.shop.run("notices").out
        self.assertIn("webhook paused", table)
        self.assertIn("request failed", table)
        mailbox = self.serve()
        self.configure(mailbox, to=())
        self.shop.work_until_idle()
        self.assertEqual(mailbox.arrived(None), [])
        self.shop.run("account", "set", "default", "--notify", "late@example.com")
        self.shop.work_until_idle()
        self.assertEqual(mailbox.wait(1)[0].to, ["late@example.com"])


class Delivery(Notices):
    """Mail never influences delivery."""

    def test_a_hanging_mail_server_holds_up_nothing(self):
        mailbox = self.serve(starttls=certificate("good"))
        self.configure(mailbox)
        mailbox.order("hang")
        self.webhook()
        self.endpoint.script("/good", [200])
        self.webhook(name="good", path="/good", event_types=["event_member_enrol"])
        worker = self.shop.start("work")
        self.emit()
        mailbox.wait(1, accepted=None)  # the end of the mail is there, its answer never comes
        for number in range(5):
            self.shop.run("emit", "event_member_enrol", "--data",
                          f'{{"member_info":{{"member_id":"{number}"}}}}')
            self.assertEqual(len(self.endpoint.wait(number + 1, "/good")), number + 1)
        self.assertEqual(len(mailbox.arrived(None)), 1)
        worker.kill()

    def test_kill_9_between_the_mail_and_its_record(self):
        mailbox = self.serve()
        self.configure(mailbox)
        mailbox.order("hang")
        self.webhook()
        self.emit()
        worker = self.shop.start("work")
        (first,) = mailbox.wait(1, accepted=None)
        worker.send_signal(signal.SIGKILL)
        worker.communicate()
        worker = self.shop.start("work")
        second = mailbox.wait(1)[0]
        wait_for(lambda: all(row["mailed"] for row in self.notices()), what="recorded")
        code, _, err = stop(worker)
        self.assertEqual(code, 0, err)
        self.assertEqual(first.message()["Message-ID"], second.message()["Message-ID"])
        self.assertEqual(self.parts(first)[0], self.parts(second)[0])
        self.assertEqual(len(mailbox.arrived(None)), 2)

    def test_sigterm_waits_for_a_mail_in_flight(self):
        mailbox = self.serve()
        self.configure(mailbox)
        mailbox.order("slow/1500")
        self.webhook()
        self.emit()
        worker = self.shop.start("work")
        mailbox.wait(1, accepted=None)
        code, _, err = stop(worker)
        self.assertEqual(code, 0, err)
        self.assertIn("notice mailed", err)
        self.assertTrue(all(row["mailed"] for row in self.notices()))

    def test_a_drain_that_takes_too_long_leaves_the_mail_for_later(self):
        mailbox = self.serve()
        self.configure(mailbox)
        mailbox.order("hang")
        self.webhook()
        self.emit()
        worker = self.shop.start("work", "--drain-grace-s", "0")
        mailbox.wait(1, accepted=None)
        code, _, err = stop(worker)
        self.assertEqual(code, 0, err)
        self.assertIn("may have arrived", err)
        self.five_minutes_later()
        self.shop.work_until_idle()
        first, second = mailbox.arrived(None)
        self.assertEqual(first.message()["Message-ID"], second.message()["Message-ID"])

    def test_ten_thousand_failures_make_a_handful_of_mails(self):
        mailbox = self.serve()
        self.webhook()
        self.emit(10_000)
        self.shop.work_until_idle()  # without a mail server
        self.configure(mailbox)
        for _ in range(3):
            self.shop.work_until_idle()
            self.five_minutes_later()
        self.emit(5)
        for _ in range(3):
            self.shop.work_until_idle()
            self.five_minutes_later()
        mails = mailbox.arrived(None)
        self.assertEqual(len(mails), 2)
        subjects = [mail.message()["Subject"] for mail in mails]
        self.assertEqual(subjects, ["Webhook crm was paused: 10,000 requests failed",
                                    "Webhook crm: 5 requests failed"])
        text, page = self.parts(mails[0])
        for part in (text, Elements(page).words):
            self.assertIn("… and 9,950 more", part)
            self.assertIn("9,999", part)
        listed = re.findall(r"^  ([0-9a-f]{24})  ", text, re.M)
        self.assertEqual(len(set(listed)), 50)
        known = {row["request_id"] for row in self.shop.requests("--state", "failed")}
        self.assertEqual(len(known), 10_005)
        self.assertLessEqual(set(listed), known)
        cursor, count = [], 0
        while True:
            page = self.shop.run("notices", "--json", "--limit", 1000, *cursor).json()
            count += sum(row["mailed"] for row in page["notices"])
            if not page["next"]:
                break
            cursor = ["--after", page["next"]]
        self.assertEqual(count, 10_006)


class TestMail(Notices):
    def test_one_mail_goes_out_and_the_answer_is_told(self):
        mailbox = self.serve(starttls=certificate("good"), auth=("tom", PASSWORD))
        self.configure(mailbox, user="tom", password=PASSWORD)
        answer = self.shop.run("notices", "test")
        self.assertRegex(answer.out, r"took over the mail for ops@example\.com \(250\), in \d+ ms")
        (mail,) = mailbox.wait(1)
        self.parts(mail)
        answer = self.shop.run("notices", "test", "--to", "refuse-550@x.example", "--json",
                               expect=1).json()
        self.assertEqual((answer["verdict"], answer["status"]), ("refused", 550))
        self.configure(mailbox, user="tom", password="wrong")
        answer = self.shop.run("notices", "test", expect=1)
        self.assertIn("refuses user and password", answer.out)
        self.assertEqual(self.notices(), [])

    def test_doctor_says_what_is_wrong_with_the_settings(self):
        mailbox = self.serve()
        self.configure(mailbox)
        self.assertIn("without TLS", self.shop.run("doctor").out)
        self.configure(mailbox, tls="starttls", user="tom", password_file="nowhere")
        self.assertIn("nowhere", self.shop.run("doctor", expect=3).out)
        self.shop.run("work", "--until-idle", expect=3)


if __name__ == "__main__":
    unittest.main(verbosity=2)
