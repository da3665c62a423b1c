"""Signatures against implementations that are not ours: Python's hmac, used as the vendor's page
shows it, and the published Python and JavaScript packages of Standard Webhooks. What we sign they
accept, what they sign we accept, on both VMs, in the library and on the command line.

The packages are installed once into build/; where their registries cannot be reached those tests
are skipped and say so.
"""

import base64
import hashlib
import hmac
import json
import os
import random
import subprocess
import sys
import time
import unittest

from cli import TOP, VMS, Workshop, lua_environment

BUILD = os.path.join(TOP, os.environ.get("BUILD", "build"))
PYTHON_PACKAGE = "standardwebhooks==1.1.0"
NODE_PACKAGE = "standardwebhooks@1.1.1"
VECTORS = os.path.join(TOP, "spec", "vectors")


def vendor_signature(secret, body, nonce):
    """The snippet of the vendor's page, on bytes."""
    message = body + b":" + nonce.encode("utf-8")
    return hmac.new(secret, message, hashlib.sha512).hexdigest()


def standard_signature(secret, message_id, timestamp, body):
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def vendor_vectors():
    """The vector file's cases with their bodies written out."""
    with open(os.path.join(VECTORS, "zinrelo-hmac-sha512.json")) as file:
        for vector in json.load(file):
            text, times = vector.get("body_repeat", (vector.get("body"), 1))
            yield {**vector, "body": text * times}


def through_core(vm, cases):
    """Answers of spec/harness/sign.lua for cases of (action, scheme, text or number…)."""
    lines = []
    for action, scheme, *values in cases:
        shown = [str(value) if isinstance(value, int) else
                 (value.encode() if isinstance(value, str) else value).hex() for value in values]
        lines.append("\t".join([action, scheme, *shown]))
    path = f"{TOP}/lua/?.lua;;"
    cpath = f"{BUILD}/{vm}/?.so;;"
    done = subprocess.run([VMS[vm], f"{TOP}/spec/harness/sign.lua"],
                          input=("\n".join(lines) + "\n").encode(), capture_output=True, check=True,
                          env={**os.environ, "LUA_PATH": path, "LUA_PATH_5_4": path,
                               "LUA_CPATH": cpath, "LUA_CPATH_5_4": cpath})
    return done.stdout.decode().splitlines()


def some_bodies(count, seed):
    """Bodies of all sizes around the hash's blocks, any bytes, and realistic ones."""
    source = random.Random(seed)
    for number in range(count):
        size = source.choice([0, 1, 63, 64, 111, 112, 127, 128, 129, 1000, source.randrange(20000)])
        yield source.randbytes(size)
    yield '{"request_id":"61f11851bdfb9aac526d0c70","name":"Zoë — 積分"}'.encode()


class VendorScheme(unittest.TestCase):
    def test_core_signs_as_python_does(self):
        source = random.Random(1)
        cases = []
        for body in some_bodies(300, 2):
            secret = source.randbytes(source.choice([1, 16, 50, 127, 128, 129, 256]))
            nonce = str(source.randrange(10 ** 12, 10 ** 13))
            cases.append(("sign", "zinrelo", secret, body, nonce))
        wanted = [vendor_signature(case[2], case[3], case[4]) for case in cases]
        for vm in VMS:
            with self.subTest(vm):
                self.assertEqual(through_core(vm, cases), wanted)

    def test_core_accepts_what_python_signs_and_nothing_else(self):
        now = 1_700_000_000_000
        secret, body, nonce = b"a shared secret \xc3\xa9", b'{"a": 1}', str(now)
        good = vendor_signature(secret, body, nonce)
        wrong_digit = ("0" if good[0] != "0" else "1") + good[1:]
        cases = [
            (("verify", "zinrelo", secret, body, nonce, good, now), "ok"),
            (("verify", "zinrelo", secret, body, nonce, good, now + 300_000), "ok"),
            (("verify", "zinrelo", secret, body, nonce, good, now + 301_000), "refused too_old"),
            (("verify", "zinrelo", secret, body, nonce, good, now - 301_000), "refused too_new"),
            (("verify", "zinrelo", secret + b"x", body, nonce, good, now),
             "refused signature_mismatch"),
            (("verify", "zinrelo", secret, body + b"\n", nonce, good, now),
             "refused signature_mismatch"),
            (("verify", "zinrelo", secret, body, nonce, wrong_digit, now),
             "refused signature_mismatch"),
            (("verify", "zinrelo", secret, body, str(now + 1), good, now),
             "refused signature_mismatch"),
            (("verify", "zinrelo", secret, body, nonce, good.upper(), now),
             "refused signature_malformed"),
            (("verify", "zinrelo", secret, body, nonce, good[:-2], now),
             "refused signature_malformed"),
            (("verify", "zinrelo", secret, body, str(now // 1000), good, now),
             "refused nonce_malformed"),
        ]
        for vm in VMS:
            with self.subTest(vm):
                self.assertEqual(through_core(vm, [case for case, _ in cases]),
                                 [answer for _, answer in cases])

    def test_vectors(self):
        vectors = list(vendor_vectors())
        cases = [("sign", "zinrelo", v["secret"], v["body"], v["nonce"]) for v in vectors]
        wanted = [v["signature"] for v in vectors]
        self.assertEqual([vendor_signature(v["secret"].encode(), v["body"].encode(), v["nonce"])
                          for v in vectors], wanted)
        for vm in VMS:
            self.assertEqual(through_core(vm, cases), wanted)

    def test_command_line_signs_as_python_does(self):
        for vm in VMS:
            with self.subTest(vm), Workshop(vm=vm) as shop:
                body = b'{"name":"Zo\xc3\xab"}\n'
                shop.write("secret.txt", "a shared secret\n")
                shop.write("body.json", body)
                signed = shop.run("sign", "--secret-file", "secret.txt", "--nonce", "1640796461000",
                                  "body.json").out.strip()
                wanted = vendor_signature(b"a shared secret", body, "1640796461000")
                self.assertEqual(signed, wanted)


class StandardScheme(unittest.TestCase):
    def test_vectors(self):
        with open(os.path.join(VECTORS, "standard-webhooks.json")) as file:
            vectors = json.load(file)
        for v in vectors:
            self.assertEqual(standard_signature(v["secret"], v["webhook-id"],
                                                v["webhook-timestamp"], v["body"].encode()),
                             v["webhook-signature"])
            case = ("sign", "standard", v["secret"], v["body"], v["webhook-id"],
                    v["webhook-timestamp"])
            for vm in VMS:
                self.assertEqual(through_core(vm, [case]), [v["webhook-signature"]])


def make_cases(count, seed):
    """(secret, id, timestamp, body) with JSON bodies, as the packages' verify parses them."""
    source = random.Random(seed)
    now = int(time.time())
    for number in range(count):
        secret = "whsec_" + base64.b64encode(source.randbytes(source.choice([24, 32, 64]))).decode()
        body = json.dumps({"n": number, "text": "é積" * source.randrange(200)}, ensure_ascii=False)
        yield secret, f"{source.randrange(16 ** 24):024x}", now, body


def receipt(vm, sources, headers, body):
    """What a receiver answers, "STATUS BODY", by spec/harness/accept.lua."""
    with Workshop() as shop:
        line = json.dumps({"source": "theirs", "headers": headers, "body": body.encode().hex()})
        done = subprocess.run([VMS[vm], f"{TOP}/spec/harness/accept.lua",
                               "sqlite:" + shop.path("s.db"), json.dumps(sources)],
                              input=line.encode() + b"\n", capture_output=True, check=True,
                              env={**os.environ, **lua_environment(vm)})
        return done.stdout.decode().splitlines()[0]


def last_line(error):
    lines = (error.stderr or error.stdout or b"").decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else str(error)


def install(command, limit_s=180):
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=limit_s)
    except subprocess.CalledProcessError as error:
        raise unittest.SkipTest(f"{command[0]}: {last_line(error)}")
    except (subprocess.TimeoutExpired, OSError) as error:
        raise unittest.SkipTest(f"{command[0]}: {error}")


class Package:
    """What the tests of both packages share: sign and verify are lists in, lists out."""

    def test_they_accept_what_we_sign(self):
        cases = list(make_cases(50, 3))
        for vm in VMS:
            signed = through_core(vm, [("sign", "standard", secret, body, message_id, str(stamp))
                                       for secret, message_id, stamp, body in cases])
            answers = self.verify([(*case, signature) for case, signature in zip(cases, signed)])
            self.assertEqual(answers, [True] * len(cases))

    def test_they_refuse_what_we_sign_with_another_secret(self):
        cases = list(make_cases(5, 4))
        signed = through_core("lua5.4", [("sign", "standard", secret, body, message_id, str(stamp))
                                         for secret, message_id, stamp, body in cases])
        other = "whsec_" + base64.b64encode(bytes(32)).decode()
        answers = self.verify([(other, *case[1:], signature)
                               for case, signature in zip(cases, signed)])
        self.assertEqual(answers, [False] * len(cases))

    def test_we_accept_what_they_sign(self):
        cases = list(make_cases(50, 5))
        signed = self.sign(cases)
        now_ms = cases[0][2] * 1000
        checks = [("verify", "standard", secret, body, message_id, str(stamp), signature, now_ms)
                  for (secret, message_id, stamp, body), signature in zip(cases, signed)]
        for vm in VMS:
            self.assertEqual(through_core(vm, checks), ["ok"] * len(cases))
            late = [check[:-1] + (now_ms + 301_000,) for check in checks[:3]]
            self.assertEqual(through_core(vm, late), ["refused too_old"] * 3)


    def test_a_receiver_takes_what_they_sign(self):
        cases = [(secret, message_id, stamp, json.dumps({"type": "t", **json.loads(body)}))
                 for secret, message_id, stamp, body in make_cases(5, 6)]
        signed = self.sign(cases)
        for vm in VMS:
            for (secret, message_id, stamp, body), signature in zip(cases, signed):
                sources = {"theirs": {"scheme": "standard", "secrets": [secret]}}
                headers = {"webhook-id": message_id, "webhook-timestamp": str(stamp),
                           "webhook-signature": signature}
                self.assertEqual(receipt(vm, sources, headers, body),
                                 '200\t{"events":1,"added":1}')
                headers["webhook-id"] += "0"
                self.assertRegex(receipt(vm, sources, headers, body), "^401\t")


class PythonPackage(Package, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.python = os.path.join(BUILD, "venv", "bin", "python")
        if not os.path.exists(os.path.join(BUILD, "venv", "ready")):
            install([sys.executable, "-m", "venv", os.path.join(BUILD, "venv")])
            install([cls.python, "-m", "pip", "install", "-q", PYTHON_PACKAGE])
            open(os.path.join(BUILD, "venv", "ready"), "w").close()

    PROGRAM = """
import datetime, json, sys
from standardwebhooks import Webhook
for action, secret, message_id, stamp, body, *signature in json.load(sys.stdin):
    webhook = Webhook(secret)
    if action == "sign":
        moment = datetime.datetime.fromtimestamp(stamp, tz=datetime.timezone.utc)
        print(json.dumps(webhook.sign(message_id, moment, body)))
        continue
    headers = {"webhook-id": message_id, "webhook-timestamp": str(stamp),
               "webhook-signature": signature[0]}
    try:
        webhook.verify(body, headers)
        print("true")
    except Exception:
        print("false")
"""

    def ask(self, action, cases):
        done = subprocess.run([self.python, "-c", self.PROGRAM], check=True, capture_output=True,
                              input=json.dumps([(action, *case) for case in cases]).encode())
        return [json.loads(line) for line in done.stdout.decode().splitlines()]

    def sign(self, cases):
        return self.ask("sign", cases)

    def verify(self, cases):
        return self.ask("verify", cases)


class JavaScriptPackage(PythonPackage):
    @classmethod
    def setUpClass(cls):
        cls.folder = os.path.join(BUILD, "node")
        if not os.path.exists(os.path.join(cls.folder, "ready")):
            os.makedirs(cls.folder, exist_ok=True)
            install(["npm", "install", "--loglevel=error", "--no-audit", "--no-fund", "--prefix",
                     cls.folder, NODE_PACKAGE])
            open(os.path.join(cls.folder, "ready"), "w").close()

    PROGRAM = """
const { Webhook } = require("standardwebhooks");
const cases = JSON.parse(require("fs").readFileSync(0, "utf8"));
for (const [action, secret, id, stamp, body, signature] of cases) {
  const webhook = new Webhook(secret);
  if (action === "sign") {
    console.log(JSON.stringify(webhook.sign(id, new Date(stamp * 1000), body)));
    continue;
  }
  const headers = { "webhook-id": id, "webhook-timestamp": String(stamp),
    "webhook-signature": signature };
  let ok = true;
  try { webhook.verify(body, headers); } catch (refused) { ok = false; }
  console.log(JSON.stringify(ok));
}
"""

    def ask(self, action, cases):
        done = subprocess.run(["node", "-e", self.PROGRAM], check=True, capture_output=True,
                              cwd=self.folder,
                              input=json.dumps([(action, *case) for case in cases]).encode())
        return [json.loads(line) for line in done.stdout.decode().splitlines()]


if __name__ == "__main__":
    unittest.main()
