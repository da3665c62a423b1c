"""Example 04 as its own script runs it: nginx with a receiver, a merchant's side."""

import os
import signal
import subprocess
import urllib.error
import urllib.request

from cli import TOP, wait_for
from nginx import free_port

EXAMPLES = os.path.join(TOP, "examples")


class Web:
    """Example 04, run by its own script, on a free port unless one is given."""

    def __init__(self, port=None):
        self.port = port or free_port()

    def __enter__(self):
        self.url = f"http://127.0.0.1:{self.port}/hooks/loyalty"
        self.process = subprocess.Popen(["sh", os.path.join(EXAMPLES, "04-nginx", "run.sh")],
                                        env={**os.environ, "PORT": str(self.port)},
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.said = ""
        while "--store" not in self.said:
            line = self.process.stdout.readline()
            if not line:
                raise AssertionError(self.said)
            self.said += line
        self.store = self.said.split("--store ")[1].strip()
        wait_for(self.answers, what="nginx of example 04")
        return self

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(self.said + self.process.stdout.read())
        try:
            urllib.request.urlopen(self.url, data=b"{}", timeout=5)
        except urllib.error.HTTPError as answer:
            return answer.code == 401
        except urllib.error.URLError:
            return False

    def inbox(self, shop):
        """The event types of what it received."""
        rows = shop.run("inbox", "list", "--store", self.store, "--json").json()["events"]
        return [row["event_type"] for row in rows]

    def stop(self):
        """Ends it as Ctrl-C does; returns what it wrote."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.communicate(timeout=20)[0]

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.stop()
