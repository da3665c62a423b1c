#!/usr/bin/env python3
"""The mail server: a real SMTP server (aiosmtpd) that keeps what arrives and misbehaves on order.

    mail_server.py --port 0 --log FILE [--starttls CERT KEY | --smtps CERT KEY]
                   [--auth USER:PASSWORD]

prints {"port": N} when it listens and writes one JSON line per mail that came to its end, before it
is answered: from, to, tls, user, order, and data in base64.

Within a test:  with Mailbox(starttls=(cert, key)) as mailbox: mailbox.order("451", "drop") …

An order is for one mail. The next one is taken at each MAIL FROM; when there is none, the local
part of the sender's address is one, if it is a word of these:

    accept           as every server does
    NNN              the end of the mail is answered with this code
    mail/NNN         MAIL FROM is, data/NNN: DATA is
    drop             the connection is closed when the mail has come to its end, without an answer
    drop-early       the connection is closed instead of taking the mail
    hang             the end of the mail is never answered; slow/MS: late
    hang-quit        QUIT is never answered

A recipient whose local part is refuse-NNN is answered with NNN. `greeting` "hang": nothing is ever
said; any other text takes the place of the greeting, and the connection is closed after it.
"""
import argparse
import asyncio
import base64
import collections
import email
import email.policy
import json
import logging
import os
import re
import signal
import ssl
import sys
import threading
import time
import warnings

try:
    import aiosmtpd  # noqa: F401
except ImportError:  # a Python of one's own does not see what the distribution installed
    sys.path.append("/usr/lib/python3/dist-packages")
try:
    from aiosmtpd.smtp import SMTP, AuthResult
except ImportError:
    sys.exit("aiosmtpd is missing; './bootstrap test' installs it")

logging.getLogger("mail.log").setLevel(logging.CRITICAL)
ORDERS = re.compile(r"^(accept|(mail/|data/)?[2-5]\d\d|drop|drop-early|hang|slow/\d+|hang-quit)$")
DROPPED = "421 4.3.0 dropped"


class Mail:
    """One mail that came to its end."""

    def __init__(self, session, envelope, order, tls):
        self.sender, self.to = envelope.mail_from, list(envelope.rcpt_tos)
        self.tls = tls or session.ssl is not None
        self.user = getattr(session, "auth_data", None)
        self.order, self.accepted = order, False
        self.data = bytes(envelope.original_content)

    def message(self):
        """The mail as Python's email package reads it; raises for what is not well-formed."""
        return email.message_from_bytes(self.data, policy=email.policy.strict)

    def entry(self):
        return {"from": self.sender, "to": self.to, "tls": self.tls, "order": self.order,
                "user": self.user, "data": base64.b64encode(self.data).decode()}


class Handler:
    def __init__(self, mailbox):
        self.mailbox = mailbox

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        if self.mailbox.no_starttls:
            responses = [line for line in responses if "STARTTLS" not in line]
        return responses

    async def handle_MAIL(self, server, session, envelope, address, options):
        session.order = self.mailbox.next_order(address)
        if session.order.startswith("mail/"):
            return session.order[5:] + " 5.1.8 sender is refused on order"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        found = re.match(r"refuse-(\d\d\d)@", address)
        if found:
            return found.group(1) + " 5.1.1 no such user here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = Mail(session, envelope, session.order, self.mailbox.smtps is not None)
        order = session.order
        mail.accepted = order in ("accept", "hang-quit") or order.startswith(("slow", "2"))
        self.mailbox.keep(mail)
        if order == "hang":
            await asyncio.sleep(3600)
        if order.startswith("slow/"):
            await asyncio.sleep(int(order[5:]) / 1000)
        if order == "drop":
            server.transport.abort()
            return DROPPED
        if order[0].isdigit():
            return order + " 4.7.1 answered on order, see https://example.com/why?token=secret"
        return "250 2.0.0 kept"

    async def handle_QUIT(self, server, session, envelope):
        if getattr(session, "order", "") == "hang-quit":
            await asyncio.sleep(3600)
        return "221 Bye"


class Server(SMTP):
    async def smtp_DATA(self, arg):
        order = getattr(self.session, "order", "")
        if order == "drop-early":
            self.transport.abort()
        elif order.startswith("data/"):
            await self.push(order[5:] + " 4.3.2 not now")
        else:
            await super().smtp_DATA(arg)


class Greeter(asyncio.Protocol):
    """Says one thing, or nothing."""

    def __init__(self, greeting):
        self.greeting = greeting

    def connection_made(self, transport):
        if self.greeting != "hang":
            transport.write(self.greeting.encode() + b"\r\n")
            transport.close()


class Mailbox:
    def __init__(self, starttls=None, smtps=None, auth=None, greeting=None, no_starttls=False,
                 port=0, log=None):
        self.mails, self.orders = [], collections.deque()
        self.changed = threading.Condition()
        self.auth, self.greeting, self.no_starttls = auth, greeting, no_starttls
        self.attempts = []  # (mechanism, user, password) of every AUTH
        self.connections = 0
        self.log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND) if log else None
        self.starttls, self.smtps = self.context(starttls), self.context(smtps)
        self.port = port
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.ready = threading.Event()

    @staticmethod
    def context(pair):
        if not pair:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
        return context

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def start(self):
        self.thread.start()
        self.ready.wait(10)
        return self

    def stop(self):
        if self.thread.is_alive():
            self.loop.call_soon_threadsafe(self.loop.stop)
            self.thread.join()

    def url(self, scheme=None):
        return f"{scheme or ('smtps' if self.smtps else 'smtp')}://127.0.0.1:{self.port}"

    def order(self, *orders):
        """What becomes of the next mails, one each."""
        for order in orders:
            assert ORDERS.match(order), order
        with self.changed:
            self.orders.extend(orders)

    def arrived(self, accepted=True):
        """The mails so far; with accepted=None those too that were not taken."""
        with self.changed:
            return [mail for mail in self.mails if accepted in (None, mail.accepted)]

    def wait(self, count, accepted=True, timeout=20.0):
        """The mails, once there are at least `count`; fails when time is up."""
        until = time.monotonic() + timeout
        while True:
            found = self.arrived(accepted)
            left = until - time.monotonic()
            if len(found) >= count:
                return found
            if left <= 0:
                raise AssertionError(f"{len(found)} mails of {count} within {timeout} s")
            with self.changed:
                self.changed.wait(min(left, 0.2))

    # inside

    def next_order(self, sender):
        with self.changed:
            if self.orders:
                return self.orders.popleft()
        local = sender.rpartition("@")[0]
        return local if ORDERS.match(local) else "accept"

    def keep(self, mail):
        if self.log is not None:
            os.write(self.log, json.dumps(mail.entry()).encode() + b"\n")
        with self.changed:
            self.mails.append(mail)
            self.changed.notify_all()

    def authenticate(self, server, session, envelope, mechanism, data):
        user, password = data.login.decode(), data.password.decode()
        with self.changed:
            self.attempts.append((mechanism, user, password))
        good = (user, password) == tuple(self.auth)
        return AuthResult(success=good, handled=False, auth_data=user)

    def protocol(self):
        self.connections += 1
        if self.greeting:
            return Greeter(self.greeting)
        more = {}
        if self.auth:  # aiosmtpd does not see TLS from the first byte
            more = {"authenticator": self.authenticate, "auth_required": True,
                    "auth_require_tls": self.starttls is not None}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Server(Handler(self), hostname="mailbox.test", loop=self.loop, timeout=3600,
                          tls_context=self.starttls, **more)

    def run(self):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(
            self.loop.create_server(self.protocol, "127.0.0.1", self.port, ssl=self.smtps))
        self.port = server.sockets[0].getsockname()[1]
        self.ready.set()
        self.loop.set_exception_handler(lambda *_: None)  # of clients that break off
        self.loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()


def main():
    parser = argparse.ArgumentParser(description="A mail server that keeps what arrives.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", help="file for one JSON line per mail")
    parser.add_argument("--starttls", nargs=2, metavar=("CERT", "KEY"))
    parser.add_argument("--smtps", nargs=2, metavar=("CERT", "KEY"))
    parser.add_argument("--no-starttls", action="store_true", help="as if it had been stripped")
    parser.add_argument("--auth", help="USER:PASSWORD that must be given")
    parser.add_argument("--greeting", help="what is said instead of a greeting; hang: nothing")
    parser.add_argument("--until-eof", action="store_true", help="ends when stdin does")
    options = parser.parse_args()
    auth = options.auth.split(":", 1) if options.auth else None
    mailbox = Mailbox(options.starttls, options.smtps, auth, options.greeting, options.no_starttls,
                      options.port, options.log)
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    mailbox.start()
    print(json.dumps({"port": mailbox.port}), flush=True)
    if options.until_eof:
        threading.Thread(target=lambda: (sys.stdin.buffer.read(), done.set()), daemon=True).start()
    done.wait()
    mailbox.stop()


if __name__ == "__main__":
    main()
