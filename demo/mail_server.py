"""The demo's SMTP server: aiosmtpd, which writes what arrives into a maildir.

    mail_server.py HOST:PORT MAILDIR
"""
import socket
import sys

from aiosmtpd.main import main

# It asks for this machine's name at each connection, and all others wait meanwhile: where no DNS
# server answers, for seconds.
socket.getfqdn = lambda name="": "localhost"

main(["-n", "-l", sys.argv[1], "-c", "aiosmtpd.handlers.Mailbox", sys.argv[2]])
