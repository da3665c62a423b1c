"""Prometheus' own tool on what it is given: the figures of /metrics, the alert rules, and when each
of them fires (alerts_test.yml). Without promtool the tests are skipped, and say so.
"""

import os
import re
import shutil
import subprocess
import unittest

from cli import TOP, Workshop
from serving_api import Serving

RULES = os.path.join(TOP, "docs", "alerts.yml")
STORIES = os.path.join(TOP, "spec", "examples", "alerts_test.yml")
HANDLER = """return { name = "shop.points", event_types = { "*" },
  handle = function() return nil, "no such member", "fail" end }"""


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


class Promtool(unittest.TestCase):
    def setUp(self):
        if not shutil.which("promtool"):
            self.skipTest("promtool is missing (docs/dependencies.md says where it is)")
        self.shop = Workshop()
        self.addCleanup(self.shop.close)
        shutil.copy(RULES, self.shop.folder)
        shutil.copy(STORIES, self.shop.folder)

    def promtool(self, *words, expect=0, **given):
        done = subprocess.run(["promtool", *words], cwd=self.shop.folder, text=True, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **given)
        self.assertEqual(done.returncode, expect, done.stdout)
        return done.stdout

    def test_the_rules_are_valid(self):
        self.promtool("check", "rules", "--lint=all", "--lint-fatal", "alerts.yml")

    def test_each_rule_fires_when_it_should_and_not_otherwise(self):
        self.promtool("test", "rules", "alerts_test.yml")

    def test_a_rule_that_never_fires_is_noticed(self):
        self.shop.write("alerts.yml", read(RULES).replace("> 900", "> 9000"))
        self.assertIn("LoyalhookDeliveryBehind",
                      self.promtool("test", "rules", "alerts_test.yml", expect=1))

    def test_metrics_are_as_they_should_be(self):
        def prepare(shop):
            shop.write("points.lua", HANDLER)
            shop.webhook('a "name" \\ with\u00fc', "http://127.0.0.1:1/", retries_max=0)
            shop.run("emit", "event_points_earned", "--data", "{}")
            shop.work_until_idle("--role", "deliver")
        with Serving('handlers = { { file = "points.lua" } }', prepare) as here:
            text = here.ask("GET", "/metrics", token=here.token("read")).body
        self.assertIn(b'loyalhook_handler_tasks{handler="shop.points",state="failed"} 0', text)
        self.assertIn(b'loyalhook_requests_total{outcome="failed"} 1', text)
        self.promtool("check", "metrics", input=text.decode())


class Stories(unittest.TestCase):
    def test_each_rule_has_one_in_which_it_fires_and_one_in_which_it_does_not(self):
        names = set(re.findall(r"^ +- alert: (\w+)$", read(RULES), re.M))
        told = read(STORIES)
        silent = set(re.findall(r"alertname: (\w+), eval_time: \w+, exp_alerts: \[\]", told))
        loud = set(re.findall(r"- alertname: (\w+)\n +eval_time: \w+\n +exp_alerts:", told))
        self.assertEqual((silent, loud), (names, names))


if __name__ == "__main__":
    unittest.main()
