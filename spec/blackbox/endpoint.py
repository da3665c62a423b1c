#!/usr/bin/env python3
"""The misbehaving endpoint: an HTTP/1.1 server that does what the path of a request says.

    endpoint.py --port 0 --log FILE [--tls CERT KEY] [--bodies]

prints {"port": N} when it listens and writes one JSON line per request that arrived, before it
answers: time, connection, request (its number on that connection), method, path, headers, body_len,
sha256, complete (the whole request was read), answer, and with --bodies the body in base64. A
request that never became complete is written when it is given up.

Within a test:  with Endpoint() as endpoint: endpoint.script("/hook", [500, "reset", 200]) …
From elsewhere: POST /control {"path": "/hook", "answers": [500, "reset", 200]} or
{"accept": ["reset", "hang"]}; GET /control/requests; POST /control/clear. These are not written.

An answer (in a script, or as the path itself without its slash) is one of

    ok 204 status/204 delay/MS big/BYTES echo chunked no-length redirect 417 retry-after/VALUE
    hang hang/headers slow slow-body endless-body endless-headers endless-1xx gzip-bomb
    reset reset/headers reset/body reset/after reset/midheaders reset/midbody
    close close/headers close/midheaders close/first-header close/midbody close/midchunk
    early200 early200/noread early200/close early200/big early/STATUS die-after-keepalive
    100then200 103then200 101 http09 http2 http12 status4 status-short status099 garbage set-cookie
    dup-content-length same-content-length length-and-chunked folded excess-body nul-header
    long-header/BYTES

or a table {"status": 503, "headers": [["Retry-After", "5"]], "body": "…", "delay_ms": 10}. The last
answer of a script is given again when the script is over. A query is ignored for choosing.
"""
import argparse
import asyncio
import base64
import collections
import hashlib
import json
import os
import signal
import socket
import ssl
import struct
import sys
import threading
import time
import warnings

BODY_LOGGED_MAX = 64 * 1024
HEAD_MAX = 256 * 1024
REASONS = {200: "OK", 204: "No Content", 302: "Found", 404: "Not Found", 417: "Expectation Failed",
           429: "Too Many Requests", 500: "Internal Server Error", 503: "Service Unavailable"}


def answer_bytes(status=200, body=b"ok", headers=()):
    lines = ["HTTP/1.1 %d %s" % (status, REASONS.get(status, "Status"))]
    lines += ["%s: %s" % (name, value) for name, value in headers]
    if status >= 200 and status not in (204, 304):
        lines.append("Content-Length: %d" % len(body))
    else:
        body = b""
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


class Request:
    """One request while it arrives, and what is written about it."""

    def __init__(self, connection, number, head):
        lines = head.decode("latin-1").split("\r\n")
        words = lines[0].split(" ")
        self.connection, self.number, self.time = connection, number, time.time()
        self.method = words[0]
        self.path = words[1] if len(words) > 1 else ""
        self.headers = []
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.headers.append((name, value.strip()))
        self.length = int(self.header("content-length", "0"))
        self.received = 0
        self.body = bytearray()
        self.digest = hashlib.sha256()
        self.answer = "ok"
        self.written = False

    def header(self, name, default=None):
        for given, value in self.headers:
            if given.lower() == name:
                return value
        return default

    def take(self, data):
        self.received += len(data)
        self.digest.update(data)
        if len(self.body) < BODY_LOGGED_MAX or self.answer == "echo" or self.path == "/control":
            self.body += data

    def entry(self, complete, bodies):
        entry = {"time": round(self.time, 6), "connection": self.connection,
                 "request": self.number, "method": self.method, "path": self.path,
                 "headers": self.headers, "body_len": self.received,
                 "sha256": self.digest.hexdigest(), "complete": complete,
                 "answer": self.answer if isinstance(self.answer, str) else json.dumps(self.answer)}
        if bodies and self.received < BODY_LOGGED_MAX:
            entry["body"] = base64.b64encode(bytes(self.body)).decode("ascii")
        return entry


class Connection(asyncio.Protocol):
    """Reads requests one after the other; the answers are in the functions named answer_*."""

    def __init__(self, endpoint, number):
        self.endpoint, self.number = endpoint, number
        self.transport = None
        self.buffer = bytearray()
        self.request = None
        self.count = 0
        self.busy = False      # an answer is on its way, or none ever will be
        self.open = True
        self.writable = True
        self.pump = None
        self.next_is_last = False

    # asyncio calls these

    def connection_made(self, transport):
        self.transport = transport
        self.endpoint.connections.add(self)

    def connection_lost(self, exc):
        self.open = False
        self.endpoint.connections.discard(self)
        if self.request and not self.request.written:
            self.write_entry(False)
        elif self.buffer and not self.busy:
            self.request = Request(self.number, self.count + 1, b"")
            self.write_entry(False)

    def pause_writing(self):
        self.writable = False

    def resume_writing(self):
        self.writable = True
        if self.pump:
            self.endpoint.loop.call_soon(self.pump)
            self.pump = None

    def data_received(self, data):
        self.buffer += data
        self.advance()

    def advance(self):
        while self.open and not self.busy and self.buffer:
            if not self.request and not self.read_head():
                return
            if self.busy or not self.read_body():
                return

    def read_head(self):
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self.buffer) > HEAD_MAX:
                self.reset()
            return False
        head = bytes(self.buffer[:end])
        del self.buffer[:end + 4]
        self.count += 1
        self.request = Request(self.number, self.count, head)
        if self.request.path.startswith("/control"):
            self.count -= 1
            return True
        self.request.answer = self.endpoint.answer_of(self.request.path)
        early = self.find("early")
        if early:
            early()
        return True

    def read_body(self):
        request = self.request
        wanted = request.length - request.received
        part = bytes(self.buffer[:wanted])
        del self.buffer[:wanted]
        if part:
            request.take(part)
            middle = self.find("middle")
            if middle:
                middle()
                return False
        if request.received < request.length:
            return False
        if request.path.startswith("/control"):
            self.request = None
            self.transport.write(self.endpoint.control(request))
            return True
        self.finish()
        return self.open

    def finish(self):
        """The whole request is here."""
        request = self.request
        if request.written:   # it was answered early
            self.request = None
            return
        self.write_entry(True)
        if self.next_is_last:
            self.transport.close()
            return
        self.busy = True
        answer = request.answer
        if answer == "ok":
            self.reply(OK)
        elif isinstance(answer, dict):
            self.answer_table(answer)
        else:
            (self.find("answer") or self.answer_unknown)()

    # helpers of the answers

    def find(self, phase):
        answer = self.request.answer
        if not isinstance(answer, str):
            return None
        word = answer.replace("-", "_")
        exact = getattr(self, phase + "_" + word.replace("/", "_"), None)
        if exact or "/" not in word:
            return exact
        taking = getattr(self, phase + "_" + word.split("/")[0] + "_with", None)
        value = answer.split("/", 1)[1]
        return taking and (lambda: taking(value))

    def write_entry(self, complete):
        self.request.written = True
        self.endpoint.record(self.request, complete)

    def reply(self, data, then_close=False):
        """Ends the exchange; the next request may follow."""
        if not self.open:
            return
        self.transport.write(data)
        self.request, self.busy = None, False
        if then_close:
            self.busy = True
            self.transport.close()
        elif self.buffer:
            self.endpoint.loop.call_soon(self.advance)

    def later(self, seconds, function, *arguments):
        self.endpoint.loop.call_later(seconds, lambda: self.open and function(*arguments))

    def reset(self):
        self.busy = True
        sock = self.transport.get_extra_info("socket")
        if self.request and not self.request.written:
            self.write_entry(False)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass
        self.transport.abort()

    def trickle(self, data, step, pause):
        self.transport.write(data[:step])
        if len(data) > step:
            self.later(pause, self.trickle, data[step:], step, pause)
        else:
            self.reply(b"")

    def flood(self, first, again):
        """Writes `again` for ever, as fast as it is read."""
        self.transport.write(first)

        def pump():
            if not self.open or not self.writable or self.transport.is_closing():
                self.pump = pump   # until there is room again
                return
            self.pump = None
            self.transport.write(again)
            self.endpoint.loop.call_soon(pump)
        pump()

    # before the body was read

    def early_reset_headers(self):
        self.reset()

    def early_close_headers(self):
        self.write_entry(False)
        self.busy = True
        self.transport.close()

    def early_hang_headers(self):
        self.write_entry(False)
        self.busy = True
        self.transport.pause_reading()

    def early_early200(self):
        self.write_entry(False)
        self.transport.write(OK)

    def early_early200_noread(self):
        self.write_entry(False)
        self.transport.write(OK)
        self.busy = True
        self.transport.pause_reading()

    def early_early200_big(self):
        self.write_entry(False)
        self.transport.write(answer_bytes(200, b"x" * 400000))

    def early_early200_close(self):
        self.write_entry(False)
        self.busy = True
        self.transport.pause_reading()
        self.transport.write(answer_bytes(headers=[("Connection", "close")]))
        self.transport.close()

    def early_early_with(self, status):
        self.write_entry(False)
        self.transport.write(answer_bytes(int(status), b"early"))
        self.busy = True

    def middle_reset_body(self):
        self.reset()

    # after the whole request

    def answer_table(self, answer):
        data = answer_bytes(answer.get("status", 200), answer.get("body", "ok").encode(),
                            answer.get("headers", ()))
        if answer.get("delay_ms"):
            self.later(answer["delay_ms"] / 1000, self.reply, data)
        else:
            self.reply(data)

    def answer_unknown(self):
        answer = self.request.answer
        if answer.isdigit():
            self.reply(answer_bytes(int(answer), answer.encode()))
        else:
            self.reply(answer_bytes(404, b"no such answer"))

    def answer_status_with(self, status):
        self.reply(answer_bytes(int(status), status.encode()))

    def answer_delay_with(self, ms):
        self.later(int(ms) / 1000, self.reply, OK)

    def answer_big_with(self, size):
        self.reply(answer_bytes(200, b"x" * int(size)))

    def answer_echo(self):
        self.reply(answer_bytes(200, bytes(self.request.body)))

    def answer_chunked(self):
        self.reply(HEAD_CHUNKED + b"2\r\nok\r\n0\r\n\r\n")

    def answer_no_length(self):
        self.reply(b"HTTP/1.1 200 OK\r\n\r\nok", then_close=True)

    def answer_redirect(self):
        self.reply(answer_bytes(302, headers=[("Location", "/ok")]))

    def answer_retry_after_with(self, value):
        self.reply(answer_bytes(503, b"later", [("Retry-After", value.replace("_", " "))]))

    def answer_set_cookie(self):
        self.reply(answer_bytes(headers=[("Set-Cookie", "a=b; Path=/")]))

    def answer_hang(self):
        pass

    def answer_slow(self):
        self.trickle(OK, 1, 1.0)

    def answer_slow_body(self):
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        self.trickle(b"x" * 1000, 1, 1.0)

    def answer_endless_body(self):
        self.flood(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536)

    def answer_endless_headers(self):
        self.flood(b"HTTP/1.1 200 OK\r\n", b"X-More: " + b"x" * 1000 + b"\r\n")

    def answer_endless_1xx(self):
        self.flood(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")

    def answer_gzip_bomb(self):
        import gzip
        bomb = gzip.compress(b"\0" * 10000000)
        self.reply(answer_bytes(200, bomb, [("Content-Encoding", "gzip")]))

    def answer_reset(self):
        self.reset()

    def answer_reset_after(self):
        self.reset()

    def answer_reset_midheaders(self):
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Le")
        self.later(0.05, self.reset)

    def answer_reset_midbody(self):
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart")
        self.later(0.05, self.reset)

    def answer_close(self):
        self.reply(b"", then_close=True)

    def answer_close_midheaders(self):
        self.reply(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", then_close=True)

    def answer_close_first_header(self):
        self.reply(b"HTTP/1.1 200 OK\r\nX-A: b\r\n", then_close=True)

    def answer_close_midbody(self):
        self.reply(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart", then_close=True)

    def answer_close_midchunk(self):
        self.reply(HEAD_CHUNKED + b"ff\r\npart", then_close=True)

    def answer_die_after_keepalive(self):
        self.next_is_last = True
        self.reply(OK)

    def answer_100then200(self):
        self.reply(b"HTTP/1.1 100 Continue\r\n\r\n" + OK)

    def answer_103then200(self):
        self.reply(b"HTTP/1.1 103 Early Hints\r\nRetry-After: 9\r\n\r\n" + OK)

    def answer_101(self):
        self.transport.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n"
                             b"Connection: Upgrade\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")

    def answer_http09(self):
        self.reply(b"<html>hello</html>\n", then_close=True)

    def answer_http2(self):
        self.reply(b"HTTP/2 200\r\nContent-Length: 2\r\n\r\nok")

    def answer_http12(self):
        self.reply(b"HTTP/1.2 200 OK\r\nContent-Length: 2\r\n\r\nok")

    def answer_status4(self):
        self.reply(b"HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok")

    def answer_status_short(self):
        self.reply(b"HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok")

    def answer_status099(self):
        self.reply(b"HTTP/1.1 099 No\r\nContent-Length: 2\r\n\r\nok")

    def answer_garbage(self):
        self.reply(bytes(range(128, 256)) * 4, then_close=True)

    def answer_dup_content_length(self):
        self.reply(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 9\r\n\r\nok")

    def answer_same_content_length(self):
        self.reply(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok")

    def answer_length_and_chunked(self):
        self.reply(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
                   b"2\r\nok\r\n0\r\n\r\n")

    def answer_folded(self):
        self.reply(b"HTTP/1.1 200 OK\r\nX-A: b\r\n Content-Length: 9\r\n"
                   b"Content-Length: 2\r\n\r\nok")

    def answer_excess_body(self):
        self.reply(OK + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno")

    def answer_nul_header(self):
        self.reply(b"HTTP/1.1 200 OK\r\nX-A: b\0c\r\nContent-Length: 2\r\n\r\nok")

    def answer_long_header_with(self, size):
        self.reply(answer_bytes(headers=[("X-Long", "x" * int(size))]))


OK = answer_bytes()
HEAD_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class Endpoint:
    """Runs in a thread of its own between start() and stop()."""

    def __init__(self, port=0, tls=None, log=None, bodies=True, host="127.0.0.1", tls_max=None):
        self.host, self.wanted_port, self.port = host, port, None
        self.bodies, self.tls = bodies, None
        self.log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if log else None
        if tls:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            if tls_max:
                warnings.simplefilter("ignore", DeprecationWarning)   # old versions are the point
                self.tls.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
                self.tls.set_ciphers("DEFAULT:@SECLEVEL=0")
                self.tls.maximum_version = ssl.TLSVersion[tls_max]
            self.tls.load_cert_chain(*tls)
        self.scripts = {}
        self.accepts = collections.deque()
        self.accept_always = None
        self.accepted = 0
        self.connections = set()
        self.held = []
        self.entries = []
        self.changed = threading.Condition()
        self.loop = self.thread = self.listener = None

    # for tests

    def start(self):
        self.listener = socket.create_server((self.host, self.wanted_port), backlog=1024)
        self.listener.setblocking(False)
        self.port = self.listener.getsockname()[1]
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.run, name="endpoint", daemon=True)
        self.thread.start()
        return self

    def stop(self):
        if self.thread:
            self.loop.call_soon_threadsafe(self.loop.stop)
            self.thread.join()
            self.thread = None
        if self.log is not None:
            os.close(self.log)
            self.log = None

    __enter__ = start

    def __exit__(self, *exc):
        self.stop()

    def url(self, path="/ok"):
        return "%s://%s:%d%s" % ("https" if self.tls else "http", self.host, self.port, path)

    def script(self, path, answers):
        """The answers to the next requests for `path`, one each; the last one stays."""
        self.scripts[path] = collections.deque(str(a) if isinstance(a, int) else a for a in answers)

    def accept(self, kinds):
        """What happens to the next connections: "ok", "reset", "close" or "hang"."""
        self.accepts.extend(kinds)

    def requests(self, path=None):
        with self.changed:
            return [e for e in self.entries if path is None or e["path"].split("?")[0] == path]

    def wait(self, count, path=None, timeout=10.0):
        """The requests, once there are at least `count`, or those there are when time is up."""
        until = time.monotonic() + timeout
        while True:
            found = self.requests(path)
            left = until - time.monotonic()
            if len(found) >= count or left <= 0:
                return found
            with self.changed:
                self.changed.wait(min(left, 0.2))

    def clear(self):
        with self.changed:
            self.entries = []

    # inside

    def run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.add_reader(self.listener, self.accept_waiting)
        try:
            self.loop.run_forever()
        finally:
            self.loop.remove_reader(self.listener)
            self.listener.close()
            for connection in list(self.connections):
                connection.transport.abort()
            for sock in self.held:
                sock.close()
            self.loop.run_until_complete(asyncio.sleep(0))
            self.loop.close()

    def accept_waiting(self):
        for _ in range(64):
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.accepted += 1
            kind = self.accepts.popleft() if self.accepts else self.accept_always or "ok"
            if kind == "ok":
                sock.setblocking(False)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.loop.create_task(self.connect(sock, self.accepted))
            elif kind == "hang":
                self.held.append(sock)
            else:
                if kind == "reset":
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                sock.close()

    async def connect(self, sock, number):
        try:
            await self.loop.connect_accepted_socket(lambda: Connection(self, number), sock,
                                                    ssl=self.tls)
        except (OSError, ssl.SSLError):
            sock.close()   # a client that breaks off the handshake, as tests of certificates do

    def answer_of(self, path):
        path = path.split("?")[0]
        script = self.scripts.get(path)
        if not script:
            return path.strip("/") or "ok"
        return script.popleft() if len(script) > 1 else script[0]

    def record(self, request, complete):
        entry = request.entry(complete, self.bodies)
        if self.log is not None:
            os.write(self.log, json.dumps(entry).encode() + b"\n")
        with self.changed:
            self.entries.append(entry)
            self.changed.notify_all()

    def control(self, request):
        if request.path == "/control/requests":
            return answer_bytes(200, json.dumps(self.requests()).encode())
        if request.path == "/control/clear":
            self.clear()
        elif request.path == "/control":
            wish = json.loads(bytes(request.body).decode())
            if "path" in wish:
                self.script(wish["path"], wish["answers"])
            self.accept(wish.get("accept", ()))
        return answer_bytes(200, b"{}")


def main():
    parser = argparse.ArgumentParser(description="A misbehaving HTTP endpoint.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--log", help="file for one JSON line per request")
    parser.add_argument("--bodies", action="store_true", help="bodies under 64 KiB go into the log")
    parser.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"))
    parser.add_argument("--tls-max", help="TLSv1, TLSv1_1, TLSv1_2")
    parser.add_argument("--accept", help="reset, close or hang: what happens to every connection")
    parser.add_argument("--scripts", help="JSON file {path: [answer, …]}")
    parser.add_argument("--until-eof", action="store_true", help="ends when stdin does")
    options = parser.parse_args()
    endpoint = Endpoint(options.port, options.tls, options.log, options.bodies, options.host,
                        options.tls_max)
    endpoint.accept_always = options.accept
    if options.scripts:
        with open(options.scripts, encoding="utf-8") as file:
            for path, answers in json.load(file).items():
                endpoint.script(path, answers)
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    endpoint.start()
    print(json.dumps({"port": endpoint.port}), flush=True)
    if options.until_eof:
        threading.Thread(target=lambda: (sys.stdin.buffer.read(), done.set()), daemon=True).start()
    done.wait()
    endpoint.stop()


if __name__ == "__main__":
    main()
