"""The mail handler against a real SMTP server (mail_server.py), which misbehaves on order: what
members get, and what becomes of mails that are not taken. What arrived is read with Python's email
package, whose strict policy raises for every defect. Each test runs on both VMs."""

import email.utils
import html.parser
import json
import os
import shutil
import signal
import subprocess
import tempfile
import unittest

from cli import TOP, VMS, lua_environment, stop, wait_for
from handling import Handling, accept_events
from mail_server import Mailbox

PASSWORD = "correct horse battery"
NOW_MS = 1767348005000
SECONDS = f"{NOW_MS // 1000:08x}"
EARNED, OTP = "event_points_earned", "event_member_otp_generation"
DRIVER = os.path.join(TOP, "spec", "harness", "handle.lua")
# Where a strict reader of HTML sees no script, picture, form or style of a member's making.
TAGS = {"html", "head", "meta", "title", "style", "body", "div", "h1", "p", "table", "tr", "th",
        "td", "a"}


def setUpModule():
    """A certificate for 127.0.0.1 that is its own authority."""
    global CERTIFICATES
    CERTIFICATES = tempfile.mkdtemp(prefix="loyalhook-tls-")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-keyout", "good.key",
                    "-out", "good.pem", "-subj", "/CN=good", "-addext",
                    "subjectAltName=IP:127.0.0.1"],
                   cwd=CERTIFICATES, check=True, capture_output=True)


def tearDownModule():
    shutil.rmtree(CERTIFICATES)


def certificate():
    return os.path.join(CERTIFICATES, "good.pem"), os.path.join(CERTIFICATES, "good.key")


def event(event_type=EARNED, number=1, **member):
    data = {"member_info": {"member_id": f"m-{number}", "first_name": "Zo\u00eb",
                            "email_address": f"zoe{number}@example.com", **member},
            "transaction_info": {"award_info": {"points": "120"}}, "otp_info": {"otp": "123456"}}
    return {"event_type": event_type, "id": f"{SECONDS}{number:016x}", "data": data}


class Page(html.parser.HTMLParser):
    """Tags, attributes, links and words of a page; fails where a tag is not closed."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.links, self.words, self.open = set(), set(), [], "", []
        self.feed(page)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value for name, value in attrs if name in ("href", "src")]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.words += data


class Mails(unittest.TestCase):
    def serve(self, **options):
        mailbox = Mailbox(**options).start()
        self.addCleanup(mailbox.stop)
        return mailbox

    def handle(self, mailbox, events, vm="lua5.4", smtp=None, timeout_ms=20000, **options):
        """What the handler answered for each event."""
        smtp = {"url": mailbox.url(), "from": "club@shop.example", **(smtp or {})}
        if not mailbox.starttls and not mailbox.smtps:
            smtp.setdefault("tls", "none")
        given = {"handler": "email", "now_ms": NOW_MS, "timeout_ms": timeout_ms,
                 "ca_file": certificate()[0], "events": events,
                 "options": {"event_types": sorted({item["event_type"] for item in events}),
                             "smtp": smtp, **options}}
        done = subprocess.run([VMS[vm], DRIVER], input=json.dumps(given).encode(),
                              capture_output=True, cwd=TOP, check=False, timeout=120,
                              env={**os.environ, **lua_environment(vm)})
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return [json.loads(line) for line in done.stdout.splitlines()]

    def read(self, mail, parts=2):
        """Message, text and page of a mail that is well-formed in every respect."""
        message = mail.message()  # the strict policy raises for defects
        for part in message.walk():
            self.assertEqual(part.defects, [])
        for name in ("Date", "From", "To", "Subject", "Message-ID", "MIME-Version"):
            self.assertEqual(len(message.get_all(name)), 1, name)
            self.assertEqual(message[name].defects, (), name)
        self.assertIsNotNone(email.utils.parsedate_to_datetime(message["Date"]).tzinfo)
        self.assertEqual([address.addr_spec for address in message["To"].addresses], mail.to)
        self.assertEqual(message["Auto-Submitted"], "auto-generated")
        for line in mail.data.split(b"\r\n"):
            self.assertLessEqual(len(line), 998)
            self.assertTrue(line.isascii())
            self.assertNotIn(b"\n", line)
        if parts == 1:
            return message, message.get_content().replace("\r\n", "\n"), None
        self.assertEqual(message.get_content_type(), "multipart/alternative")
        text, page = message.iter_parts()
        self.assertEqual([text.get_content_type(), page.get_content_type()],
                         ["text/plain", "text/html"])
        return (message, text.get_content().replace("\r\n", "\n"),
                page.get_content().replace("\r\n", "\n"))


class Contents(Mails):
    def test_members_read_what_happened(self):
        for vm in VMS:
            with self.subTest(vm):
                mailbox = self.serve()
                answers = self.handle(
                    mailbox, [event()], vm, from_name="Club Zo\u00eb, Leeds",
                    reply_to="help@shop.example",
                    program={"name": "Club Zo\u00eb", "url": "https://shop.example/club"},
                    unsubscribe={"url": "https://shop.example/out?m={{member_info.member_id}}",
                                 "mailto": "out@shop.example"})
                self.assertEqual([answer["done"] for answer in answers], [True], answers)
                (mail,) = mailbox.wait(1)
                self.assertEqual(mail.sender, "club@shop.example")
                message, text, page = self.read(mail)
                self.assertEqual(message["Subject"], "You earned 120 points")
                (sender,) = message["From"].addresses
                self.assertEqual((sender.display_name, sender.addr_spec),
                                 ("Club Zo\u00eb, Leeds", "club@shop.example"))
                self.assertEqual(message["Reply-To"].addresses[0].addr_spec, "help@shop.example")
                self.assertEqual(message["Message-ID"],
                                 f"<{SECONDS}{1:016x}.zinrelo.email@shop.example>")
                self.assertEqual(message["List-Unsubscribe"],
                                 "<https://shop.example/out?m=m-1>, "
                                 "<mailto:out@shop.example?subject=unsubscribe>")
                self.assertEqual(message["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click")
                self.assertIn("Hi Zo\u00eb,", text)
                self.assertIn("Hi Zo\u00eb,", Page(page).words)
                self.assertEqual(Page(page).links, ["https://shop.example/club",
                                                    "https://shop.example/out?m=m-1"])

    def test_every_default_mail_of_every_sample_arrives_well_formed(self):
        script = ("local s, e, j = require 'loyalhook.samples', require 'loyalhook.events', "
                  "require 'loyalhook.json' for _, t in ipairs(e.all()) do for seed = 1, 3 do "
                  "print(j.encode({ event_type = t.name, data = s.event(t.name, seed) })) end end")
        for vm in VMS:
            with self.subTest(vm):
                out = subprocess.run([VMS[vm], "-e", script], capture_output=True, check=True,
                                     env={**os.environ, **lua_environment(vm)}).stdout
                events = [json.loads(line) for line in out.splitlines()]
                for number, item in enumerate(events):
                    item["id"] = f"{SECONDS}{number:016x}"
                    item["data"]["member_info"]["email_subscription_status"] = "subscribed"
                self.assertEqual(len(events), 60)
                mailbox = self.serve()
                answers = self.handle(mailbox, events, vm, program={
                    "name": "Club", "url": "https://shop.example/", "support": "help@shop.example",
                    "address": "Shop Ltd, 1 High Street, Leeds"})
                self.assertEqual({answer["done"] for answer in answers}, {True}, answers)
                mails = mailbox.wait(60)
                self.assertEqual(len({mail.message()["Message-ID"] for mail in mails}), 60)
                for item, mail in zip(events, mails):
                    message, text, page = self.read(mail)
                    seen = Page(page)
                    self.assertLessEqual(seen.tags, TAGS, item["event_type"])
                    name = item["data"]["member_info"]["first_name"]
                    self.assertIn(f"Hi {name},", text)
                    self.assertIn(f"Hi {name},", seen.words)
                    self.assertTrue(message["Subject"])
                    for line in mail.data.split(b"\r\n"):
                        self.assertLessEqual(len(line), 78)

    def test_hostile_members_cannot_inject_anything(self):
        evil = ("\"'><script>alert(1)</script><a href=javascript:x onclick=y>\r\nBcc: t@x.example"
                "\r\n\r\n.\r\n--=_x\r\n=?UTF-8?Q?x?= {{program.name}} {{#x}} \u202eevil \x00\x1b"
                "[2J https://evil.example/free \u2028 ") + "x" * 5000
        member = {name: evil for name in ("first_name", "last_name", "referral_code",
                                          "available_points", "member_status")}
        item = event(**member, referral_URL="javascript:alert(1)")
        item["data"]["transaction_info"]["award_info"] = {"points": evil, "activity_name": evil}
        page_of_his_own = ('<p title="{{member_info.first_name}}">{{member_info.first_name}}'
                           '<a href="{{member_info.referral_URL}}">x</a><a href="https://shop.'
                           'example/?m={{member_info.first_name}}">y</a></p>')
        for vm in VMS:
            for templates in ({}, {EARNED: {"html": page_of_his_own,
                                            "subject": "For {{member_info.first_name}}"}}):
                with self.subTest(vm, own=bool(templates)):
                    mailbox = self.serve()
                    answers = self.handle(mailbox, [item], vm, program={"name": "Club"},
                                          templates=templates)
                    self.assertTrue(answers[0]["done"], answers)
                    (mail,) = mailbox.wait(1)
                    self.assertEqual(mail.to, ["zoe1@example.com"])
                    message, text, page = self.read(mail)
                    self.assertNotIn("Bcc", message)
                    self.assertEqual(set(message.keys()), {
                        "Date", "From", "To", "Subject", "Message-ID", "Auto-Submitted",
                        "MIME-Version", "Content-Type"})
                    seen = Page(page)
                    self.assertLessEqual(seen.tags, TAGS)
                    self.assertLessEqual(seen.attributes, {
                        "lang", "charset", "name", "content", "class", "style", "role",
                        "aria-label", "scope", "href", "title"})
                    for link in seen.links:
                        self.assertRegex(link, r"^(https://shop\.example/\?m=[%\w.~-]+)?$")
                    for part in (text, page, message["Subject"]):
                        for bad in ("\u202e", "\x00", "\x1b", "\u2028", "https://evil"):
                            self.assertNotIn(bad, part)
                    self.assertIn("{{program.name}}", text)  # and not what it would be
                    self.assertIn("{{program.name}}", seen.words)

    def test_text_alone_is_one_part(self):
        mailbox = self.serve()
        words = ".\r\nFrom Zo\u00eb\r\n" + "long " * 300
        self.handle(mailbox, [event()], templates={EARNED: {"text": words}})
        message, text, _ = self.read(mailbox.wait(1)[0], parts=1)
        self.assertEqual(message.get_content_type(), "text/plain")
        self.assertEqual(text.rstrip("\n"), words.replace("\r\n", "\n"))

    def test_files_take_the_place_of_the_defaults(self):
        mailbox = self.serve()
        with tempfile.TemporaryDirectory() as folder:
            for ending, words in ((".subject", "Hey {{member_info.first_name}}\n"),
                                  (".txt", "{{member_info.first_name}}\n"),
                                  (".html", "<p>{{member_info.first_name}}</p>\n")):
                with open(os.path.join(folder, EARNED + ending), "w") as file:
                    file.write(words)
            self.handle(mailbox, [event()], template_folder=folder)
        message, text, page = self.read(mailbox.wait(1)[0])
        self.assertEqual([message["Subject"], text, page],
                         ["Hey Zo\u00eb", "Zo\u00eb", "<p>Zo\u00eb</p>"])


class Ends(Mails):
    def one(self, mailbox, item=None, vm="lua5.4", **options):
        (answer,) = self.handle(mailbox, [item or event()], vm, **options)
        return answer

    def test_who_gets_none(self):
        mailbox = self.serve()
        answers = self.handle(mailbox, [
            event(number=1, email_subscription_status="unsubscribed"),
            event(number=2, member_status="opted_out"), event(number=3, email_address=""),
            event(OTP, number=4, email_subscription_status="unsubscribed"),
            {**event(OTP, number=5), "id": f"{NOW_MS // 1000 - 700:08x}{5:016x}"},
            event(number=6, email_address="zo\u00eb@example.com")])
        self.assertEqual([answer["done"] for answer in answers],
                         [True, True, True, True, False, False])
        self.assertEqual([answer.get("kind") for answer in answers[4:]], ["fail", "fail"])
        self.assertIn("expired", answers[4]["message"])
        self.assertEqual([answer["log"][0]["fields"]["reason"] for answer in answers[:3]],
                         ["unsubscribed", "opted out", "no address"])
        self.assertEqual([mail.to for mail in mailbox.arrived()], [["zoe4@example.com"]])

    def test_starttls_tls_and_passwords(self):
        for options in ({"starttls": certificate()}, {"smtps": certificate()}):
            for vm in VMS:
                with self.subTest(vm, **options):
                    mailbox = self.serve(auth=("tom", PASSWORD), **options)
                    login = {"user": "tom", "password": PASSWORD}
                    self.assertTrue(self.one(mailbox, vm=vm, smtp=login)["done"])
                    (mail,) = mailbox.wait(1)
                    self.assertTrue(mail.tls)
                    answer = self.one(mailbox, vm=vm, smtp={**login, "password": "wrong"})
                    self.assertEqual((answer["done"], answer["kind"]), (False, "retry"))
                    self.assertIn("refuses user and password (535 5.7.8)", answer["message"])
                    self.assertNotIn("wrong", json.dumps(answer))

    def test_a_server_without_starttls_gets_nothing(self):
        mailbox = self.serve(starttls=certificate(), no_starttls=True)
        answer = self.one(mailbox, smtp={"user": "tom", "password": PASSWORD})
        self.assertEqual((answer["done"], answer["kind"]), (False, "retry"))
        self.assertIn("STARTTLS", answer["message"])
        self.assertEqual((mailbox.arrived(None), mailbox.attempts), ([], []))

    def test_what_a_refusal_means(self):
        cases = (("451", "retry"), ("554", "fail"), ("mail/550", "retry"), ("data/421", "retry"),
                 ("drop-early", "retry"), ("accept", None), ("hang-quit", None),
                 ("drop", "unknown"))
        mailbox = self.serve()
        mailbox.order(*(order for order, _ in cases))
        answers = self.handle(mailbox, [event(number=number) for number in range(len(cases))])
        for (order, wanted), answer in zip(cases, answers):
            with self.subTest(order):
                self.assertEqual(answer["done"], wanted is None, answer)
                self.assertEqual(answer.get("kind"), None if wanted == "unknown" else wanted)
                self.assertNotIn("token", json.dumps(answer))
        self.assertIn("may have arrived", answers[-1]["message"])

    def test_a_mailbox_that_is_not_there_fails_a_full_one_is_tried_again(self):
        mailbox = self.serve()
        for code, wanted in ((550, "fail"), (452, "retry"), (450, "retry")):
            answer = self.one(mailbox, event(email_address=f"refuse-{code}@example.com"))
            self.assertEqual((answer["done"], answer["kind"]), (False, wanted), answer)
            self.assertIn(f"refuses it: {code} 5.1.1", answer["message"])
            self.assertNotIn("@", answer["message"])

    def test_a_server_that_never_answers_is_unknown_only_behind_the_end(self):
        mailbox = self.serve()
        mailbox.order("hang")
        answer = self.one(mailbox, timeout_ms=1500)
        self.assertEqual((answer["done"], answer.get("kind")), (False, None))
        self.assertIn("may have arrived", answer["message"])
        silent = self.serve(greeting="hang")
        self.assertEqual(self.one(silent, timeout_ms=1500)["kind"], "retry")

    def test_a_second_copy_has_the_same_message_id(self):
        mailbox = self.serve()
        mailbox.order("drop", "accept")
        self.handle(mailbox, [event()])
        self.handle(mailbox, [event()])
        first, second = mailbox.arrived(None)
        self.assertEqual(first.message()["Message-ID"], second.message()["Message-ID"])

    def test_mistakes_are_told_when_the_handler_is_made(self):
        mailbox = self.serve()
        for vm in VMS:
            answer = self.one(mailbox, vm=vm, templates={
                EARNED: {"html": "<p>\n<a href={{program.url}}>"}})
            self.assertEqual(answer["refused"], "email: templates.event_points_earned.html:2: "
                             "{{program.url}}: put quotes around the value of href")
            self.assertEqual(answer["code"], "config")


class Worker(Mails):
    """Through the inbox and a real worker: what comes in as a webhook goes out as a mail."""

    def setUp(self):
        self.shop = Handling()
        self.addCleanup(self.shop.close)

    def configure(self, mailbox, **fields):
        smtp = "url = '%s', from = 'club@shop.example', tls = 'none'" % mailbox.url()
        more = "".join(f", {name} = {value}" for name, value in fields.items())
        self.shop.write("loyalhook.lua", f"""return {{ handlers = {{ {{ use = "email",
            from = "start", event_types = {{ "{EARNED}", "{OTP}" }}, smtp = {{ {smtp} }}{more}
            }} }} }}""")

    def accept(self, *events):
        accept_events(self.shop.path("loyalhook.db"), events)

    def test_what_came_in_goes_out(self):
        mailbox = self.serve()
        self.configure(mailbox)
        events = [event(number=1), event(OTP, number=2, email_subscription_status="unsubscribed"),
                  event(number=3, email_subscription_status="unsubscribed"),
                  event(number=4, email_address="refuse-550@example.com"),
                  event("event_points_expired", number=5)]
        self.accept(*events)
        self.accept(*events)  # a repetition
        answer = self.shop.handle_until_idle(LOYALHOOK_LOG_LEVEL="debug")
        mails = mailbox.wait(2)
        self.assertEqual(sorted(mail.to[0] for mail in mails),
                         ["zoe1@example.com", "zoe2@example.com"])
        for mail in mails:
            message, _, _ = self.read(mail)
            self.assertRegex(message["Message-ID"],
                             r"^<[0-9a-f]{24}\.zinrelo\.email@shop\.example>$")
        page = self.shop.run("inbox", "list", "--json").json()["events"]
        self.assertEqual({row["id"]: [task["state"] for task in row["tasks"]] for row in page},
                         {item["id"]: [state] if state else [] for item, state in
                          zip(events, ("done", "done", "done", "failed", None))})
        (failed,) = self.shop.run("inbox", "list", "--state", "failed", "--json").json()["events"]
        self.assertIn("refuses it: 550 5.1.1 no such user", failed["tasks"][0]["error"])
        self.assertRegex(answer.err, r"info: not mailed .*reason=unsubscribed")
        self.assertEqual(answer.err.count("debug: mailed"), 2)

    def test_what_is_not_taken_now_is_tried_again(self):
        mailbox = self.serve()
        self.configure(mailbox)
        item = event()
        self.accept(item)
        mailbox.order("451", "drop", "accept")
        for wanted in ("refuses it: 451", "may have arrived"):
            self.shop.handle_until_idle()
            task = self.shop.tasks("email")[item["id"]]
            self.assertEqual(task["state"], "retrying")
            self.assertIn(wanted, task["error"])
            self.shop.later()
        self.shop.handle_until_idle()
        self.assertEqual(self.shop.states("email")[item["id"]], "done")
        mails = mailbox.arrived(None)
        self.assertEqual(len(mails), 3)
        self.assertEqual(len({mail.message()["Message-ID"] for mail in mails}), 1)

    def test_whoever_wants_no_copy_decides_himself(self):
        mailbox = self.serve()
        self.configure(mailbox, when_unknown="'fail'")
        item = event()
        self.accept(item)
        mailbox.order("drop")
        self.shop.handle_until_idle()
        self.assertEqual(self.shop.states("email")[item["id"]], "failed")
        self.assertEqual(len(mailbox.arrived(None)), 1)

    def test_kill_9_between_the_mail_and_its_record(self):
        mailbox = self.serve()
        self.configure(mailbox)
        item = event()
        self.accept(item)
        mailbox.order("hang")
        worker = self.shop.start_worker()
        (first,) = mailbox.wait(1, accepted=None)
        worker.send_signal(signal.SIGKILL)
        worker.communicate()
        worker = self.shop.start_worker()
        (second,) = mailbox.wait(1)
        wait_for(lambda: self.shop.states("email")[item["id"]] == "done", what="recorded")
        code, _, err = stop(worker)
        self.assertEqual(code, 0, err)
        self.assertEqual(first.message()["Message-ID"], second.message()["Message-ID"])

    def test_many_mails_go_side_by_side(self):
        mailbox = self.serve()
        self.configure(mailbox)
        mailbox.order(*["slow/400"] * 40)
        self.accept(*(event(number=number) for number in range(40)))
        self.shop.handle_until_idle()
        self.assertEqual(len({mail.to[0] for mail in mailbox.wait(40)}), 40)
        self.assertEqual(set(self.shop.states("email").values()), {"done"})


if __name__ == "__main__":
    unittest.main(verbosity=2)
