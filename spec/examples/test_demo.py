"""The demo adds up, or says that it does not; what it leaves can be looked at in the console."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import unittest

from cli import TOP, Workshop, wait_for
from nginx import free_port

PASSWORD = "a password of twelve bytes or more"


class Demo(unittest.TestCase):
    def setUp(self):
        self.shop = Workshop()
        self.addCleanup(self.shop.close)
        self.kept = self.shop.path("kept")
        self.environment = {**os.environ, "EVENTS": "600", "TMPDIR": self.shop.folder,
                            "DEMO_KEPT": self.kept, "PORT": "0"}

    def run_demo(self, script=os.path.join(TOP, "demo", "run.sh"), code=0):
        done = subprocess.run(["sh", script], capture_output=True, text=True, timeout=120,
                              stdin=subprocess.DEVNULL, env=self.environment)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def test_it_adds_up_and_can_be_looked_at(self):
        for _ in range(2): # the second replaces what the first has left
            done = self.run_demo()
        self.assertEqual(done.stdout.count("adds up"), 9)
        self.assertIn("serve is killed, its nginx with it; another one goes on", done.stdout)
        self.assertRegex(done.stdout, r'200: \{"events":\d+,"added":0\}')
        self.assertEqual(os.listdir(self.shop.folder), ["kept"])
        self.look(re.search(r"^  (\./bootstrap console)$", done.stdout, re.M).group(1))

    def look(self, command):
        """Runs the command as it was printed, and signs in with what it prints."""
        with self.console(command) as console:
            shown = console.shown()
            tokens = re.findall(r"(http://[\w.]+:\d+)/\n +first-run token (lhf_\w+)$", shown, re.M)
            self.assertEqual(len(tokens), 2, shown)
            for name in ("run.sh", "console.sh"): # its data stay
                self.assertIn("end it first", self.run_demo(f"{TOP}/demo/{name}", 3).stderr)
            self.check_platform(Visitor(*tokens[0]))
            self.check_shop(Visitor(*tokens[1]))
        with self.console(command) as console:
            self.assertEqual(console.shown().count("sign in as before"), 2)

    def check_platform(self, anna):
        self.assertEqual(anna.page("/console/"), 200)
        webhooks = anna.ask("GET", "webhooks")["webhooks"]
        self.assertEqual(len(webhooks), 8)
        (retired,) = [row for row in webhooks if row["name"] == "retired"]
        failed = anna.ask("GET", "requests?state=failed")["requests"]
        self.assertEqual({row["webhook_id"] for row in failed}, {retired["id"]})
        self.assertEqual(anna.ask("GET", "stats")["events"], 600)
        # The endpoints live again: what is sent from the console is answered.
        tried = {row["name"]: anna.ask("POST", f"webhooks/{row['id']}/test")["status"]
                 for row in webhooks}
        self.assertEqual(tried, {**{row["name"]: 200 for row in webhooks}, "retired": 410,
                                 "flaky": 500})

    def check_shop(self, otto):
        self.assertEqual(otto.page("/console/"), 200)
        listed = otto.ask("GET", "inbox?state=done&limit=200")["events"]
        self.assertEqual(len(listed), 200)
        handlers = {row["name"]: row["tasks"] for row in otto.ask("GET", "handlers")
                    ["handlers"]}
        self.assertEqual(sorted(handlers), ["crm.hubspot", "email"])
        wait_for(lambda: otto.ask("GET", "inbox?state=pending")["events"] == [],
                 what="the test event handled")

    def console(self, command):
        return Console(command, self.environment)

    def test_without_a_demo_the_console_says_what_comes_first(self):
        done = self.run_demo(os.path.join(TOP, "demo", "console.sh"), 3)
        self.assertEqual(done.stderr,
                         "console: there is no demo to look at yet; first: ./bootstrap demo\n")

    def test_it_fails_when_the_figures_do_not_fit(self):
        # A report that is told of one event more than there was must not add up.
        self.fails_with('/report.lua" "$DIR" "$URL" "$EVENTS" 1',
                        '/report.lua" "$DIR" "$URL" 601 1')

    def test_it_fails_when_the_shops_figures_do_not_fit(self):
        # Nor one of a shop that has lost a mail.
        self.fails_with('$LUA "$TOP/demo/shop_report.lua"',
                        'rm "$(grep -l club@shop "$DIR"/mails/new/* | head -1)"; "$PYTHON" '
                        '"$TOP/demo/mails.py" "$DIR/mails" --members > "$DIR/members.txt"; '
                        '$LUA "$TOP/demo/shop_report.lua"')

    def fails_with(self, before, after):
        with open(os.path.join(TOP, "demo", "run.sh"), encoding="utf-8") as file:
            text = file.read()
        self.assertIn(before, text)
        done = self.run_demo(self.shop.write("run.sh", text.replace(before, after).replace(
            '$(cd "$(dirname "$0")/.." && pwd)', TOP)), 1)
        self.assertIn("WRONG", done.stdout)
        self.assertEqual(os.listdir(self.shop.folder), ["run.sh"])

    def test_its_mail_server_asks_nobody_for_a_name(self):
        """Without /etc/hosts and with a lost DNS answer that takes seconds, for each mail."""
        self.shop.write("sitecustomize.py", "import socket, time\n"
                        "socket.gethostbyaddr = lambda name: time.sleep(3600)\n")
        port = free_port()
        server = subprocess.Popen(
            ["/usr/bin/python3", f"{TOP}/demo/mail_server.py", f"127.0.0.1:{port}",
             self.shop.path("mails")], env={**os.environ, "PYTHONPATH": self.shop.folder})
        try:
            wait_for(lambda: greeting(port), what="the greeting")
            self.assertIn(b"220 localhost ", greeting(port))
        finally:
            server.kill()
            server.wait()


class Console:
    """The command in the background, in a group of its own: Ctrl-C reaches all of it."""

    def __init__(self, command, environment):
        self.process = subprocess.Popen(command.split(), cwd=TOP, env=environment, text=True,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, start_new_session=True)

    def shown(self):
        """What it prints until it waits."""
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if line.startswith("  ssh "):
                break
        return "".join(lines)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.killpg(self.process.pid, signal.SIGINT)
        self.process.stdout.read() # its end: nothing that it started is left
        self.process.stdout.close()
        self.process.wait(60)


class Visitor:
    """A browser's part: signs in as the first administrator, then asks the API."""

    def __init__(self, base, token):
        # As browsers do, localhost is this machine whatever /etc/hosts says, or if there is none.
        host = base.split("//")[1]
        self.address = "127.0.0.1:" + host.split(":")[1]
        self.headers = {"Host": host, "Origin": base, "Content-Type": "application/json"}
        answer, made = self.exchange("POST", "/api/v1/session", {
            "user": "anna", "password": PASSWORD, "first_run_token": token})
        assert answer.status == 201, made
        self.headers["Cookie"] = answer.getheader("Set-Cookie").split(";")[0]
        self.headers["X-CSRF-Token"] = json.loads(made)["csrf"]

    def exchange(self, method, path, body=None):
        connection = http.client.HTTPConnection(self.address, timeout=60)
        connection.request(method, path, None if body is None else json.dumps(body), self.headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer, text

    def page(self, path):
        return self.exchange("GET", path)[0].status

    def ask(self, method, path):
        answer, text = self.exchange(method, "/api/v1/" + path,
                                     {} if method == "POST" else None)
        assert answer.status == 200, (path, answer.status, text)
        return json.loads(text)


def greeting(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as wire:
            return wire.recv(4096)
    except ConnectionRefusedError:
        return b""


if __name__ == "__main__":
    unittest.main()
