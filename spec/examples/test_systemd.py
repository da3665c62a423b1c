"""The systemd units: systemd's own checks, and that a worker keeps to what the sandbox allows. No
systemd has to run; what is not installed is skipped, and said to be.
"""

import ctypes
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.request

from cli import PROGRAM, TOP, VMS, Workshop, lua_environment, stop, wait_for
from endpoint import Endpoint

FOLDER = os.path.join(TOP, "contrib/systemd")
WORKER, SERVE = "loyalhook-worker.service", "loyalhook-serve.service"
PR_SET_MDWE, REFUSE_EXEC_GAIN = 65, 1 # what MemoryDenyWriteExecute= does, in the kernel's own words


def unit(name):
    with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
        return file.read()


def settings(name, of=WORKER):
    """All values of the lines NAME=… of a unit."""
    return re.findall(rf"^{name}=(.*)$", unit(of), re.M)


class Units(unittest.TestCase):
    def setUp(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("no systemd-analyze on this machine")
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        for name in os.listdir(FOLDER): # a program that is there
            with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
                file.write(unit(name).replace("/usr/local/bin/loyalhook", PROGRAM))

    def analyze(self, *words):
        done = subprocess.run(["systemd-analyze", *words], capture_output=True, text=True,
                              cwd=self.folder)
        return done.returncode, done.stdout + done.stderr

    def test_are_valid(self):
        for name in sorted(os.listdir(FOLDER)):
            self.assertEqual(self.analyze("verify", "--man=no", f"./{name}"), (0, ""), name)

    def test_leave_little_exposed(self):
        for name, most in ((WORKER, 15), (SERVE, 20), ("loyalhook-backup.service", 35)):
            code, said = self.analyze("security", "--offline=yes", f"--threshold={most}",
                                      "--no-pager", f"./{name}")
            if "unrecognized option" in said:
                self.skipTest("this systemd-analyze cannot look at a file")
            self.assertEqual(code, 0, said.splitlines()[-1:])


class Drain(unittest.TestCase):
    def test_systemd_waits_longer_than_a_drain(self):
        said = subprocess.run([VMS["lua5.4"], "-e", "print(require('loyalhook.settings').by_name"
                               ".drain_grace_s.default)"], capture_output=True, text=True,
                              check=True, env={**os.environ, **lua_environment("lua5.4")}).stdout
        self.assertGreater(int(settings("TimeoutStopSec")[0]), int(said))
        self.assertEqual(settings("KillSignal"), ["SIGTERM"])


class Sandbox(unittest.TestCase):
    """A worker that resolves a name, speaks TLS and plain HTTP, fails, and is told to stop."""

    def story(self, wrap, **tls):
        shop = Workshop(LOYALHOOK_ALLOW_NETWORKS="127.0.0.0/8,::1/128")
        self.addCleanup(shop.close)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout",
                        "key.pem", "-out", "cert.pem", "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost"], cwd=shop.folder, check=True,
                       capture_output=True)
        shop.init()
        with Endpoint(tls=(shop.path("cert.pem"), shop.path("key.pem"))) as secure, \
                Endpoint() as plain:
            shop.webhook("tls", f"https://localhost:{secure.port}/ok")
            shop.webhook("plain", plain.url("/ok"))
            shop.webhook("failing", plain.url("/status/500"))
            shop.run("emit", "event_member_update", "--data", "{}")
            worker = shop.start("work", wrap=wrap, LOYALHOOK_CA_FILE=shop.path("cert.pem"))
            wait_for(lambda: sorted(row["state"] for row in shop.requests()) == ["delivered"] * 2
                     + ["retrying"], what="attempts to all three")
            self.stop(worker)
        return shop

    def stop(self, worker):
        code, _, err = stop(worker)
        self.assertEqual(code, 0, err)

    def test_lua_5_4_makes_no_code_while_it_runs(self):
        if ctypes.CDLL(None).prctl(66, 0, 0, 0, 0) < 0: # PR_GET_MDWE
            self.skipTest("this kernel cannot refuse new executable memory")
        self.assertEqual(settings("MemoryDenyWriteExecute"), ["yes"])
        self.story([sys.executable, "-c", f"""import ctypes, os, sys
assert ctypes.CDLL(None).prctl({PR_SET_MDWE}, {REFUSE_EXEC_GAIN}, 0, 0, 0) == 0
os.execvp(sys.argv[1], sys.argv[1:])"""])

    def allowed_calls(self, of):
        """The system calls that SystemCallFilter= leaves, as systemd names them."""
        def members(group):
            said = subprocess.run(["systemd-analyze", "syscall-filter", group], text=True,
                                  capture_output=True, check=True).stdout
            names = set()
            for word in re.findall(r"^    ([@\w-]+)$", said, re.M):
                names |= members(word) if word.startswith("@") else {word}
            return names
        allow, deny = settings("SystemCallFilter", of)
        self.assertEqual(deny[0], "~")
        allowed = set().union(*map(members, allow.split()))
        return allowed - set().union(*map(members, deny[1:].split()))

    def test_a_worker_needs_nothing_that_is_refused(self):
        as_root = {"fchown"} # SQLite does
        self.check(WORKER, self.story, as_root)

    def test_serve_and_its_nginx_need_nothing_that_is_refused(self):
        as_root = {"fchown", "setgid", "setgroups", "setuid"} # nginx does
        self.check(SERVE, self.serve, as_root)

    def serve(self, wrap):
        """One that receives, emits to a webhook of its own, answers, and is told to stop."""
        with Endpoint() as endpoint:
            shop = Workshop()
            self.addCleanup(shop.close)
            shop.environment["TMPDIR"] = shop.folder
            shop.write("secret", "a secret of 16 bytes or more")
            shop.write("loyalhook.lua", """return { handlers = { { use = "log" } },
              sources = { shop = { secret_files = { "secret" } } } }""")
            shop.init()
            shop.webhook("plain", endpoint.url("/ok"))
            serve = shop.start("serve", "--port", 0, "--json", wrap=wrap)
            url = json.loads(serve.stdout.readline())["url"]
            shop.run("trigger", "event_points_earned", "--url", url + "shop", "--secret-file",
                     "secret")
            shop.run("emit", "event_member_update", "--data", "{}")
            wait_for(lambda: shop.run("inbox", "list", "--state", "done", "--json")
                     .json()["events"] and
                     [row["state"] for row in shop.requests()] == ["delivered"],
                     what="received and delivered")
            with urllib.request.urlopen(url.replace("receive/", "healthz/ready")) as answer:
                self.assertEqual(answer.status, 200)
            self.assertEqual(stop(serve)[0], 0)
        return shop

    def check(self, of, story, as_root):
        for program in ("strace", "systemd-analyze"):
            if not shutil.which(program):
                self.skipTest(f"no {program} on this machine")
        if subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True).returncode:
            self.skipTest("strace may not trace here")
        with tempfile.TemporaryDirectory() as folder:
            trace = os.path.join(folder, "trace")
            # -D: the worker itself gets the signal; strace ends after it.
            shop = story(["strace", "-D", "-f", "-o", trace])

            def whole():
                with open(trace, encoding="utf-8", errors="replace") as file:
                    text = file.read()
                ended = set(re.findall(r"^(\d+) \+\+\+ ", text, re.M))
                return text if ended and set(re.findall(r"^(\d+) ", text, re.M)) <= ended else ""
            text = wait_for(whole, what="the end of the trace")
            lines = [re.sub(r"^\d+ +", "", line) for line in text.splitlines(True)]
        begun = next(index for index, line in enumerate(lines) if line.startswith("execve("))
        calls = set(re.findall(r"^(\w+)\(", "".join(lines[begun + 1:]), re.M))
        self.assertGreater(len(calls), 30)
        beside = as_root if os.geteuid() == 0 else set()
        self.assertEqual(calls - self.allowed_calls(of) - beside, set())
        self.check_families(lines, of)
        self.check_files(lines, os.path.realpath(shop.folder))

    def check_families(self, lines, of):
        families = set(re.findall(r"^socket\((AF_\w+)", "".join(lines), re.M))
        self.assertIn("AF_INET", families)
        self.assertLessEqual(families, set(settings("RestrictAddressFamilies", of)[0].split()))

    def check_files(self, lines, folder):
        """Nothing is written outside the state folder."""
        written = re.findall(r'^open(?:at)?\((?:AT_FDCWD, )?"([^"]+)", [^)]*'
                             r'(?:O_WRONLY|O_RDWR|O_CREAT)', "".join(lines), re.M)
        self.assertTrue(written)
        for path in written:
            inside = os.path.realpath(os.path.join(folder, path)).startswith(folder)
            self.assertTrue(inside or path in ("/dev/null", "/dev/tty"), path)


if __name__ == "__main__":
    unittest.main()
