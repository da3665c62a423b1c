"""Keeps the bench from rotting: every row runs, tiny, and gives figures; how large they are is not
asked, so a slow machine fails nothing.
"""

import json
import os
import re
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.join(HERE, "..", "..")


def bench(*arguments):
    return subprocess.run([sys.executable, os.path.join(HERE, "bench.py"), *arguments],
                          capture_output=True, text=True, timeout=300)


class Bench(unittest.TestCase):
    def check_row(self, row):
        self.assertGreaterEqual(row["load"], 0)
        for side in ("ours", "yardstick", "ratio"):
            # An idle worker may use nothing at all, and then there is no ratio either.
            least = -1 if row["row"] == "idle" else 0
            for name, value in (row[side] or {}).items():
                self.assertGreater(value, least, f"{row['what']}: {side}.{name}")
        self.assertIn(row["met"], (True, False, None))
        self.assertEqual(row["budget"] is None, row["met"] is None)

    def test_every_row_gives_figures(self):
        names = [line.split()[0] for line in bench("--list").stdout.splitlines()]
        self.assertGreater(len(names), 5)
        done = bench("--tiny", *names)
        self.assertEqual(done.returncode, 0, done.stderr)
        document = json.loads(done.stdout)
        self.assertEqual(list(dict.fromkeys(row["row"] for row in document["rows"])), names)
        for row in document["rows"]:
            with self.subTest(row=row["row"], what=row["what"]):
                self.check_row(row)
        for name in ("processor", "processors", "kernel", "disk", "load"):
            self.assertIn(name, document["machine"])

    def test_an_unknown_row_is_named_with_those_there_are(self):
        done = bench("nonsense")
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, "no such row: nonsense; there are: sign")

    def test_the_page_describes_every_row(self):
        with open(os.path.join(TOP, "docs", "benchmarks.md")) as file:
            described = re.findall(r"^\| `(\w+)` \|", file.read(), re.M)
        names = [line.split()[0] for line in bench("--list").stdout.splitlines()]
        self.assertEqual(sorted(set(described)), sorted(names))


if __name__ == "__main__":
    unittest.main()
