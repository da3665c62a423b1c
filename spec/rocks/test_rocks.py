"""The rock: built with luarocks into empty trees, for Lua 5.4 and for LuaJIT, then used like a
stranger would: from a plain script, through the bin wrapper, and (LuaJIT) inside a real nginx.

Nothing is downloaded: lua-cjson and argparse are the distribution's, declared as provided. The
checkout is copied first, so that luarocks leaves no object files in it.
"""

import json
import os
import platform
import shutil
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request

from cli import TOP, VMS
from nginx import Nginx

ARCHITECTURE = f"{platform.machine()}-linux-gnu"
CONFIG = """
rocks_provided = { ["lua-cjson"] = "2.1.0-1", ["argparse"] = "0.7.1-1" }
external_deps_subdirs = { bin = "bin", lib = { "lib/%s", "lib" }, include = { "include" } }
""" % ARCHITECTURE
LUAJIT = shutil.which(VMS["luajit"]) or "luajit"
LUAJIT_CONFIG = CONFIG + """
lua_version = "5.1"
lua_interpreter = "%s"
variables = { LUA = "%s", LUA_DIR = "/usr", LUA_BINDIR = "%s",
  LUA_INCDIR = "/usr/include/luajit-2.1", LUA_LIBDIR = "/usr/lib/%s" }
""" % (os.path.basename(LUAJIT), LUAJIT, os.path.dirname(LUAJIT), ARCHITECTURE)

# A stranger's script: signs, verifies, stores, lists; prints what it saw.
SCRIPT = """
local loyalhook = require("loyalhook")
local signature = loyalhook.signature
local headers = signature.headers { secret = "a shared secret", body = "{}" }
assert(signature.verify { secret = "a shared secret", body = "{}", headers = headers })
local refused, _, code = signature.verify { secret = "another secret", body = "{}",
  headers = headers }
assert(refused == nil and code == "signature_mismatch", code)
local sender = assert(loyalhook.sender.open { store = arg[1], create = true })
assert(sender:create_webhook { name = "w", url = "https://example.com/", event_types = { "*" } })
local id = assert(sender:emit(loyalhook.payload.points_earned {
  member_info = { member_id = "m-1" }, transaction_info = { transaction_type = "award" } }))
assert(sender:event(id).event_type == "event_points_earned")
sender:close()
io.write(_VERSION, " ", rawget(_G, "jit") and "luajit" or "puc", " ", id, "\\n")
"""


class Rock:
    """A shared part of both VMs' tests: build once, then use."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="loyalhook-rocks-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        cls.checkout, cls.tree = os.path.join(cls.folder, "src"), os.path.join(cls.folder, "tree")
        os.mkdir(cls.checkout)
        for name in ("src", "lua", "bin", "types", "console"):
            shutil.copytree(os.path.join(TOP, name), os.path.join(cls.checkout, name))
        shutil.copy(os.path.join(TOP, "loyalhook-scm-1.rockspec"), cls.checkout)
        config = os.path.join(cls.folder, "config.lua")
        with open(config, "w") as file:
            file.write(cls.config)
        cls.environment = {name: value for name, value in os.environ.items()
                           if not name.startswith(("LUA_", "LOYALHOOK_"))}
        cls.environment["LUAROCKS_CONFIG"] = config
        made = subprocess.run(["luarocks", f"--lua-version={cls.version}", f"--tree={cls.tree}",
                               "make"], cwd=cls.checkout, env=cls.environment, capture_output=True,
                              text=True)
        if made.returncode != 0:
            raise AssertionError("luarocks make:\n" + made.stdout + made.stderr)
        # Nothing may come from the checkout any more.
        shutil.rmtree(cls.checkout)

    def run_with(self, command, **environment):
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True,
                              env={**self.environment, **environment}, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def paths(self):
        share, lib = f"{self.tree}/share/lua/{self.version}", f"{self.tree}/lib/lua/{self.version}"
        return {"LUA_PATH": f"{share}/?.lua;{share}/?/init.lua;;", "LUA_CPATH": f"{lib}/?.so;;"}

    def test_a_plain_script_uses_it(self):
        script = os.path.join(self.folder, "script.lua")
        with open(script, "w") as file:
            file.write(SCRIPT)
        store = os.path.join(self.folder, "script.db")
        said = self.run_with([self.program, script, store], **self.paths())
        self.assertRegex(said, rf"^Lua {self.version} {self.kind} [0-9a-f]{{24}}\n$")

    def test_the_type_stubs_come_along(self):
        stubs = f"{self.tree}/lib/luarocks/rocks-{self.version}/loyalhook/scm-1/types/loyalhook"
        self.assertIn("sender.lua", os.listdir(stubs))

    def test_the_core_needs_neither_sqlite_nor_libcurl(self):
        core = f"{self.tree}/lib/lua/{self.version}/loyalhook/core.so"
        needed = subprocess.run(["ldd", core], capture_output=True, text=True, check=True).stdout
        self.assertIn("libmbedcrypto", needed)
        self.assertNotIn("libsqlite3", needed)
        self.assertNotIn("libcurl", needed)

    def test_the_bin_wrapper_finds_its_modules(self):
        wrapper = os.path.join(self.tree, "bin", "loyalhook")
        self.assertIn("scm", self.run_with(["luarocks", f"--lua-version={self.version}",
                                            f"--tree={self.tree}", "list", "--porcelain"]))
        version = self.run_with([wrapper, "version"])
        self.assertIn("loyalhook", version)
        folder = tempfile.mkdtemp(dir=self.folder)
        store = {"LOYALHOOK_STORE": f"sqlite:{folder}/store.db",
                 "LOYALHOOK_CONFIG": f"{folder}/loyalhook.lua"}
        done = subprocess.run([wrapper, "init"], cwd=folder, capture_output=True, text=True,
                              env={**self.environment, "LOYALHOOK_STORE": store["LOYALHOOK_STORE"]})
        self.assertEqual(done.returncode, 0, done.stderr)
        emitted = self.run_with([wrapper, "emit", "event_member_update", "--json", "--data",
                                 '{"member_info":{"member_id":"m-1"}}'], **store)
        self.assertEqual(len(json.loads(emitted)["ids"]), 1)


class Lua54(Rock, unittest.TestCase):
    version, program, kind, config = "5.4", VMS["lua5.4"], "puc", CONFIG


class LuaJIT(Rock, unittest.TestCase):
    version, program, kind, config = "5.1", LUAJIT, "luajit", LUAJIT_CONFIG

    def test_nginx_verifies_with_it(self):
        paths = self.paths()
        http = f"""lua_package_path "{paths['LUA_PATH']}";
          lua_package_cpath "{paths['LUA_CPATH']}";
          init_by_lua_block {{
            local signature = require("loyalhook.signature")
            verifier = signature.verifier {{ secrets = {{ "a shared secret" }} }}
          }}"""
        server = """location / { content_by_lua_block {
            ngx.req.read_body()
            local ok, message, code = verifier:verify(ngx.req.get_body_data() or "",
              ngx.req.get_headers())
            ngx.status = ok and 200 or 401
            ngx.say(ok and "ok" or code)
          } }"""
        body = b'{"request_id":"61f11851bdfb9aac526d0c70","events":[]}'
        signed = json.loads(self.run_with(
            [os.path.join(self.tree, "bin", "loyalhook"), "sign", "--json", "--secret-file",
             self.file("secret", b"a shared secret"), self.file("body", body)]))
        with Nginx(server, http=http) as web:
            self.assertEqual(self.post(web.url, body, signed["headers"]), (200, "ok\n"))
            self.assertEqual(self.post(web.url, body + b" ", signed["headers"]),
                             (401, "signature_mismatch\n"))
            self.assertEqual(self.post(web.url, body, {}), (401, "header_missing\n"))
            self.assertNotIn("[error]", web.errors())

    def file(self, name, content):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def post(self, url, body, headers):
        request = urllib.request.Request(url, data=body, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.read().decode()


class MakeInstall(unittest.TestCase):
    def test_make_install_serves_both_vms_from_another_place(self):
        with tempfile.TemporaryDirectory(prefix="loyalhook-install-") as prefix:
            subprocess.run(["make", "-s", "-C", TOP, "install", f"PREFIX={prefix}"], check=True,
                           capture_output=True)
            for vm in VMS.values():
                with tempfile.TemporaryDirectory() as folder:
                    for command in ("version", "init", "doctor"):
                        done = subprocess.run(
                            [vm, f"{prefix}/bin/loyalhook", command], cwd=folder, text=True,
                            capture_output=True, timeout=60,
                            env={name: value for name, value in os.environ.items()
                                 if not name.startswith(("LUA_", "LOYALHOOK_"))})
                        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            for shell, name in (("bash", "bash-completion/completions/loyalhook"),
                                ("zsh", "zsh/site-functions/_loyalhook"),
                                ("fish", "fish/vendor_completions.d/loyalhook.fish")):
                with open(f"{prefix}/share/{name}", encoding="utf-8") as file:
                    self.assertIn(f"loyalhook completion {shell}", file.read())
            for name in ("man/man1/loyalhook.1", "loyalhook/types/loyalhook/sender.lua",
                         "loyalhook/console/index.html"):
                self.assertTrue(os.path.exists(f"{prefix}/share/{name}"), name)


if __name__ == "__main__":
    unittest.main()
