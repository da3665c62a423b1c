"""The command line from outside: a working folder of its own, commands run in it, what they said.

    with Workshop() as shop:
        shop.init()
        shop.run("webhook", "create", …, stdin=secret).json()

Used by the suites in Python; spec/run.py puts this folder on PYTHONPATH.
"""

import json
import os
import pty
import re
import shutil
import signal
import subprocess
import tempfile
import time

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
PROGRAM = os.path.join(TOP, "bin", "loyalhook")
VMS = {"lua5.4": os.environ.get("LUA54", "lua5.4"), "luajit": os.environ.get("LUAJIT", "luajit")}
BUILD = os.path.join(TOP, os.environ.get("BUILD", "build"))
DEVELOPMENT = {"LOYALHOOK_ALLOW_HTTP": "1", "LOYALHOOK_ALLOW_NETWORKS": "127.0.0.0/8"}


def lua_environment(vm):
    """Where a script of that VM finds the modules of this checkout."""
    path = f"{TOP}/lua/?.lua;{TOP}/lua/?/init.lua;;"
    cpath = f"{BUILD}/{vm}/?.so;;"
    return {"LUA_PATH": path, "LUA_PATH_5_4": path, "LUA_CPATH": cpath, "LUA_CPATH_5_4": cpath}


class Answer:
    """What one finished command left: exit code, standard output and standard error."""

    def __init__(self, command, code, out, err):
        self.command, self.code, self.raw, self.err = command, code, out, err
        self.out = out.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.out)

    def error(self):
        """The {"code", "message"} of a command that failed with --json."""
        return json.loads(self.err)["error"]

    def __str__(self):
        return f"{self.command}\nexit {self.code}\n{self.out}\n{self.err}"


class Workshop:
    """A temporary folder in which loyalhook commands run; everything goes when it is closed."""

    def __init__(self, vm="lua5.4", folder=None, **environment):
        self.own = folder is None
        self.folder = folder or tempfile.mkdtemp(prefix="loyalhook-")
        self.vm = vm
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith(("LOYALHOOK_", "LUA_"))}
        self.environment = {**kept, **DEVELOPMENT, **environment}
        self.started = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.communicate()
        if self.own:
            shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, content):
        mode = "wb" if isinstance(content, bytes) else "w"
        with open(self.path(name), mode) as file:
            file.write(content)
        return self.path(name)

    def command(self, *args):
        return [VMS[self.vm], PROGRAM, *map(str, args)]

    def run(self, *args, stdin=b"", expect=0, limit_s=120, wrap=(), **environment):
        """Runs a command to its end. `expect` is the exit code it must have (None: any). stdin: a
        text, or a descriptor."""
        command = [*wrap, *self.command(*args)]
        given = {"stdin": stdin} if isinstance(stdin, int) else \
            {"input": stdin.encode() if isinstance(stdin, str) else stdin}
        done = subprocess.run(command, **given, capture_output=True, cwd=self.folder,
                              env={**self.environment, **environment}, timeout=limit_s)
        answer = Answer(" ".join(command), done.returncode, done.stdout,
                        done.stderr.decode("utf-8", "replace"))
        if expect is not None and answer.code != expect:
            raise AssertionError(f"exit code {answer.code}, expected {expect}\n{answer}")
        return answer

    def on_terminal(self, *args, until=None, **environment):
        """Runs a command with a terminal as stdout and stderr; returns code and what it showed.
        until: one that goes on is told to end when it has shown what this pattern matches.
        """
        master, slave = pty.openpty()
        process = subprocess.Popen(self.command(*args), stdin=subprocess.DEVNULL, stdout=slave,
                                   stderr=slave, cwd=self.folder,
                                   env={**self.environment, "TERM": "xterm", **environment})
        os.close(slave)
        shown = b""
        while True:
            try:
                piece = os.read(master, 65536)
            except OSError:  # Linux's end of file
                break
            if not piece:
                break
            shown += piece
            if until and re.search(until, shown.decode(errors="replace")):
                process.terminate()
                until = None
        os.close(master)
        return process.wait(), shown.decode()

    def start(self, *args, wrap=(), **environment):
        """Starts a command that goes on; it is killed at the latest when the workshop closes."""
        process = subprocess.Popen([*wrap, *self.command(*args)], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.folder,
                                   env={**self.environment, **environment})
        self.started.append(process)
        return process

    # ---- what most tests do

    def init(self):
        return self.run("init")

    def webhook(self, name, url, event_types=("*",), secret="a secret for tests", **fields):
        """Creates a webhook; fields as options (batch_size=7). Returns its document."""
        options = []
        for key, value in fields.items():
            options += ["--" + key.replace("_", "-"), value]
        for event_type in event_types:
            options += ["--event-type", event_type]
        return self.run("webhook", "create", "--name", name, "--url", url, "--secret-stdin",
                        "--json", *options, stdin=secret).json()

    def emit_lines(self, lines, **environment):
        """Emits NDJSON lines (texts or objects); returns the command's document."""
        rows = [line if isinstance(line, (str, bytes)) else json.dumps(line) for line in lines]
        rows = [row.encode() if isinstance(row, str) else row for row in rows]
        return self.run("emit", "--ndjson", "-", "--json", stdin=b"\n".join(rows) + b"\n",
                        limit_s=300, **environment).json()

    def requests(self, *options):
        """All requests of the log, oldest first, over all pages."""
        rows, cursor = [], None
        while True:
            more = ["--after", cursor] if cursor else []
            page = self.run("request", "list", "--json", "--limit", 1000, *options, *more).json()
            rows += page["requests"]
            cursor = page["next"]
            if not cursor:
                return rows[::-1]

    def request(self, request_id):
        return self.run("request", "show", request_id, "--json").json()

    def work_until_idle(self, *options, **environment):
        return self.run("work", "--until-idle", *options, limit_s=300, **environment)


def commands():
    """The full names of all commands, as the registry has them."""
    program = f"""package.path = "{TOP}/lua/?.lua;" .. package.path
      print(table.concat(require("loyalhook.cli.commands").names(), "\\n"))"""
    return subprocess.run([VMS["lua5.4"], "-e", program], capture_output=True, text=True,
                          check=True).stdout.splitlines()


def wait_for(condition, limit_s=20.0, what="condition"):
    """Polls until condition() is truthy and returns it."""
    end = time.monotonic() + limit_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {limit_s} s")
        time.sleep(0.02)


def stop(process, limit_s=40.0, how=signal.SIGTERM):
    """Sends a signal and waits; returns exit code, standard output, standard error."""
    process.send_signal(how)
    out, err = process.communicate(timeout=limit_s)
    return process.returncode, out.decode(), err.decode("utf-8", "replace")
