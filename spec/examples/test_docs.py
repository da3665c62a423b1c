"""The documentation says what is: its code runs, its lists are complete, its tables are the code's.

A code block under `<!-- test: NAME -->` is run by the test that asks for NAME; a name that no test
asks for fails, so that a block cannot be forgotten.
"""

import base64
import hashlib
import hmac
import json
import os
import re
import shutil
import subprocess
import sys
import time
import unittest
import urllib.request

from cli import TOP, VMS, Workshop, commands, lua_environment, stop, wait_for
from endpoint import Endpoint
from example import Web
from nginx import Nginx, free_port

BLOCK = re.compile(r"^<!-- test: ([\w-]+) -->\n```\w+\n(.*?)^```$", re.S | re.M)


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as file:
        return file.read()


def pages():
    for folder, _, names in os.walk(os.path.join(TOP, "docs")):
        for name in sorted(names):
            if name.endswith(".md"):
                yield os.path.relpath(os.path.join(folder, name), TOP)
    yield "README.md"


BLOCKS = {name: text for page in pages() for name, text in BLOCK.findall(read(page))}
ASKED = set()


def block(name):
    ASKED.add(name)
    return BLOCKS[name]


class Docs(unittest.TestCase):
    def setUp(self):
        self.shop = Workshop()
        self.addCleanup(self.shop.close)

    def lua(self, text, vm="lua5.4", folder=None):
        done = subprocess.run([VMS[vm], "-"], input=text, capture_output=True, text=True,
                              cwd=folder or self.shop.folder, timeout=60,
                              env={**self.shop.environment, **lua_environment(vm)})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def shell(self, text, expect=0, shop=None):
        """A block as a person types it, with bin/ on the path."""
        shop = shop or self.shop
        done = subprocess.run(["sh", "-eu", "-c", text], capture_output=True, text=True, timeout=60,
                              cwd=shop.folder, stdin=subprocess.DEVNULL,
                              env={**shop.environment,
                                   "PATH": f"{TOP}/bin:{os.environ['PATH']}"})
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done.stdout

    def test_a_readme_lua(self):
        for vm in VMS:
            with self.subTest(vm), Workshop() as shop:
                said = self.lua(block("readme-lua"), vm, shop.folder)
                self.assertRegex(said, r"whsec_.{44}\naccepted: [0-9a-f]{24}\n")

    def test_changing_webhooks(self):
        self.shop.init()
        self.shop.webhook("crm", "http://127.0.0.1:1/crm")
        self.shell(block("webhooks-edit"))
        self.assertIn("not delivered", self.shell(block("webhooks-test"), expect=1))
        rotated = self.shell(block("webhooks-rotate"))
        self.assertEqual(len(re.findall(r"^secret  +whsec_\S+$", rotated, re.M)), 2)
        self.shell(block("webhooks-status"))

    def test_pausing(self):
        self.shop.init()
        with Endpoint() as endpoint:
            endpoint.script("/crm", [500, 500, "ok"])
            self.shop.webhook("crm", endpoint.url("/crm"), retries_max=0, pause_after=1)
            self.shop.run("emit", "event_points_earned", "--data", "{}")
            self.shop.work_until_idle()
            shown = self.shell(block("pausing-look"))
            self.assertRegex(shown, r"crm +paused(.*\n)+.* failed +retries_exhausted(.*\n)+"
                             r"warning +webhooks +paused after failures: crm")
            self.shop.run("emit", "event_points_earned", "--data", "{}") # fails: paused
            self.shop.work_until_idle()
            self.shop.run("webhook", "test", "crm", expect=1)            # the second 500
            self.assertIn("delivered", self.shell(block("pausing-mend")))
            self.shop.work_until_idle()
        self.assertEqual([row["state"] for row in self.shop.requests()], ["failed", "delivered"])

    def test_accounts_and_their_notices(self):
        self.shop.init()
        shown = self.shell(block("notices-account"))
        self.assertRegex(shown, r"shop-7 +0 +ops@shop-7\.example, boss@shop-7\.example")
        self.assertTrue(shown.endswith("notify    those that notices.to names\n"), shown)

    def test_the_configuration_of_mails_is_one(self):
        text = re.search(r"```lua\n(return \{\n  notices.*?)```",
                         read("docs/guide/notices.md"), re.S).group(1)
        self.shop.init()
        self.shop.write("smtp-password", "a password\n")
        self.shop.write("loyalhook.lua", text.replace("/etc/loyalhook/", ""))
        self.assertRegex(self.shop.run("doctor").out, r"ok +mails +smtp://mail\.example\.com:587;")

    def test_mails_to_members(self):
        self.shop.write("smtp-password", "a password\n")
        config = block("handler-email-config").replace("/etc/loyalhook/", "")
        make = ("local given = (function()\n" + config + "end)().handlers[1]\ngiven.use = nil\n"
                'print(assert(require("loyalhook.handlers.email").new(given)).name)')
        os.mkdir(self.shop.path("mails"))
        for vm in VMS:
            with self.subTest(vm):
                self.assertEqual(self.lua(make, vm), "email\n")
                self.lua(block("handler-email-copy"), vm)
                shown = self.lua(block("handler-email-preview"), vm)
                self.assertRegex(shown, r"^You earned \d+ points\n\nYou (.*\n)+.* Shop Club\.\n")

    def test_a_handler_of_ones_own(self):
        os.mkdir(self.shop.path("handlers"))
        self.shop.run("init")
        self.shop.write("handlers/points.lua", block("handlers-points"))
        self.shop.write("loyalhook.lua", block("handlers-config"))
        self.shop.work_until_idle("--role", "handle")
        listed = self.shop.run("inbox", "handlers", "--json").json()["handlers"]
        self.assertEqual([row["name"] for row in listed], ["log", "points"])

    def test_the_configurations_of_handlers_are_some(self):
        for name in ("hubspot", "salesforce", "stripe", "wallet-http", "forward", "log"):
            config = block(f"handler-{name}-config").replace("/etc/loyalhook/", "")
            for file in re.findall(r'file = "([\w-]+)"', config):
                self.shop.write(file, "a secret\n")
            make = ("local given = (function()\n" + config + "end)().handlers[1]\n"
                    "local use = given.use\ngiven.use = nil\n"
                    'print(assert(require("loyalhook.handlers." .. use).new(given)).name == use)')
            for vm in VMS:
                with self.subTest(name=name, vm=vm):
                    self.assertEqual(self.lua(make, vm), "true\n")

    def test_readme_receive(self):
        self.shop.write("zinrelo.secret", "a secret of 16 bytes or more")
        self.shop.write("hubspot-token", "pat-test")
        os.mkdir(self.shop.path("handlers"))
        self.shop.write("handlers/points.lua", "return { name = 'points', event_types = { '*' },"
                        " handle = function() return true end }")
        self.shop.write("loyalhook.lua", block("readme-receive").replace("/etc/loyalhook/", ""))
        self.shop.init()
        checks = {check["name"]: check for check in
                  self.shop.run("doctor", "--json").json()["checks"]}
        self.assertEqual((checks["sources"]["status"], checks["handlers"]["message"]),
                         ("ok", "email, crm.hubspot, points"))

    def test_the_configuration_of_serve_serves(self):
        self.shop.write("zinrelo.secret", "a secret of 16 bytes or more")
        os.mkdir(self.shop.path("handlers"))
        self.shop.write("handlers/points.lua", "return { name = 'points', event_types = { '*' },"
                        " handle = function() return true end }")
        self.shop.write("loyalhook.lua", block("serve-config").replace("/etc/loyalhook/", ""))
        self.shop.init()
        serve = self.shop.start("serve", "--port", 0, "--json")
        url = json.loads(serve.stdout.readline())["url"] + "zinrelo"
        self.shop.run("trigger", "event_points_earned", "--url", url, "--secret-file",
                      "zinrelo.secret")
        wait_for(lambda: self.shop.run("inbox", "list", "--state", "done", "--json")
                 .json()["events"], what="the event handled")
        self.assertEqual(stop(serve)[0], 0)

    def test_serving_behind_tls(self):
        """The page's nginx in front of serve, with ports and a certificate of this test."""
        lua, nginx = block("tls-config"), block("tls-nginx")
        if not shutil.which("curl"):
            self.skipTest("curl is missing ('./bootstrap test' installs it)")
        self.certificate()
        self.shop.write("zinrelo.secret", "a secret of 16 bytes or more")
        self.shop.write("loyalhook.lua", lua.replace("/etc/loyalhook/", ""))
        self.shop.init()
        serve = self.shop.start("serve", "--port", 0, "--json")
        head = json.loads(serve.stdout.readline())
        inside = head["url"].split("/receive")[0]
        plain, secure = free_port(), free_port()
        conf = re.sub(r"\n    listen \[::\].*", "", nginx)
        conf = re.sub(r"(ssl_certificate\w*) .*/(\w+\.pem);", rf"\1 {self.shop.folder}/\2;", conf)
        for before, after in (("listen 80;", f"listen 127.0.0.1:{plain};"),
                              ("listen 443 ssl;", f"listen 127.0.0.1:{secure} ssl;"),
                              ("http://127.0.0.1:8480", inside)):
            self.assertIn(before, conf)
            conf = conf.replace(before, after)
        with Nginx("", http=conf) as web:
            self.ports = {"http": plain, "https": secure}
            self.check_front(head, web)
        self.assertEqual(stop(serve)[0], 0)

    def certificate(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout",
                        "privkey.pem", "-out", "fullchain.pem", "-days", "2", "-subj",
                        "/CN=loyalty.example.com", "-addext",
                        "subjectAltName=DNS:loyalty.example.com"], cwd=self.shop.folder,
                       check=True, capture_output=True)

    def front(self, path, *options, scheme="https"):
        """curl's answer, headers and all, as somebody gets it who knows the name only."""
        port = self.ports[scheme]
        done = subprocess.run(
            ["curl", "-si", "--cacert", "fullchain.pem", "--connect-to",
             f"loyalty.example.com::127.0.0.1:{port}", *options,
             f"{scheme}://loyalty.example.com{path}"],
            cwd=self.shop.folder, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def check_front(self, head, web):
        self.assertRegex(self.front("/logs?state=failed", scheme="http"),
                         "(?s)^HTTP/1.1 301 .*\nLocation: https://loyalty.example.com/logs\\?state")
        self.assertRegex(self.front("/healthz"), "(?s)^HTTP/1.1 200 .*\n"
                         "Strict-Transport-Security: max-age=31536000\n")
        self.assertRegex(self.front("/"), "(?s)^HTTP/1.1 302 .*\nLocation: "
                         "(https://loyalty.example.com)?/console/\n")
        self.assertIn("Content-Security-Policy:", self.front("/console/"))
        self.assertRegex(self.front("/metrics"), "^HTTP/1.1 404 ")
        # A body as it came, signed; a large one too.
        body = b'{"events":[{"id":"e1","event_type":"t","data":{"a":"%s"}}]}' % (b"x" * 2_000_000)
        self.shop.write("body", body)
        signed = self.shop.run("sign", "--secret-file", "zinrelo.secret", "--json", "body").json()
        headers = [part for name, value in signed["headers"].items()
                   for part in ("-H", f"{name}: {value}")]
        self.assertRegex(self.front("/receive/zinrelo", *headers, "--data-binary", "@body"),
                         r'(?s)\bHTTP/1.1 200 .*\{"events":1,"added":1\}$')
        # Signing in: the cookie is for TLS only, and wrong tries are the client's own.
        self.shop.write("sign-in", json.dumps({"user": "anna", "password": "a long password",
                                               "first_run_token": head["first_run_token"]}))
        signing = ["-H", "Content-Type: application/json", "-H",
                   "Origin: https://loyalty.example.com", "-d", "@sign-in"]
        self.assertRegex(self.front("/api/v1/session", *signing),
                         r"(?s)^HTTP/1.1 201 .*\nSet-Cookie: [^\n]*; Secure\n")
        guess = ["-H", "Authorization: Bearer lhk_" + "0" * 64]
        answers = [self.front("/api/v1/webhooks", *guess, "-H", f"X-Forwarded-For: 192.0.2.{n}")
                   .split()[1] for n in range(40)]
        self.assertEqual((answers[0], answers[-1]), ("401", "429"), web.errors())

    def test_the_http_api_with_curl(self):
        emit, look = block("http-api-emit"), block("http-api-look")
        if not shutil.which("curl"):
            self.skipTest("curl is missing ('./bootstrap test' installs it)")
        self.shop.init()
        token = self.shop.run("token", "create", "--name", "shop", "--scope", "write",
                              "--account", "shop-7", "--json").json()["token"]
        serve = self.shop.start("serve", "--port", 0, "--json")
        url = json.loads(serve.stdout.readline())["url"].split("/receive")[0].rstrip("/")
        given = f'''curl() {{ command curl -sS --fail-with-body -w '\\n' "$@"; }}
          T='Authorization: Bearer {token}'
          U={url}/api/v1
          '''
        first, again = (json.loads(self.shell(given + emit)) for _ in range(2))
        self.assertEqual(first, again)
        look = look.replace("61f1dfbd0c709aac1851b526", first["ids"][0])
        made, failed, dry, explained = map(json.loads, self.shell(given + look).splitlines())
        self.assertRegex(made["secret"], "^whsec_")
        self.assertEqual((failed["requests"], dry["total"]), ([], 0))
        self.assertEqual(explained["event"]["account"], "shop-7")
        self.assertEqual(stop(serve)[0], 0)

    def test_several_workers(self):
        self.shop.init()
        both = "until loyalhook doctor | grep '2 running'; do sleep 0.1; done "
        shown = self.shell(block("workers-several").replace("loyalhook doctor ", both))
        self.assertIn("2 running", shown)

    def test_systemd(self):
        text = block("systemd-init").replace("-o loyalhook -g loyalhook ", "")
        for folder in ("/etc/loyalhook", "/var/lib/loyalhook"):
            text = text.replace(folder, self.shop.folder + folder)
        self.shell("chown() { :; }\n" + text)
        config = self.shop.path("etc/loyalhook/loyalhook.lua")
        store = f"sqlite:{self.shop.folder}/var/lib/loyalhook/loyalhook.db"
        shown = self.shop.run("doctor", LOYALHOOK_CONFIG=config).out
        self.assertRegex(shown, rf"store +{re.escape(store)}\n")

    def test_retrying(self):
        self.shop.init()
        self.shop.webhook("crm", "http://127.0.0.1:1/crm", retries_max=0, pause_after=1)
        self.shop.run("emit", "event_points_earned", "--data", "{}")
        self.shop.work_until_idle()
        self.shop.run("webhook", "enable", "crm")
        shown = self.shell(block("retrying-failed"))
        self.assertRegex(shown, r"^failed requests: 1\n(.*\n)*retried +1\n")
        self.shop.work_until_idle()
        tried = block("retrying-after-a-pause").replace("webhook test crm", "webhook test crm || :")
        self.assertRegex(self.shell(tried), r"\nretried +1\n")
        self.shop.work_until_idle()
        self.shop.run("webhook", "enable", "crm")
        self.assertRegex(self.lua(block("retrying-lua")), r"^[0-9a-f]{24}\s+retried\s*\n0\s+nil")

    def test_a_readme_verify(self):
        around = """
          local secret, raw_body = "a shared secret", "{}"
          local signature = require("loyalhook.signature")
          local function answer(status, text) print(status, text) end
          for _, key in ipairs{ secret, "another secret" } do
            local headers = signature.headers{ secret = key, body = raw_body }
            (function(...) %s end)()
          end print("end")""" % block("readme-verify")
        said = self.lua(around.replace("          (function", "          ;(function"))
        self.assertRegex(said, r"^401\s+signature: .*\nend\n$")

    def test_a_readme_shell(self):
        said = self.shell(block("readme-shell"))
        self.assertIn("secret", said)

    def test_first_delivery(self):
        port = free_port()
        steps = [block(f"first-delivery-{n}").replace("8484", str(port)) for n in range(1, 5)]
        self.shop.environment.pop("LOYALHOOK_ALLOW_HTTP")
        self.shop.environment.pop("LOYALHOOK_ALLOW_NETWORKS")
        with Web(port) as web:
            self.shell(steps[0])
            self.assertEqual(sorted(os.listdir(self.shop.folder))[:1], ["loyalhook.db"])
            self.assertIn("loyalhook.lua", os.listdir(self.shop.folder))
            self.assertRegex(self.shell(steps[1]), r"^[0-9a-f]{24}\n")
            self.assertIn("delivered", self.shell(steps[2]))
            self.assertEqual(web.inbox(self.shop), ["event_member_enrol"])
        self.assertIn("retrying", self.shell(steps[3]))

    def test_emitting_lua(self):
        for vm in VMS:
            with self.subTest(vm), Workshop() as shop:
                self.lua(block("emitting-lua") + "\nassert(#ids == 3 and id)", vm, shop.folder)

    def test_emitting_shell(self):
        self.shop.init()
        self.shell(block("emitting-shell"))
        with open(self.shop.path("ids.txt")) as file:
            self.assertEqual(len(file.read().split()), 3)

    def test_workers_lua(self):
        for vm in VMS:
            with self.subTest(vm), Workshop() as shop:
                shop.init()
                self.lua(block("workers-lua"), vm, shop.folder)

    def test_receiving_lua(self):
        for vm in VMS:
            with self.subTest(vm), Workshop() as shop:
                self.lua(block("receiving-lua") + """
                  local signature = require("loyalhook.signature")
                  local body = '{"events":[{"id":"e1","event_type":"t","data":{}}]}'
                  local headers = signature.headers{ secret = "the previous one", body = body }
                  local status, more, answer = handle(headers, body)
                  assert(status == 200 and answer == '{"events":1,"added":1}')
                  assert(handle(headers, body .. " ") == 401)""", vm, shop.folder)

    def test_receiving_and_emitting_in_nginx(self):
        """The page's parts in a configuration, with the paths of this checkout and of a test."""
        self.shop.init()
        self.shop.write("zinrelo.secret", "a secret for tests\n")
        emit = block("receiving-emit").replace("-- in init_by_lua_block\n", "")
        made, used = emit.split("-- in content_by_lua_block, access_by_lua_block or a timer\n")
        begin = "init_by_lua_block {"
        conf = block("receiving-nginx").replace(begin, begin + "\n" + made)
        conf = conf.replace("/var/lib/loyalhook", self.shop.folder).replace(
            "/etc/loyalhook", self.shop.folder)
        main, http, server = re.split(r"# (?:beside|in) `.*\n", conf)[1:]
        paths = f"""lua_package_path "{TOP}/lua/?.lua;{TOP}/lua/?/init.lua;;";
                    lua_package_cpath "{TOP}/{os.environ.get('BUILD', 'build')}/luajit/?.so;;";"""
        server += "location = /emit { content_by_lua_block { %s ngx.print(id or message) } }" % used
        with Nginx(server, http=paths + http, main=main, workers=2) as web:
            url = web.url + "/hooks/loyalty"
            said = self.shop.run("trigger", "event_points_earned", "--url", url, "--secret-file",
                                 "zinrelo.secret", "--json").json()
            self.assertEqual(said["status"], 200, web.errors())
            with urllib.request.urlopen(web.url + "/emit") as answer:
                first = answer.read()
            with urllib.request.urlopen(web.url + "/emit") as answer:
                self.assertEqual(answer.read(), first)
        self.assertEqual(len(self.shop.run("inbox", "list", "--json").json()["events"]), 1)
        self.assertEqual(self.shop.run("stats", "--json").json()["events"], 1)

    def test_backup_and_restore(self):
        """What the page says of a restored store, tried with an endpoint that sees both."""
        self.shop.init()
        with Endpoint() as endpoint, Workshop() as other:
            endpoint.script("/a", [500, "ok"])
            self.shop.webhook("a", endpoint.url("/a"), retry_interval_s=1)
            retried = self.emit("1")
            self.shop.work_until_idle()                     # attempted once, without success
            waiting = self.emit("2")
            self.shell(block("backup-shell"))
            self.emit("3")
            for name in ("copy.db", "copy.db.key"):
                shutil.move(self.shop.path(name), other.path(name))
            other.write("loyalhook.db-wal", "of another store")
            self.deliver_all(self.shop, 2)
            before = self.arrived(endpoint)
            shown = self.shell(block("restore-shell"), shop=other)
            self.assertIn("every secret decrypts", shown)
            self.assertRegex(shown, r"requests +0 pending, 0 sending, 1 retrying")
            self.deliver_all(other, 2)
            after = self.arrived(endpoint)[len(before):]
            self.emit("2", shop=other) # what the copy has is recognised
            self.assertEqual(json.loads(other.run("stats", "--json").out)["events"], 2)
        # The retried request came again as it was; the event that waited, in another request.
        self.assertEqual([events for _, events in after], [[retried], [waiting]])
        self.assertIn(after[0][0], [request_id for request_id, _ in before])
        self.assertNotIn(after[1][0], [request_id for request_id, _ in before])

    def emit(self, key, shop=None):
        return (shop or self.shop).run("emit", "event_points_earned", "--data", "{}",
                                       "--idempotency-key", key).out.strip()

    def deliver_all(self, shop, count):
        def all_delivered():
            shop.work_until_idle()
            return [row["state"] for row in shop.requests()] == ["delivered"] * count
        wait_for(all_delivered, what="everything delivered")

    def arrived(self, endpoint):
        """[(request_id, event ids)] of what was answered 200, in order."""
        bodies = [json.loads(base64.b64decode(one["body"])) for one in endpoint.requests()
                  if one["answer"] == "ok"]
        return [(body["request_id"], [event["id"] for event in body["events"]]) for body in bodies]

    # ---- the verifiers that merchants copy

    def cases(self):
        """(secret, body, nonce, signature, whether it fits), as Python's hmac signs them."""
        now = int(time.time() * 1000)
        secret, body = "a shared secret é", '{"name":"Zoë — 積分"}'

        def signed(nonce):
            message = f"{body}:{nonce}".encode()
            return hmac.new(secret.encode(), message, hashlib.sha512).hexdigest()
        good = signed(now)
        return [(secret, body, str(now), good, True), (secret, body + " ", str(now), good, False),
                ("another secret", body, str(now), good, False),
                (secret, body, str(now), good.upper(), False), (secret, body, str(now), "", False),
                (secret, body, str(now - 400_000), signed(now - 400_000), False),
                (secret, body, str(now + 400_000), signed(now + 400_000), False),
                (secret, body, str(now // 1000), signed(now // 1000), False)]

    def check_verifier(self, command, program):
        cases = self.cases()
        done = subprocess.run([*command, program], capture_output=True, text=True, check=True,
                              input=json.dumps(cases), timeout=60,
                              env={**self.shop.environment, **lua_environment("lua5.4")})
        self.assertEqual(json.loads(done.stdout), [case[4] for case in cases])

    def test_verify_python(self):
        self.check_verifier([sys.executable, "-c"], block("verify-python") + """
import json, sys
print(json.dumps([verify(s, b.encode(), n, g) for s, b, n, g, _ in json.load(sys.stdin)]))""")

    def test_verify_javascript(self):
        self.check_verifier(["node", "-e"], block("verify-javascript") + """
const cases = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(cases.map(([s, b, n, g]) => verify(s, Buffer.from(b), n, g))));""")

    def test_verify_lua(self):
        self.check_verifier([VMS["lua5.4"], "-e"], block("verify-lua") + """
local cjson, answers = require("cjson"), {}
for index, case in ipairs(cjson.decode(io.read("a"))) do
  answers[index] = verify(case[1], case[2], case[3], case[4])
end
print(cjson.encode(answers))""")

    def test_z_every_block_is_run(self):
        self.assertEqual(ASKED, set(BLOCKS))


class Lists(unittest.TestCase):
    """Tables of the reference against the code they describe."""

    def test_pages(self):
        named = re.findall(r"\]\(([\w/-]+\.md)", read("docs/README.md"))
        there = {os.path.relpath(page, "docs") for page in pages() if page.startswith("docs/")}
        self.assertEqual(sorted(named), sorted(there - {"README.md"}))

    def test_error_codes(self):
        codes = set(re.findall(r'X\(LH_E_\w+,\s+"(\w+)"\)', read("src/core/error.h")))
        page = read("docs/reference/error-codes.md")
        begin, end = page.index("## Of the HTTP API"), page.index("## Of a signature")
        of_api, page = page[begin:end], page[:begin] + page[end:]
        table = re.search(r"local STATUS = {.*?\n}", read("lua/loyalhook/api/problem.lua"), re.S)[0]
        statuses = dict(re.findall(r"(\w+) = (\d{3})", table))
        queue = read("lua/loyalhook/openresty/queue.lua")
        waited = re.findall(r'return nil, .*, "(\w+)"$', queue, re.M)
        statuses.update((code, "503") for code in waited)
        self.assertEqual(dict(re.findall(r"^\| `(\w+)` \| (\d+)", of_api, re.M)),
                         {code: status for code, status in statuses.items() if code not in codes})
        named = dict(re.findall(r"^\| `(\w+)` \| (\d*)", page, re.M))
        self.assertEqual(set(named), codes)
        for code, number in named.items():
            if number:
                asked = subprocess.run(
                    [VMS["lua5.4"], "-e", "print(require('loyalhook.cli.exit_codes').of(arg[1]))",
                     "-", code], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                    env={**os.environ, **lua_environment("lua5.4")})
                self.assertEqual(asked.stdout.strip(), number, code + asked.stderr)

    def test_commands_and_their_options(self):
        page = read("docs/reference/command-line.md")
        sections = dict(re.findall(r"^### (.+?)\n(.*?)(?=^##)", page, re.S | re.M))
        self.assertEqual(set(sections), set(commands()))
        common = {"--json", "--store", "--config", "--help", "--secret-stdin", "--secret-file"}
        with Workshop() as shop:
            for command, text in sections.items():
                shown = shop.run(*command.split(), "--help").out
                options = set(re.findall(r"^   (?:-\w, )?(--[a-z-]+)", shown, re.M)) - common
                named = set(re.findall(r"(?<![\w-])(--[a-z-]+)", text)) - common
                with self.subTest(command):
                    self.assertEqual(named, options)

    def test_fields(self):
        page = read("docs/reference/command-line.md")
        program = """local fields = require("loyalhook.fields")
          for _, name in ipairs{ "webhook", "request", "attempt", "job" } do
            print(name .. ": " .. table.concat(fields[name], " "))
          end"""
        said = subprocess.run([VMS["lua5.4"], "-e", program], capture_output=True, text=True,
                              check=True, env={**os.environ, **lua_environment("lua5.4")}).stdout
        for line in said.splitlines():
            name, names = line.split(": ")
            shown = re.search(rf"^- {name}(?: \(.*?\))?: `(.*?)`", page, re.S | re.M).group(1)
            self.assertEqual(shown.split(), names.split())

    def test_functions_of_the_core(self):
        page = read("docs/reference/lua.md")
        program = """local core = require("loyalhook.core")
          for name, value in pairs(core) do
            if type(value) == "table" and name ~= "limits" then
              for part in pairs(value) do print(name .. "." .. part) end
            else print(name) end
          end"""
        said = subprocess.run([VMS["lua5.4"], "-e", program], capture_output=True, text=True,
                              check=True, env={**os.environ, **lua_environment("lua5.4")}).stdout
        self.assertEqual(set(re.findall(r"`core\.([\w.]+)", page)), set(said.split()))

    def methods(self, opening):
        program = f"""local object = assert({opening})
          for name in pairs(getmetatable(object).__index) do print(name) end"""
        with Workshop() as shop:
            said = subprocess.run([VMS["lua5.4"], "-e", program], capture_output=True, text=True,
                                  check=True, cwd=shop.folder,
                                  env={**os.environ, **lua_environment("lua5.4")}).stdout
        return {name for name in said.split() if not name.startswith("_")}

    def test_methods_of_a_sender_and_a_receiver(self):
        for name in ("sender", "receiver"):
            methods = self.methods(f"""require("loyalhook.{name}").open{{
              store = "sqlite:methods.db", create = true }}""")
            section = read("docs/reference/lua.md").split(f"## {name.title()}")[1].split("\n## ")[0]
            named = set(re.findall(r"`(\w+)[({\[]", section))
            self.assertEqual(methods - named, set())


if __name__ == "__main__":
    unittest.main()
