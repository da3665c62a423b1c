"""Handlers in a real worker: a workshop with a store and own handlers, events that come in signed,
and what became of them.

    with Handling(handler("points", "return true")) as shop:
        shop.accept("e1", "e2")
        shop.work_until_idle()
        shop.states("points")  # {"e1": "done", "e2": "done"}
"""

import json
import os
import sqlite3
import subprocess

from cli import TOP, VMS, Workshop, lua_environment
from receiving import SECRET, signed

ACCEPT = os.path.join(TOP, "spec", "harness", "accept.lua")


def handler(name, body, before="", **fields):
    """An own handler: the text of its file. body: of its function (event, context); before: what
    stands in front of it; fields: Lua text."""
    fields = {"event_types": '{ "*" }', "from": '"start"', **fields}
    more = "".join(f"{key.rstrip('_')} = {value}, " for key, value in fields.items())
    return name, f"""{before}
return {{ name = "{name}", {more}
  handle = function(event, context) {body} end }}"""


def accept(store, ids, wrap=(), folder=None, member="m-1", event_type="event_points_earned",
           **data):
    """Events with these ids come into a store, in order, in one request. data: more of theirs."""
    accept_events(store, [
        {"id": one, "event_type": event_type,
         "data": {"member_info": {"member_id": member}, "points": 2, **data}} for one in ids],
        wrap, folder)


def accept_events(store, events, wrap=(), folder=None):
    """These events come into a store, in order, in one request."""
    body = json.dumps({"request_id": "61f11851bdfb9aac526d0c70", "total_count": str(len(events)),
                       "created_date": "01/02/2026 10:00:05", "events": events}).encode()
    request = {"source": "zinrelo", "headers": signed(body), "body": body.hex()}
    done = subprocess.run([*wrap, VMS["lua5.4"], ACCEPT, f"sqlite:{store}",
                           json.dumps({"zinrelo": {"secrets": [SECRET]}})],
                          input=json.dumps(request).encode() + b"\n", capture_output=True,
                          check=False, cwd=folder, env={**os.environ, **lua_environment("lua5.4")})
    if done.stdout[:3] != b"200":
        raise AssertionError(done.stdout + done.stderr)


class Handling(Workshop):
    """handlers: as handler() makes them; more of loyalhook.lua stands in `settings`."""

    def __init__(self, *handlers, vm="lua5.4", settings="", **environment):
        super().__init__(vm, **environment)
        self.settings = settings
        os.mkdir(self.path("handlers"))
        self.run("init")
        self.configure(*handlers)

    def configure(self, *handlers):
        """These are the handlers from now on."""
        for name, text in handlers:
            self.write(f"handlers/{name}.lua", text)
        files = "".join(f'{{ file = "handlers/{name}.lua" }}, ' for name, _ in handlers)
        self.write("loyalhook.lua", f"return {{ {self.settings} handlers = {{ {files} }} }}")

    def accept(self, *ids, **more):
        accept(self.path("loyalhook.db"), ids, **more)

    def start_worker(self, *options, **environment):
        return self.start("work", "--role", "handle", *options, **environment)

    def handle_until_idle(self, **environment):
        return self.work_until_idle("--role", "handle", **environment)

    def events(self):
        """The rows of the inbox, oldest first."""
        rows, cursor = [], None
        while True:
            more = ["--after", cursor] if cursor else []
            page = self.run("inbox", "list", "--json", "--limit", 1000, *more).json()
            rows += page["events"]
            cursor = page["next"]
            if not cursor:
                return rows[::-1]

    def tasks(self, name):
        """The tasks of a handler, by event."""
        return {row["id"]: task for row in self.events() for task in row["tasks"]
                if task["handler"] == name}

    def states(self, name):
        return {event: task["state"] for event, task in self.tasks(name).items()}

    def later(self):
        """Only while no worker runs: what waits for its next try is due."""
        with sqlite3.connect(self.path("loyalhook.db")) as store:
            store.execute("UPDATE tasks SET due_ms = 0 WHERE state = 2")
