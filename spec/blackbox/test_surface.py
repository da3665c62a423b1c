"""What a person or a log collector sees of the program: the worker's log in its forms, colours and
foreign text on a terminal.
"""

import json
import os
import re
import subprocess
import unittest

from cli import TOP, VMS, Workshop
from endpoint import Endpoint

STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


class Logging(unittest.TestCase):
    """A worker and a webhook whose endpoint answers 500."""

    def setUp(self):
        self.endpoint = Endpoint()
        self.endpoint.__enter__()
        self.addCleanup(self.endpoint.__exit__, None, None, None)

    def shop(self):
        """A store of its own each time: a webhook that has failed backs off."""
        shop = Workshop()
        self.addCleanup(shop.close)
        shop.init()
        shop.webhook("failing", self.endpoint.url("/status/500?token=hush"), retries_max=0)
        shop.run("emit", "event_member_update", "--data", "{}")
        return shop

    def work(self, *options, **environment):
        answer = self.shop().run("work", "--until-idle", *options, **environment)
        self.assertEqual(answer.out, "")
        return answer.err.splitlines()

    def test_text_in_a_file_has_times(self):
        lines = self.work()
        self.assertEqual(len(lines), 3, lines)
        for line in lines:
            self.assertRegex(line, rf"^{STAMP} (info|error): ")
        self.assertRegex(lines[1], r"error: request failed .*status=500")

    def test_json_is_an_object_a_line_and_nothing_else(self):
        for words, environment in ((["--log-format", "json"], {}),
                                   ([], {"LOYALHOOK_LOG_FORMAT": "json"})):
            lines = [json.loads(line) for line in self.work(*words, **environment)]
            self.assertEqual([line["message"] for line in lines],
                             ["working", "request failed", "idle"])
            for line in lines:
                self.assertRegex(line["time"], f"^{STAMP}$")
                self.assertEqual(list(line)[:3], ["time", "level", "message"])
            failed = lines[1]
            self.assertEqual((failed["level"], failed["status"], failed["reason"]),
                             ("error", 500, "retries_exhausted"))
            self.assertEqual((lines[2]["level"], lines[2]["failed"]), ("info", 1))

    def test_json_tells_of_a_failing_start_too(self):
        shop = self.shop()
        os.remove(shop.path("loyalhook.db.key"))
        answer = shop.run("work", "--log-format", "json", expect=3)
        self.assertEqual(json.loads(answer.err)["code"], "key_missing")
        answer = shop.run("work", "--log-format", "json", "--json", expect=3)
        self.assertEqual(answer.error()["code"], "key_missing")

    def test_levels(self):
        self.assertEqual(len(self.work("--log-level", "error")), 1)
        self.assertEqual(len(self.work(LOYALHOOK_LOG_LEVEL="warn")), 1)
        shop = self.shop()
        shop.run("work", "--log-level", "loud", expect=2)
        shop.run("work", "--log-format", "xml", expect=2)
        self.assertIn("LOYALHOOK_LOG_FORMAT",
                      shop.run("work", LOYALHOOK_LOG_FORMAT="xml", expect=3).err)

    def into_pipe(self, stream_of):
        """What a worker writes into a pipe; stream_of: "device:inode" → JOURNAL_STREAM."""
        shop = self.shop()
        reader, writer = os.pipe()
        found = os.fstat(writer)
        environment = {**shop.environment,
                       "JOURNAL_STREAM": stream_of(f"{found.st_dev}:{found.st_ino}")}
        subprocess.run(shop.command("work", "--until-idle"), stderr=writer, check=True, timeout=60,
                       cwd=shop.folder, env=environment)
        os.close(writer)
        with open(reader, encoding="utf-8") as pipe:
            return pipe.read().splitlines()

    def test_the_journal_gets_priorities_and_keeps_the_time_itself(self):
        lines = self.into_pipe(lambda stream: stream)
        self.assertEqual([line[:3] for line in lines], ["<6>", "<3>", "<6>"])
        self.assertTrue(lines[1].startswith("<3>error: request failed "))
        other = self.into_pipe(lambda stream: "1:1") # inherited, but stderr is something else
        self.assertRegex(other[0], f"^{STAMP} info: ")

    def test_a_terminal_gets_colours_and_no_times(self):
        code, shown = self.shop().on_terminal("work", "--until-idle")
        self.assertEqual(code, 0, shown)
        self.assertNotRegex(shown, STAMP)
        self.assertRegex(shown, "\x1b\\[31merror: request failed .*\x1b\\[0m")
        for declined in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            shown = self.shop().on_terminal("work", "--until-idle", **declined)[1]
            self.assertNotIn("\x1b", shown)

    def test_a_stream_that_takes_nothing_does_not_hurt_delivery(self):
        for streams in ("2>&-", "2>/dev/full", ">&- 2>&-", "<&- >&- 2>&-"):
            for form in ("text", "json"):
                with self.subTest(streams=streams, form=form):
                    shop = self.shop()
                    shop.webhook("good", self.endpoint.url("/ok"), batch_size=1)
                    for number in range(5):
                        shop.run("emit", "event_member_update", "--data", f'{{"n":{number}}}')
                    done = subprocess.run(
                        ["sh", "-c", f'exec "$@" {streams}', "sh",
                         *shop.command("work", "--until-idle", "--log-format", form,
                                       "--log-level", "debug")],
                        cwd=shop.folder, env=shop.environment, timeout=60)
                    self.assertEqual(done.returncode, 0)
                    self.assertEqual([row["state"] for row in shop.requests("--webhook", "good")],
                                     ["delivered"] * 5)
                    shop.run("doctor", "--full")
        self.assertTrue(all(one["complete"] for one in self.endpoint.requests()))

    def test_what_is_secret_is_not_logged(self):
        for form in ("text", "json"):
            said = "\n".join(self.work("--log-level", "debug", "--log-format", form))
            self.assertNotIn("hush", said)
            self.assertNotIn("a secret for tests", said)


class Examples(unittest.TestCase):
    """What --help shows can be typed: the examples, as a shell reads them, are lines that parse."""

    LIST = """local commands, list = require("loyalhook.cli.commands"), {}
      for _, name in ipairs(commands.names()) do
        for _, example in ipairs(require(commands.find(name).module).examples) do
          list[#list + 1] = { name = name, text = example }
        end
      end
      print(require("cjson").encode(list))"""

    # Reads lines of words as JSON; prints which command each of them is, or why it is none.
    PARSE = """local arguments = require("loyalhook.cli.arguments")
      local commands = require("loyalhook.cli.commands")
      for line in io.lines() do
        local done, result = pcall(function()
          local entry, rest = arguments.command(commands, require("cjson").decode(line))
          arguments.parse(entry, require(entry.module), rest)
          return entry.name
        end)
        print(done and result or type(result) == "table" and result.message or result)
      end"""

    def lua(self, program, text=""):
        build = os.path.join(TOP, os.environ.get("BUILD", "build"))
        return subprocess.run([VMS["lua5.4"], "-e", program], input=text, capture_output=True,
                              text=True, check=True, timeout=60,
                              env={**os.environ, "LUA_CPATH_5_4": f"{build}/lua5.4/?.so;;",
                                   "LUA_PATH_5_4": f"{TOP}/lua/?.lua;{TOP}/lua/?/init.lua;;"}
                              ).stdout

    def test_every_one_parses(self):
        with Workshop() as shop:
            os.mkdir(shop.path("bin"))
            for name in ("loyalhook", "produce-events"):
                path = shop.write(f"bin/{name}", '#!/bin/sh\nfor word in "$@"; do\n'
                                  'printf "%s\\0" "$word"\ndone >> "$WORDS"\n')
                os.chmod(path, 0o755)
            for example in json.loads(self.lua(self.LIST)):
                with self.subTest(example["text"]):
                    self.check(shop, example)

    def check(self, shop, example):
        words = shop.write("words", "")
        for file in re.findall(r"< (\S+)", example["text"]):
            shop.write(file, "{}")
        for folder in re.findall(r"> ~/(\S+)/", example["text"]):
            os.makedirs(shop.path(folder), exist_ok=True)
        subprocess.run(["sh", "-euc", example["text"]], cwd=shop.folder, check=True, timeout=20,
                       stdin=subprocess.DEVNULL, env={
                           "PATH": f"{shop.path('bin')}:{os.environ['PATH']}", "WORDS": words,
                           "HOME": shop.folder, "SECRET": "a secret for tests"})
        with open(words, encoding="utf-8") as file:
            typed = file.read().split("\0")[:-1]
        self.assertEqual(self.lua(self.PARSE, json.dumps(typed) + "\n"), example["name"] + "\n")


if __name__ == "__main__":
    unittest.main()
