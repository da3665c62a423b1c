#!/usr/bin/env python3
"""An HTTP/1.1 server on a free port of 127.0.0.1 that answers every request with what it was.

    python3 spec/harness/mirror.py

Prints the port. The answer's body is the request's; its headers X-Line and X-Authorization are the
request's line and that header. Ends when its output is closed, and after 120 s in any case.
"""

import http.server
import os
import select
import signal
import sys
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.send_response(200)
        self.send_header("X-Line", "%s %s" % (self.command, self.path))
        self.send_header("X-Authorization", self.headers.get("Authorization", "-"))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 1024
    daemon_threads = True

    def handle_error(self, *_):
        pass   # a client that is gone


signal.alarm(120)
server = Server(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
poll = select.poll()
poll.register(sys.stdout.fileno(), 0)   # says when nobody can read it any more
poll.poll()
os._exit(0)
