"""What of the console needs no browser: its pure modules, its pinned libraries, its house rules."""

import glob
import os
import re
import shutil
import subprocess
import sys
import unittest

from cli import TOP

HERE = os.path.join(TOP, "spec", "browser")
CONSOLE = os.path.join(TOP, "console")
LINES_MAX, COLUMNS_MAX = 400, 100
BANNED = {r"\binnerHTML\b|\bouterHTML\b|insertAdjacentHTML|document\.write|dangerouslySetInner":
          "text becomes no HTML", r"\beval\(|new Function": "text becomes no code",
          r"\bstyle=\"": "styles stand in style sheets", r"https?://(?!example\.com)[a-z]":
          "nothing comes from elsewhere"}


def own_files(*endings):
    return sorted(path for path in glob.glob(os.path.join(CONSOLE, "**"), recursive=True)
                  if path.endswith(endings) and f"{os.sep}vendor{os.sep}" not in path)


class Modules(unittest.TestCase):
    def test_pure_modules(self):
        if not shutil.which("node"):
            self.skipTest("node is missing ('./bootstrap test' installs it)")
        done = subprocess.run(["node", "--test-reporter=tap", os.path.join(HERE, "modules.mjs")],
                              capture_output=True, timeout=120)
        out = done.stdout.decode("utf-8", "replace")
        self.assertEqual(done.returncode, 0, out + done.stderr.decode("utf-8", "replace"))
        self.assertRegex(out, r"(?m)^ok 1 ")

    def test_libraries_are_the_pinned_ones(self):
        done = subprocess.run([sys.executable, os.path.join(HERE, "vendor.py")],
                              capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr.decode())


class House(unittest.TestCase):
    def test_files_are_small(self):
        for path in own_files(".js", ".css") + glob.glob(os.path.join(HERE, "**", "*.mjs"),
                                                         recursive=True):
            with open(path, encoding="utf-8") as file:
                lines = file.read().split("\n")
            self.assertLessEqual(len(lines), LINES_MAX, path)
            for number, line in enumerate(lines, 1):
                if not re.search(r"M\d|href=\$", line):  # drawn paths, and addresses
                    self.assertLessEqual(len(line), COLUMNS_MAX, f"{path}:{number}")

    def test_each_file_says_what_it_is_for(self):
        for path in own_files(".js", ".css"):
            with open(path, encoding="utf-8") as file:
                self.assertRegex(file.readline(), r"^(// |/\* )[A-Z\"“<]", path)

    def test_nothing_that_a_strict_policy_forbids(self):
        for path in own_files(".js", ".html"):
            with open(path, encoding="utf-8") as file:
                text = file.read()
            for pattern, reason in BANNED.items():
                found = re.search(pattern, text)
                self.assertIsNone(found, f"{path}: {found and found.group()}: {reason}")

    def test_pages_meet_each_other_through_parts_that_know_less(self):
        """lib knows no ui, ui no pages."""
        for folder, above in (("lib", r"\.\./(ui|pages)/"), ("ui", r"\.\./pages/")):
            for path in glob.glob(os.path.join(CONSOLE, folder, "*.js")):
                with open(path, encoding="utf-8") as file:
                    self.assertNotRegex(file.read(), above, path)


if __name__ == "__main__":
    sys.exit(unittest.main())
