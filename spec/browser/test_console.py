"""The console in a real browser, on the real server with a real worker and a misbehaving endpoint.

Each test plays one scene (scenes/NAME.mjs, through scene.mjs) in a workshop of its own. Pictures of
every page go to build/screenshots. Needs chromium, Node.js and npm; without them the tests are
skipped and say so. LOYALHOOK_SPEC_LARGE=1 plays the large one too, which asks how fast it is: no
part of any suite but `make test-browser-large`.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
import unittest
import urllib.request

from cli import BUILD, TOP, Workshop, lua_environment, wait_for
from endpoint import Endpoint
from mail_server import Mailbox

HERE = os.path.join(TOP, "spec", "browser")
MODULES = os.path.join(BUILD, "browser")
PICTURES = os.path.join(BUILD, "screenshots")
PASSWORDS = {"anna": "anna has a long password", "otto": "otto has a long password",
             "vera": "vera has a long password"}
ROLES = {"anna": "admin", "otto": "admin", "vera": "viewer"}
SECRET = "a secret for tests"
EVENTS = ["5f1f1bd0c709aac1851b5260", "5f1f1bd0c709aac1851b5261"]
HANDLER = """
return {
  name = "shop.points", event_types = { "*" },
  handle = function(event)
    if event.data.fail and not io.open("repaired") then
      return nil, "no such member", "fail"
    end
    return true
  end,
}
"""


def first_of(names):
    return next((path for path in map(shutil.which, names) if path), None)


CHROMIUM = first_of(["chromium", "chromium-browser", "google-chrome"])


def setUpModule():
    """Installs what package-lock.json names, once."""
    if not CHROMIUM or not shutil.which("node") or not shutil.which("npm"):
        raise unittest.SkipTest("chromium, node or npm is missing ('./bootstrap test-browser'"
                                " installs them)")
    wanted = open(os.path.join(HERE, "package-lock.json"), "rb").read()
    ready = os.path.join(MODULES, "ready")
    if os.path.exists(ready) and open(ready, "rb").read() == wanted:
        return
    os.makedirs(MODULES, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(os.path.join(HERE, name), MODULES)
    done = subprocess.run(["npm", "ci", "--loglevel=error", "--no-audit", "--no-fund",
                           "--ignore-scripts"], cwd=MODULES, capture_output=True, timeout=300)
    if done.returncode != 0:
        raise unittest.SkipTest("npm cannot install playwright-core: "
                                + done.stderr.decode("utf-8", "replace").strip()[-300:])
    with open(ready, "wb") as file:
        file.write(wanted)


class Case(unittest.TestCase):
    users = True

    def setUp(self):
        self.endpoint = Endpoint().start()
        self.addCleanup(self.endpoint.stop)
        self.mailbox = Mailbox().start()
        self.addCleanup(self.mailbox.stop)
        self.temporary = Workshop()
        self.addCleanup(self.temporary.close)
        self.shop = Workshop(TMPDIR=self.temporary.folder)
        self.addCleanup(self.shop.close)
        self.shop.init()
        self.prepare()
        self.shop.write("points.lua", HANDLER)
        self.shop.write("loyalhook.lua", f"""return {{
          notices = {{ smtp = {{ url = "{self.mailbox.url()}", tls = "none",
                                 from = "loyalhook@example.com" }}, to = {{ "ops@example.com" }} }},
          sources = {{ shop = {{ secrets = {{ "{SECRET}" }} }} }},
          handlers = {{ {{ file = "points.lua" }} }} }}""")
        if self.users:
            for name, password in PASSWORDS.items():
                self.shop.run("user", "add", name, "--role", ROLES[name], "--password-stdin",
                              stdin=password)
        self.serve()

    def prepare(self):
        """What is in the store before anything is started."""

    def serve(self):
        self.process = self.shop.start("serve", "--port", 0, "--json")
        self.said = []
        threading.Thread(target=lambda: self.said.extend(self.process.stderr), daemon=True).start()
        line = self.process.stdout.readline()
        if not line:
            self.process.wait(30)
            self.fail("serve ended:\n" + b"".join(self.said).decode("utf-8", "replace"))
        self.head = json.loads(line)
        self.base = self.head["url"].split("/receive")[0].rstrip("/")

    def play(self, name, limit_s=240, **more):
        given = {"base": self.base, "endpoint": self.endpoint.url("").rstrip("/"),
                 "folder": self.shop.folder, "command": self.shop.command(),
                 "environment": self.shop.environment, "chromium": CHROMIUM, "modules": MODULES,
                 "pictures": PICTURES, "passwords": PASSWORDS, **more}
        done = subprocess.run(["node", os.path.join(HERE, "scene.mjs"), name], timeout=limit_s,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={**os.environ, "LOYALHOOK_SPEC_CONSOLE": json.dumps(given)})
        if done.returncode != 0:
            self.fail(f"{name}:\n{done.stdout.decode('utf-8', 'replace')}\nserve said:\n"
                      + b"".join(self.said[-20:]).decode("utf-8", "replace"))

    def receive(self):
        """Two events come in; the handler refuses the second."""
        body = json.dumps({"request_id": "61f11851bdfb9aac526d0c70", "total_count": "2",
                           "created_date": "11/25/2026 10:00:00", "events": [
                               {"id": EVENTS[0], "event_type": "event_points_earned",
                                "data": {"n": 1}},
                               {"id": EVENTS[1], "event_type": "event_points_earned",
                                "data": {"fail": True}}]})
        self.shop.write("shop.secret", SECRET)
        self.shop.write("body.json", body)
        signed = self.shop.run("sign", "--secret-file", "shop.secret", "--json", stdin=body).json()
        request = urllib.request.Request(self.base + "/receive/shop", body.encode(),
                                         signed["headers"])
        with urllib.request.urlopen(request, timeout=60) as answer:
            self.assertEqual(answer.status, 200)
        wait_for(lambda: self.states() == ["done", "failed"], limit_s=60, what="both tasks ended")

    def past(self):
        """A handler that only a worker of the past has loaded."""
        self.shop.write("old.lua", HANDLER.replace("shop.points", "shop.old").replace(
            '"*"', '"event_member_enrol"'))
        self.shop.write("past.lua", 'return { handlers = { { file = "old.lua" } } }')
        self.shop.run("work", "--until-idle", "--role", "handle", "--config", "past.lua")

    def states(self):
        rows = self.shop.run("inbox", "list", "--json").json()["events"]
        return sorted(row["state"] for row in rows)


class FirstRun(Case):
    users = False

    def test_the_first_run_token_makes_the_first_admin(self):
        token = self.head.get("first_run_token")
        self.assertTrue(token, self.head)
        self.play("first_run", token=token)


class Scenes(Case):
    def test_create_deliver_fail_pause_enable_retry(self):
        self.play("story")
        mails = self.mailbox.wait(1)
        self.assertIn("crm", mails[0].message()["Subject"])

    def test_secrets_samples_and_accounts(self):
        self.play("actions")

    def test_back_forward_and_reload(self):
        self.play("navigation")

    def test_a_server_that_is_slow_or_away_and_two_tabs(self):
        self.play("trouble")

    def test_nobody_works_a_wrong_clock_and_what_is_gone(self):
        self.play("doubts")

    def test_a_narrow_screen_reaches_every_action(self):
        self.receive()
        self.play("narrow")

    def test_two_administrators_at_once(self):
        self.play("two_admins")

    def test_sessions_that_end_and_viewers(self):
        self.play("sessions")

    def test_keyboard_alone(self):
        self.play("keyboard")

    def test_inbox_and_handlers(self):
        self.past()
        self.receive()
        self.play("receiving", events=EVENTS)

    def test_settings(self):
        self.play("settings")
        (mail,) = self.mailbox.wait(1)
        self.assertEqual(sorted(mail.entry()["to"]), ["anna@example.com", "ops@example.com"])

    def test_foreign_text_is_text(self):
        self.play("hostile")

    def test_shows_what_the_command_line_says(self):
        self.play("parity")

    def test_picture_of_the_docs(self):
        self.play("portrait")

    def test_long_and_foreign_text_breaks_nothing(self):
        self.play("long")

    def test_every_page_in_every_look(self):
        self.receive()
        self.play("pages", limit_s=500, events=EVENTS)


@unittest.skipUnless(os.environ.get("LOYALHOOK_SPEC_LARGE"), "large: LOYALHOOK_SPEC_LARGE=1")
class Large(Case):
    COUNT = 100000

    def prepare(self):
        environment = lua_environment("lua5.4")
        for name in ("LUA_PATH", "LUA_PATH_5_4"):
            environment[name] = f"{TOP}/spec/bench/?.lua;{environment[name]}"
        subprocess.run(["lua5.4", f"{TOP}/spec/bench/failed.lua",
                        f"store=sqlite:{self.shop.path('loyalhook.db')}",
                        f"url={self.endpoint.url('/ok')}", f"requests={self.COUNT}"],
                       env={**os.environ, **environment}, check=True, timeout=300)

    def test_a_hundred_thousand_requests(self):
        row = self.shop.run("webhook", "list", "--json").json()["webhooks"][0]
        self.play("large", limit_s=400, account=row["account"])


if __name__ == "__main__":
    sys.exit(unittest.main())
