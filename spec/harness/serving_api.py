"""A running `loyalhook serve` for tests of the HTTP API: tokens, people, requests of every kind.

    with Serving() as here:
        here.ask("GET", "/api/v1/webhooks", token=here.token("read"))
"""

import http.client
import json
import re
import signal
import socket
import threading

from cli import Workshop

PASSWORD = "correct horse battery"


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def header(self, name):
        """A header's value, None if it is not there."""
        found = [value for key, value in self.headers if key.lower() == name.lower()]
        return found[0] if found else None


class Serving:
    def __init__(self, settings="", prepare=None):
        self.temporary = Workshop()
        self.shop = Workshop(TMPDIR=self.temporary.folder)
        try:
            self.shop.init()
            self.shop.write("loyalhook.lua", f"return {{ {settings} }}")
            if prepare:
                prepare(self.shop)
            self._start()
        except BaseException:
            self.close()
            raise
        self.names = 0

    def _start(self):
        self.process = self.shop.start("serve", "--port", 0, "--json")
        self.said = []
        threading.Thread(target=self._read, daemon=True).start()
        line = self.process.stdout.readline()
        if not line:
            self.process.wait(30)
            raise AssertionError("serve ended:\n" + "".join(self.said))
        self.head = json.loads(line)
        self.port = int(re.search(r":(\d+)/", self.head["api"]).group(1))
        self.host = f"127.0.0.1:{self.port}"
        self.url = "http://" + self.host

    def _read(self):
        for line in self.process.stderr:
            self.said.append(line.decode("utf-8", "replace"))

    def token(self, scope, account=None):
        self.names += 1
        whose = ["--account", account] if account else ["--all-accounts"]
        return self.shop.run("token", "create", "--name", f"t{self.names}", "--scope", scope,
                             *whose, "--json").json()["token"]

    def admin(self):
        """Headers of the first user, who signs in with the first-run token."""
        answer = self.ask("POST", "/api/v1/session", {
            "user": "anna", "password": PASSWORD, "first_run_token": self.head["first_run_token"]})
        assert answer.status == 201, answer.body
        return {"Cookie": answer.header("Set-Cookie").split(";")[0],
                "X-CSRF-Token": answer.json()["csrf"]}

    def ask(self, method, path, body=None, token=None, headers=(), limit_s=120):
        """One request; body: bytes, or a value to be JSON."""
        given = {"Authorization": "Bearer " + token} if token else {}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            given["Content-Type"] = "application/json"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=limit_s)
        connection.request(method, path, body, {**given, **dict(headers)})
        answer = connection.getresponse()
        made = Answer(answer.status, answer.getheaders(), answer.read())
        connection.close()
        return made

    def raw(self, data):
        """Sends bytes and returns all that comes back until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as link:
            link.sendall(data)
            link.shutdown(socket.SHUT_WR)
            got = b""
            while True:
                try:
                    piece = link.recv(65536)
                except ConnectionResetError:
                    break
                if not piece:
                    break
                got += piece
        return got

    def cli(self, *args):
        return self.shop.run(*args, "--json").json()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.stdout.read()
        return self.process.wait(90)

    def close(self):
        if getattr(self, "process", None) and self.process.poll() is None:
            self.stop()
        self.shop.close()
        self.temporary.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
