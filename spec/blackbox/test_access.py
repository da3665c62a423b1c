"""Tokens, users and the audit log on the command line; and that what they are let in with appears
nowhere: not in the database, its WAL and backups, what other commands say, arguments, environments.
"""

import base64
import concurrent.futures
import hashlib
import os
import re
import sqlite3
import subprocess
import unittest

from cli import VMS, Workshop, lua_environment

PASSWORD = "Fontaine de Vaucluse 4711"
OTHER = "une autre phrase assez longue"


class Access(unittest.TestCase):

    def setUp(self):
        self.shop = Workshop()
        self.addCleanup(self.shop.close)
        self.shop.init()

    def add(self, name, role, password=PASSWORD, **options):
        return self.shop.run("user", "add", name, "--role", role, "--password-stdin", "--json",
                             stdin=password, **options)

    def token(self, name, *options, scope="read"):
        return self.shop.run("token", "create", "--name", name, "--scope", scope, "--json",
                             *options).json()

    def rows(self, *words, key):
        return self.shop.run(*words, "--json").json()[key]

    def sql(self, text, *values):
        database = sqlite3.connect(self.shop.path("loyalhook.db"))
        try:
            with database:
                return database.execute(text, values).fetchall()
        finally:
            database.close()


class Tokens(Access):

    def test_its_text_is_shown_once_and_its_hash_is_stored(self):
        made = self.token("shop", "--account", "shop-7", scope="write")
        self.assertEqual(list(made), ["id", "name", "account", "scope", "created_at",
                                      "last_used_at", "revoked_at", "token"])
        text = made.pop("token")
        self.assertRegex(text, r"^lhk_[0-9a-f]{64}$")
        self.assertEqual(self.rows("token", "list", key="tokens"), [made])
        (stored,), = self.sql("SELECT hash FROM tokens")
        self.assertEqual(stored, hashlib.sha256(text.encode()).digest())
        answer = self.shop.run("token", "create", "--name", "second", "--scope", "read")
        self.assertRegex(answer.out, r"(?m)^token  lhk_[0-9a-f]{64}$")
        self.assertIn("only this once", answer.err)
        self.assertEqual(self.rows("token", "list", key="tokens")[1]["account"], "default")
        self.assertIsNone(self.token("all", "--all-accounts")["account"])
        self.assertIn("all", self.shop.run("token", "list").out.splitlines()[-1])

    def test_a_revoked_one_is_told_as_such(self):
        made = self.token("shop")
        self.assertIn("token 'shop' is revoked", self.shop.run("token", "revoke", "shop").err)
        self.shop.run("token", "revoke", made["id"])
        self.assertIn("revoked", self.shop.run("token", "list").out)
        self.assertIsNotNone(self.rows("token", "list", key="tokens")[0]["revoked_at"])
        self.shop.run("token", "revoke", "nothing", expect=4)

    def test_what_is_wrong_is_said(self):
        self.token("shop")
        answer = self.shop.run("token", "create", "--name", "shop", "--scope", "read", "--json",
                               expect=5)
        self.assertEqual(answer.error()["code"], "conflict")
        self.shop.run("token", "create", "--name", "x", expect=2)
        self.shop.run("token", "create", "--name", "x", "--scope", "admin", expect=2)
        self.shop.run("token", "create", "--name", "x", "--scope", "read", "--account", "a",
                      "--all-accounts", expect=2)
        self.shop.run("token", "create", "--name", "a\x1b[31mb", "--scope", "read", expect=5)
        self.assertEqual(len(self.rows("token", "list", key="tokens")), 1)


class Users(Access):

    def test_the_first_is_an_admin_and_one_is_left(self):
        self.assertEqual(self.add("vera", "viewer", expect=5).error()["code"], "refused")
        self.assertEqual(self.add("anna", "admin").json()["role"], "admin")
        self.add("vera", "viewer")
        self.assertEqual(self.add("ANNA", "admin", expect=5).error()["code"], "conflict")
        for words in (["remove", "anna"], ["set-role", "anna", "viewer"]):
            answer = self.shop.run("user", *words, expect=5)
            self.assertIn("last admin", answer.err)
        self.assertIn("is admin now", self.shop.run("user", "set-role", "vera", "admin").err)
        self.assertIn("user 'anna' is removed", self.shop.run("user", "remove", "anna").err)
        users = self.rows("user", "list", key="users")
        self.assertEqual([(user["user"], user["role"], user["disabled"]) for user in users],
                         [("vera", "admin", False)])

    def test_a_password_is_stored_as_pbkdf2_with_a_salt(self):
        self.add("anna", "admin", PASSWORD + "\n")  # as echo writes it
        self.add("vera", "viewer")
        stored = [row for row, in self.sql("SELECT password FROM users ORDER BY user")]
        self.assertNotEqual(stored[0][5:], stored[1][5:])
        for blob in stored:
            iterations = int.from_bytes(blob[1:5], "big")
            self.assertGreaterEqual(iterations, 210000)
            self.assertEqual(blob[21:], hashlib.pbkdf2_hmac("sha512", PASSWORD.encode(), blob[5:21],
                                                            iterations))
        self.shop.write("password.txt", OTHER + "\n")
        self.shop.run("user", "set-password", "anna", "--password-file", "password.txt")
        (blob,), = self.sql("SELECT password FROM users WHERE name = 'anna'")
        self.assertEqual(blob[21:], hashlib.pbkdf2_hmac("sha512", OTHER.encode(), blob[5:21],
                                                        int.from_bytes(blob[1:5], "big")))

    def test_a_password_comes_from_stdin_or_a_file_and_obeys_the_rule(self):
        answer = self.shop.run("user", "add", "anna", "--role", "admin", expect=2)
        self.assertIn("--password-stdin", answer.err)
        for bad in ("short", "", "two\nlines of it\n\n", "x" * 1025, "\x1b[31m colourful one"):
            answer = self.add("anna", "admin", bad, expect=5)
            self.assertEqual(answer.error()["code"], "invalid", bad)
            self.assertTrue(len(bad) < 5 or bad not in answer.err)
        self.assertEqual(self.rows("user", "list", key="users"), [])

    def test_of_several_that_come_first_at_once_all_are_there_or_refused(self):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda n: self.add(f"user-{n}", "viewer" if n % 2 else "admin",
                                                       expect=None), range(8)))
        users = self.rows("user", "list", key="users")
        self.assertEqual(len(users), sum(answer.code == 0 for answer in answers))
        self.assertEqual({answer.code for answer in answers} - {0, 5}, set())
        self.assertIn("admin", {user["role"] for user in users})

    def test_admins_that_are_removed_at_once_leave_one(self):
        for n in range(4):
            self.add(f"user-{n}", "admin")
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            codes = list(pool.map(lambda n: self.shop.run("user", "remove", f"user-{n}",
                                                          expect=None).code, range(4)))
        self.assertEqual(sorted(codes), [0, 0, 0, 5])
        self.assertEqual(len(self.rows("user", "list", key="users")), 1)

    def test_a_first_run_token_is_for_a_console_without_users(self):
        answer = self.shop.run("user", "reset")
        self.assertRegex(answer.out, r"^first-run token  lhf_[0-9a-f]{64}$")
        self.add("anna", "admin")
        self.assertEqual(self.sql("SELECT count(*) FROM first_runs"), [(0,)])
        self.shop.run("user", "reset", expect=5)
        self.assertEqual(len(self.rows("user", "list", key="users")), 1)
        text = self.shop.run("user", "reset", "--remove-users", "--json").json()["first_run_token"]
        self.assertEqual(self.rows("user", "list", key="users"), [])
        (stored,), = self.sql("SELECT hash FROM first_runs")
        self.assertEqual(stored, hashlib.sha256(text.encode()).digest())

    def test_names_are_completed(self):
        self.add("anna", "admin")
        self.token("shop")
        for words, name in ((["user", "remove", ""], "anna"), (["token", "revoke", ""], "shop")):
            self.assertIn(name, self.shop.run("completion", "bash", "--", *words).out)


class Audit(Access):

    def test_each_change_is_noted_with_what_was_set(self):
        self.add("anna", "admin")
        self.add("vera", "viewer")
        self.shop.run("user", "set-role", "vera", "admin")
        self.shop.run("user", "set-password", "vera", "--password-stdin", stdin=OTHER)
        self.shop.run("user", "remove", "vera")
        made = self.token("shop", "--account", "shop-7")
        self.shop.run("token", "revoke", "shop")
        self.shop.run("user", "remove", "anna", expect=5)
        entries = self.rows("audit", key="entries")
        self.assertEqual([entry["what"] for entry in entries],
                         ["token.revoke", "token.create", "user.remove", "user.password",
                          "user.role", "user.add", "user.add"])
        self.assertEqual({entry["who"] for entry in entries}, {"command line"})
        self.assertEqual([entry["detail"] for entry in entries],
                         [None, {"name": "shop", "scope": "read"}, None, {"password": "changed"},
                          {"role": "admin"}, {"role": "viewer"}, {"role": "admin"}])
        self.assertEqual((entries[1]["object"], entries[1]["account"]), (made["id"], "shop-7"))
        self.assertEqual(list(entries[0]), ["id", "at", "who", "what", "object", "account",
                                            "detail"])
        page = self.shop.run("audit", "--json", "--limit", "2", "--what", "user.").json()
        self.assertEqual([entry["object"] for entry in page["entries"]], ["vera", "vera"])
        self.assertEqual(len(self.rows("audit", "--after", page["next"], "--what", "user.",
                                       key="entries")), 3)
        self.assertEqual(len(self.rows("audit", "--since", "1h", "--object", "anna",
                                       key="entries")), 1)
        self.assertIn("shop-7", self.shop.run("audit", "--account", "shop-7").out)

    def test_so_is_what_commands_change_of_webhooks_requests_and_accounts(self):
        hidden = self.shop.write("secret", b"hidden secret of mine")
        url = "http://127.0.0.1:9/crm"
        made = self.shop.run("webhook", "create", "--name", "crm", "--url", url + "?key=hidden",
                             "--event-type", "*", "--header", "Authorization: hidden",
                             "--retries-max", "0", "--pause-after", "1",
                             "--secret-file", hidden, "--json").json()
        self.shop.run("webhook", "edit", "crm", "--batch-size", "5")
        self.shop.run("webhook", "rotate-secret", "crm", "--secret-file", hidden, "--now")
        self.shop.run("webhook", "disable", "crm")
        self.shop.run("webhook", "disable", "crm")
        self.shop.run("webhook", "enable", "crm")
        self.shop.run("webhook", "test", "crm", expect=1)
        self.shop.run("webhook", "edit", "crm", "--scheme", "standard", expect=None)
        self.shop.run("emit", "event_points_earned", "--data", "{}")
        self.shop.work_until_idle()
        job = self.shop.run("webhook", "enable", "crm", "--retry-failed", "--json").json()["job"]
        self.assertEqual(job["reason"], "paused")
        self.shop.work_until_idle()
        [request] = self.shop.requests("--state", "failed")
        self.shop.run("retry", request["request_id"])
        self.shop.run("retry", request["request_id"])
        self.shop.work_until_idle()
        self.shop.run("webhook", "enable", "crm")
        self.shop.run("retry", "--failed", "--dry-run")
        self.shop.run("retry", "--failed", "--webhook", "crm")
        self.shop.run("account", "set", "shop-7", "--notify", "ops@example.com")
        self.shop.run("webhook", "delete", "crm", "--yes")
        entries = self.rows("audit", key="entries")[::-1]
        self.assertEqual({entry["who"] for entry in entries}, {"command line"})
        self.assertEqual([(entry["what"], entry["detail"]) for entry in entries if
                          entry["what"] != "webhook.enable"], [
            ("webhook.create", {"name": "crm", "account": "default", "url": url, "headers": "set",
                                "event_types": ["*"], "retries_max": 0, "pause_after": 1}),
            ("webhook.edit", {"batch_size": 5}),
            ("webhook.rotate_secret", {"overlap_s": 0}),
            ("webhook.disable", None),
            ("webhook.test", {"event_type": "event_points_earned"}),
            ("request.retry", {"asked": 1, "retried": 1}),
            ("request.retry_failed", {"webhook": "crm"}),
            ("account.edit", {"notify": ["ops@example.com"]}),
            ("webhook.delete", None)])
        self.assertEqual([entry["detail"] for entry in entries if
                          entry["what"] == "webhook.enable"],
                         [None, {"retry_failed": True}, None])
        self.assertEqual({(entry["object"], entry["account"]) for entry in entries if
                          entry["what"].startswith("webhook.")}, {(made["id"], "default")})
        for said in self.shop.run("audit").out, self.shop.run("audit", "--json").out:
            self.assertNotIn("hidden", said)

    def test_an_entry_cannot_be_changed(self):
        self.add("anna", "admin")
        with self.assertRaisesRegex(sqlite3.IntegrityError, "never changed"):
            self.sql("UPDATE audit SET who = 'somebody else'")


def forms(secret):
    """The ways in which a secret could have been written down."""
    values = [secret.encode()]
    if re.fullmatch(r"lh[a-z]_[0-9a-f]{64}", secret):
        values += [secret[4:].encode(), bytes.fromhex(secret[4:])]
    found = set()
    for value in values:
        encoded = base64.b64encode(value).rstrip(b"=")
        found |= {value, value.hex().encode(), value.hex().upper().encode(),
                  encoded, encoded.replace(b"+", b"-").replace(b"/", b"_")}
    return found


class Nowhere(Access):

    def test_after_all_that_can_be_done_with_them(self):
        secrets = [self.token("shop", scope="write")["token"]]
        secrets.append(self.shop.run("user", "reset", "--json").json()["first_run_token"])
        self.add("anna", "admin")
        self.shop.run("user", "set-password", "anna", "--password-stdin", stdin=OTHER)
        secrets += [PASSWORD, OTHER]
        program = self.shop.write("sign.lua", SIGN)
        login = self.shop.write("login", b"")
        self.assertEqual(self.script(program, secrets[0], login), "in and out")
        with open(login, encoding="ascii") as file:
            secrets += file.read().split()
        self.assertEqual(len(secrets), 6)
        said = []
        for words in (["token", "list"], ["user", "list"], ["audit"], ["doctor"], ["stats"],
                      ["account", "list"], ["token", "revoke", "shop"],
                      ["user", "set-role", "anna", "viewer"]):
            answer = self.shop.run(*words, "--json", expect=None)
            said.append(answer.raw + answer.err.encode())
        self.shop.run("backup", "copy.db")
        os.remove(program)
        os.remove(login)
        names = os.listdir(self.shop.folder)
        self.assertIn("copy.db", names)
        for name in names:
            with open(self.shop.path(name), "rb") as file:
                said.append(file.read())
        for secret in secrets:
            for form in forms(secret):
                for content in said:
                    self.assertNotIn(form, content)

    def script(self, program, token, login):
        """Runs a Lua program that signs in; the passwords are on its stdin."""
        done = subprocess.run([VMS["lua5.4"], program], input=f"{token}\n{OTHER}\n{login}\n",
                              capture_output=True, text=True, check=False, cwd=self.shop.folder,
                              env={**self.shop.environment, **lua_environment("lua5.4")})
        self.assertEqual(done.stderr, "")
        return done.stdout


SIGN = """
local access = require("loyalhook").access
local door = assert(access.open({ store = "loyalhook.db" }))
local token, password, path = io.read("l", "l", "l")
assert(door:check_token(token))
assert(not door:sign_in({ user = "anna", password = "wrong " .. password }))
assert(not door:sign_in({ user = password, password = "anna" })) -- in the wrong field
local kept = assert(door:sign_in({ user = "anna", password = password, address = "192.0.2.1" }))
local ended = assert(door:sign_in({ user = "anna", password = password, address = "192.0.2.1" }))
assert(door:check_login(kept.login))
assert(door:sign_out(ended.login, { who = "user:anna" }))
local file = assert(io.open(path, "w"))
file:write(kept.login, " ", kept.csrf)
file:close()
io.write("in and out")
"""


if __name__ == "__main__":
    unittest.main()
