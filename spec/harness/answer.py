#!/usr/bin/env python3
"""Answers POSTs on a free port of 127.0.0.1 and ends.

    python3 spec/harness/answer.py STATUS…

Prints the port, then for each request its nonce and signature headers and its body, one line
each. The first request gets the first STATUS, and so on; after the last one the program ends. It
also ends after 30 s, so that nothing is left of a test that failed.
"""

import http.server
import signal
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.server.statuses.pop(0)
        print(self.headers.get("nonce", "-"), self.headers.get("x-zinrelo-signature", "-"),
              body.decode("utf-8"), flush=True)
        self.send_response(status)
        self.send_header("Content-Length", "6")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"thanks")
        self.close_connection = True

    def log_message(self, *_):
        pass


signal.alarm(30)
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
server.statuses = [int(text) for text in sys.argv[1:]]
print(server.server_address[1], flush=True)
while server.statuses:
    server.handle_request()
