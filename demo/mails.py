#!/usr/bin/env python3
"""The demo's mails, as they arrived: one line a webhook, `NAME MAILS FAILED PAUSED`, what the mails
about it add up to. With --show NAME the text of the first mail about that webhook.

    mails.py DIR [--show NAME]          DIR: the maildir that the SMTP server wrote
    mails.py DIR --members              of the shop's mails to members: ALL DISTINCT (by Message-ID)
"""

import email
import email.policy
import pathlib
import re
import sys


SHOP = "club@shop.example"


def messages(folder):
    """(path, message) of every mail; each must be correct."""
    for path in pathlib.Path(folder).glob("new/*"):
        yield path, email.message_from_bytes(path.read_bytes(), policy=email.policy.strict)


def mails(folder):
    """(webhook, text) of every mail about webhooks, in the order of arrival."""
    found = []
    for path, message in messages(folder):
        if SHOP in message["From"]:
            continue
        text = message.get_body(("plain",)).get_content()
        name = re.search(r"^  Webhook +(\S+)$", text, re.M).group(1)
        found.append((path.stat().st_mtime_ns, name, message["Subject"], text))
    return [(name, subject, text) for _, name, subject, text in sorted(found)]


def members(folder):
    """How many mails members got, and how many different ones."""
    ids = [message["Message-ID"] for _, message in messages(folder) if SHOP in message["From"]]
    return len(ids), len(set(ids))


def main():
    if sys.argv[2:] == ["--members"]:
        print(*members(sys.argv[1]))
        return 0
    arrived = mails(sys.argv[1])
    if len(sys.argv) > 3:
        for name, subject, text in arrived:
            if name == sys.argv[3]:
                print(f"Subject: {subject}\n\n{text}")
                return 0
        return 1
    for name in sorted({name for name, _, _ in arrived}):
        texts = [text for about, _, text in arrived if about == name]
        failed = sum(int(count.replace(",", "")) for text in texts
                     for count in re.findall(r"^  ([\d,]+) x ", text, re.M))
        paused = sum(text.count("It was paused at ") for text in texts)
        print(name, len(texts), failed, paused)
    return 0


if __name__ == "__main__":
    sys.exit(main())
