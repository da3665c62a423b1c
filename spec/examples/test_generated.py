"""What docs/generate.lua writes is what the code says: the manual page and the tables of settings
and exit codes. The page is looked at with mandoc and groff where they are installed.
"""

import glob
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from cli import TOP, VMS, Workshop, commands

BUILD = os.path.join(TOP, os.environ.get("BUILD", "build"))
PAGE = "docs/man/loyalhook.1"
COMMON = {"--json", "--store", "--config", "--help"}


class Generated(unittest.TestCase):
    def check(self, top, expect):
        done = subprocess.run([VMS["lua5.4"], "docs/generate.lua", "--check"], cwd=top, text=True,
                              capture_output=True,
                              env={**os.environ, "LUA_PATH_5_4": f"{TOP}/lua/?.lua;;",
                                   "LUA_CPATH_5_4": f"{BUILD}/lua5.4/?.so;;"})
        self.assertEqual(done.returncode, expect, done.stderr)
        return done.stderr

    def test_is_fresh(self):
        self.check(TOP, 0)

    def test_what_is_stale_is_noticed(self):
        with tempfile.TemporaryDirectory() as top:
            shutil.copytree(os.path.join(TOP, "docs"), os.path.join(top, "docs"))
            for path, old, new in ((PAGE, "loyalhook", "royalhook"),
                                   ("docs/reference/configuration.md", "`256`", "`255`")):
                with open(os.path.join(top, path), "r+", encoding="utf-8") as file:
                    text = file.read()
                    file.seek(0)
                    file.write(text.replace(old, new))
                self.assertIn(path, self.check(top, 1))


class ManualPage(unittest.TestCase):
    def shown(self, *command):
        if not shutil.which(command[0]):
            self.skipTest(f"no {command[0]} on this machine")
        done = subprocess.run([*command, PAGE], cwd=TOP, capture_output=True, encoding="utf-8",
                              env={**os.environ, "LC_ALL": "C.UTF-8"})
        self.assertEqual(done.stderr, "")
        return re.sub("[\u2010\u2212]", "-", re.sub(".\x08", "", done.stdout))

    def test_is_clean_for_mandoc(self):
        self.assertEqual(self.shown("mandoc", "-T", "lint"), "")

    def test_is_clean_for_groff_and_names_everything(self):
        page = self.shown("groff", "-ww", "-man", "-Tutf8", "-P-c", "-rLL=200n")
        with Workshop() as shop:
            for command in commands():
                section = page.split(f"   loyalhook {command}\n")[1].split("\n   loyalhook ")[0]
                said = shop.run(*command.split(), "--help").out
                for option in re.findall(r"^   (?:-\w, )?(--[a-z-]+)", said, re.M):
                    self.assertIn(option, page if option in COMMON else section, command)
                self.assertIn(re.search(r"^Examples:\n  (.*)", said, re.M).group(1), section)

    def test_is_shown_by_man(self):
        self.assertIn("loyalhook webhook create", self.shown("man", "-l"))


class LuaReference(unittest.TestCase):
    """What LDoc makes of the type stubs; that they are the library's is in spec/unit/types_spec."""

    def test_is_built_without_a_warning_and_has_every_function(self):
        if not shutil.which("ldoc"):
            self.skipTest("no ldoc on this machine")
        with tempfile.TemporaryDirectory() as build:
            done = subprocess.run(["make", "-s", "docs", f"BUILD={build}",
                                   f"LUA54={VMS['lua5.4']}"], cwd=TOP, text=True,
                                  capture_output=True)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            for path in sorted(glob.glob(os.path.join(TOP, "types/loyalhook/**/*.lua"),
                                         recursive=True)):
                with open(path, encoding="utf-8") as file:
                    functions = re.findall(r"^function ([\w.:]+)\(", file.read(), re.M)
                page = os.path.relpath(path, os.path.join(TOP, "types"))[:-4].replace("/", ".")
                page = page.removesuffix(".init")
                with open(f"{build}/docs/lua/modules/{page}.html", encoding="utf-8") as file:
                    shown = file.read()
                for function in functions:
                    self.assertRegex(shown, rf'<a name *= *"[\w.:]*{function.split(".", 1)[-1]}"')


if __name__ == "__main__":
    unittest.main()
