"""What the vendors' stand-ins share: a server that checks each request against a description of the
vendor's API (descriptions/*.json, in OpenAPI's form), keeps state, and misbehaves on order.

    vendor.py --port N --log FILE

prints {"port": N} when it listens and writes one JSON line per request: time, method, path, status,
effect (whether the request changed something) and problems (what the description forbids). Standard
library only.

Within a test:  with HubSpot() as vendor: vendor.script([429, "reset_after"]); vendor.requests
From elsewhere: POST /control {"script": […], "advance_s": 3600, "state": {…}}; GET /control

One entry of a script is taken for each request; when it is over, all is well. Entries:

    "ok"            as the vendor does
    429, 500 …      that status, before anything is done; {"status": 429, "headers": {…}, "body": …}
    "timeout"       no answer, nothing done             "timeout_after"  done, no answer
    "reset"         connection reset, nothing done      "reset_after"    done, then reset
    "half"          done, then half the answer          "status_after/500"  done, another answer
"""
import argparse
import http.server
import json
import os
import re
import signal
import socket
import struct
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import schema  # noqa: E402

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "descriptions")
BODY_MAX = 4 * 1024 * 1024


class Hangup(Exception):
    """The connection is over, without an answer."""


class Reply(Exception):
    """An answer, from anywhere in the handling of a request."""

    def __init__(self, status, body=None, headers=None):
        super().__init__(status)
        self.status, self.body, self.headers = status, body, headers or {}


class Request:
    def __init__(self, method, path, headers, body):
        self.method, self.headers, self.body = method, headers, body
        parts = urllib.parse.urlsplit(path)
        self.path, self.raw_path = parts.path, path
        self.query = urllib.parse.parse_qsl(parts.query, keep_blank_values=True)
        self.problems, self.parameters, self.value = [], {}, None
        self.effect = False


def form_value(pairs):
    """a[b]=c as {"a": {"b": "c"}}, as Stripe reads forms."""
    value = {}
    for name, text in pairs:
        match = re.fullmatch(r"(\w+)\[(\w+)\]", name)
        if match:
            value.setdefault(match.group(1), {})[match.group(2)] = text
        else:
            value[name] = text
    return value


def coerced(part, value):
    """Texts of a form or a query as the numbers that its schema has; what is none stays text."""
    if part.get("type") == "integer" and isinstance(value, str) and re.fullmatch(r"-?\d+", value):
        return int(value)
    if isinstance(value, dict):
        known = part.get("properties", {})
        return {name: coerced(known.get(name, {}), inner) for name, inner in value.items()}
    return value


class Description:
    """The vendor's API: finds a request's operation and says what is wrong with it."""

    def __init__(self, name):
        with open(os.path.join(FOLDER, name + ".json"), encoding="utf-8") as file:
            self.document = json.load(file)

    def find(self, request):
        """The operation of a request, or None; its path's parameters land in the request."""
        for template, methods in self.document["paths"].items():
            pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(template))
            match = re.fullmatch(pattern, request.path)
            if match and request.method.lower() in methods:
                request.parameters = {name: urllib.parse.unquote(text)
                                      for name, text in match.groupdict().items()}
                return methods[request.method.lower()]
        request.problems.append(f"no operation {request.method} {request.path}")
        return None

    def check(self, request, operation):
        query = form_value(request.query)
        known = {}
        for parameter in operation.get("parameters", []):
            name, where = parameter["name"], parameter["in"]
            known.setdefault(where, set()).add(name)
            values = {"path": request.parameters, "query": query, "header": request.headers}[where]
            value = values.get(name)
            if value is None and parameter.get("required"):
                request.problems.append(f"{where} {name}: missing")
            elif value is not None:
                value = coerced(parameter["schema"], value)
                values = schema.complaints(parameter["schema"], value, self.document,
                                           f"{where} {name}")
                request.problems += values
        request.problems += [f"query {name}: unknown" for name in query
                             if name not in known.get("query", ())]
        self.check_body(request, operation.get("requestBody"))
        return not request.problems

    def check_body(self, request, wanted):
        if not wanted:
            if request.body:
                request.problems.append("a body, but none is described")
            return
        media, described = next(iter(wanted["content"].items()))
        given = (request.headers.get("Content-Type") or "").split(";")[0].strip().lower()
        if given != media:
            request.problems.append(f"Content-Type: {given or 'missing'}, not {media}")
            return
        try:
            text = request.body.decode("utf-8")
            if media == "application/json":
                request.value = json.loads(text)
            else:
                pairs = urllib.parse.parse_qsl(text, keep_blank_values=True, strict_parsing=True)
                request.value = coerced(described["schema"], form_value(pairs))
        except ValueError as error:
            request.problems.append(f"body: {error}")
            return
        request.problems += schema.complaints(described["schema"], request.value, self.document)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request, client_address):
        pass


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    vendor = None

    def log_message(self, *_):
        pass

    def read_request(self):
        length = int(self.headers.get("Content-Length") or 0)
        if length > BODY_MAX:
            raise Hangup()
        body = self.rfile.read(length)
        if len(body) < length:
            raise Hangup()
        return Request(self.command, self.path, self.headers, body)

    def answer(self, reply, half=False):
        body = reply.body if isinstance(reply.body, bytes) else (
            b"" if reply.body is None else json.dumps(reply.body).encode())
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if body:
            self.send_header("Content-Type", "application/json")
        if reply.status != 204:
            self.send_header("Content-Length", str(len(body) + (10 if half else 0)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
        if half:
            raise Hangup()

    def one(self):
        try:
            request = self.read_request()
            if request.path == "/control":
                self.answer(self.vendor.control(request))
            else:
                self.vendor.take(self, request)
        except (Hangup, ConnectionError):
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = one

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        raise Hangup()

    def hang(self):
        """Until the other side gives up, or the server ends."""
        self.connection.settimeout(0.2)
        while not self.vendor.ended.is_set():
            try:
                if self.connection.recv(1) == b"":
                    break
            except TimeoutError:
                continue
        raise Hangup()


class Standin:
    """A vendor. A subclass names its description and fills in error(), act(), state()."""

    description = None
    port = 0

    def __init__(self, port=0, log=None):
        self.api = Description(self.description)
        self.lock = threading.RLock()
        self.requests, self.entries, self.offset_s = [], [], 0
        self.log = open(log, "a", encoding="utf-8") if log else None
        self.ended = threading.Event()
        handler = type("Handler", (Handler,), {"vendor": self})
        self.server = Server(("127.0.0.1", port), handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)

    # ---- what a vendor is

    def error(self, status, message):
        """The body of a refusal in the vendor's form."""
        raise NotImplementedError

    def act(self, request, operation):
        """Does what a good request asks for and raises or returns a Reply."""
        raise NotImplementedError

    def state(self):
        return {}

    def set_state(self, state):
        for name, value in state.items():
            setattr(self, name, value)

    # ---- a test's side

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()
        if self.log:
            self.log.close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def script(self, entries):
        with self.lock:
            self.entries = list(entries)

    def advance(self, seconds):
        with self.lock:
            self.offset_s += seconds

    def now(self):
        return time.time() + self.offset_s

    def problems(self):
        with self.lock:
            return [problem for entry in self.requests for problem in entry["problems"]]

    # ---- a request

    def control(self, request):
        order = json.loads(request.body or b"{}")
        with self.lock:
            if "script" in order:
                self.script(order["script"])
            self.offset_s += order.get("advance_s", 0)
            self.set_state(order.get("state", {}))
            return Reply(200, {"requests": self.requests, "state": self.state(),
                               "script": self.entries})

    def reply_to(self, request):
        operation = self.api.find(request)
        if operation is None:
            return Reply(404, self.error(404, request.problems[-1]))
        try:
            refused = self.let_in(request, operation)
            if refused:
                return refused
            if not self.api.check(request, operation):
                return Reply(400, self.error(400, "; ".join(request.problems)))
            return self.act(request, operation)
        except Reply as reply:
            return reply

    def let_in(self, request, operation):
        """A Reply for a request without the right token."""

    def note(self, request, status, order):
        entry = {"time": time.time(), "method": request.method, "path": request.raw_path,
                 "status": status, "effect": request.effect, "problems": request.problems,
                 "ordered": order,
                 "headers": {name.lower(): value for name, value in request.headers.items()
                             if name.lower() != "authorization"},
                 "body": request.body.decode("utf-8", "replace")}
        with self.lock:
            self.requests.append(entry)
            if self.log:
                shown = {name: value for name, value in entry.items()
                         if name not in ("headers", "body")}
                self.log.write(json.dumps(shown) + "\n")
                self.log.flush()

    def take(self, connection, request):
        with self.lock:
            order = self.entries.pop(0) if self.entries else "ok"
        self.carry_out(order, connection, request)

    def carry_out(self, order, connection, request):
        if isinstance(order, int):
            order = {"status": order}
        if isinstance(order, dict):
            reply = Reply(order["status"], order.get("body") or self.error(
                order["status"], "injected"), order.get("headers"))
            self.note(request, reply.status, order)
            connection.answer(reply)
            return
        if order in ("timeout", "reset"):
            self.note(request, 0, order)
            connection.hang() if order == "timeout" else connection.reset()
        with self.lock:
            reply = self.reply_to(request)
        self.finish(connection, request, reply, order)

    def finish(self, connection, request, reply, order):
        if order.startswith("status_after/"):
            status = int(order.split("/")[1])
            reply = Reply(status, self.error(status, "injected"))
        self.note(request, 0 if order in ("timeout_after", "reset_after") else reply.status, order)
        if order == "timeout_after":
            connection.hang()
        elif order == "reset_after":
            connection.reset()
        connection.answer(reply, half=order == "half")


def main(vendor_class):
    parser = argparse.ArgumentParser(description=vendor_class.__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", help="one JSON line a request")
    options = parser.parse_args()
    vendor = vendor_class(options.port, options.log)
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    with vendor:
        print(json.dumps({"port": vendor.port}), flush=True)
        done.wait()
