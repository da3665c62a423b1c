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


def lua(program, text=""):
    """What a Lua program prints that uses the checkout's modules."""
    build = os.path.join(TOP, os.environ.get("BUILD", "build"))
    paths = {"LUA_PATH_5_4": f"{TOP}/lua/?.lua;{TOP}/lua/?/init.lua;;",
             "LUA_CPATH_5_4": f"{build}/lua5.4/?.so;;"}
    return subprocess.run([VMS["lua5.4"], "-e", program], input=text, capture_output=True,
                          text=True, check=True, timeout=60, env={**os.environ, **paths}).stdout


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

    def test_a_reader_that_went_away_does_not_hurt_delivery(self):
        shop = self.shop()
        shop.webhook("good", self.endpoint.url("/ok"), batch_size=1)
        shop.run("emit", "event_member_update", "--data", "{}")
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run(shop.command("work", "--until-idle", "--log-level", "debug"),
                              stderr=writer, cwd=shop.folder, env=shop.environment, timeout=60)
        os.close(writer)
        self.assertEqual(done.returncode, 0)
        self.assertEqual([row["state"] for row in shop.requests("--webhook", "good")],
                         ["delivered"])

    def test_what_is_secret_is_not_logged(self):
        for form in ("text", "json"):
            said = "\n".join(self.work("--log-level", "debug", "--log-format", form))
            self.assertNotIn("hush", said)
            self.assertNotIn("a secret for tests", said)


EVIL = "\x1b[2J\x1b]0;title\x07\x9b31m\u202ereversed\x7f"


class ForeignText(unittest.TestCase):
    """Every command on a terminal, where names, answers, data and file names want to be obeyed.

    The commands and their arguments are the registry's: a new one is tried without a change here.
    """

    DEFINITIONS = """local commands, list = require("loyalhook.cli.commands"), {}
      for _, name in ipairs(commands.names()) do
        list[#list + 1] = { name, require("loyalhook.cli.definitions").of(commands.find(name)) }
      end
      print(require("loyalhook.cli.document").encode(list))"""

    # What a command needs beside its own arguments, to end and to be in nobody's way.
    BESIDE = {"work": ["--until-idle"], "listen": ["--port", "0"], "serve": ["--port", "0"]}
    GOES_ON = r'Ctrl-C ends it|"url"'  # listen and serve, once they have started

    LAST = ["webhook enable", "webhook edit", "webhook disable", "webhook delete"]

    def setUp(self):
        self.shop = Workshop()
        self.addCleanup(self.shop.close)
        self.endpoint = Endpoint()
        self.endpoint.__enter__()
        self.addCleanup(self.endpoint.__exit__, None, None, None)
        self.endpoint.script("/hook", [{"status": 500, "body": EVIL}] * 50)
        self.shop.init()
        self.shop.write("loyalhook.lua", "return { types = { { name = 'evil', category = 'evil',"
                        + ' description = "' + EVIL.replace("\x1b", "\\27") + '" } } }')
        self.shop.write("secret", "a secret for tests")
        self.webhook = self.shop.webhook("Zo\u00eb \u202e $(x)", self.endpoint.url("/hook"),
                                         retries_max=0, pause_after=1)
        data = json.dumps({"member_info": {"member_id": "m-" + EVIL}}, ensure_ascii=False)
        self.event = self.shop.run("emit", "evil", "--data", data.replace("\x1b", "\\u001b")
                                   .replace("\x07", "\\u0007")).out.strip()
        self.shop.work_until_idle()
        self.request = self.shop.requests()[0]["request_id"]

    def value(self, element, evil):
        known = {"webhook": self.webhook["id"], "request": self.request, "requests": self.request,
                 "event": self.event, "event_type": "evil", "category": "evil",
                 "shell": "bash", "secret_file": "secret", "url": self.endpoint.url("/hook")}
        target, choices = element["target"], element.get("choices")
        return EVIL if evil else choices[0] if choices else known.get(target, EVIL)

    def lines(self, name, definition):
        """The command as it should be, and with foreign text wherever a text can stand."""
        arguments, options = definition["arguments"] or [], definition["options"]
        words = name.split() + self.BESIDE.get(name, [])
        required = [option for option in options if option["required"]]
        secret = [option for option in options if option["target"] == "secret_file"]
        for evil in (False, True):
            line = [words + [self.value(one, evil) for one in arguments]]
            for option in required + secret:
                line[0] += [option["names"][-1], self.value(option, evil)]
            yield line[0]
        for option in options:
            if option["takes_value"] and option["names"][-1] not in line[0]:
                yield line[0] + [option["names"][-1], EVIL]
        yield words + ["--" + EVIL]

    def assert_harmless(self, shown, line):
        plain = re.sub(r"\x1b\[(?:0|1|2|31|32|33)m|\r\x1b\[K", "", shown)
        found = re.search("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f"
                          "\u2028-\u202e\u2066-\u2069]", plain)
        self.assertIsNone(found, f"{line!r} shows {found and found.group()!r}: {shown!r}")

    def test_nothing_reaches_the_terminal_as_it_is(self):
        definitions = json.loads(lua(self.DEFINITIONS))
        definitions.sort(key=lambda pair: self.LAST.index(pair[0]) if pair[0] in self.LAST else -1)
        shown = ""
        for name, definition in definitions:
            for line in self.lines(name, definition):
                for more in ([], ["--json"]):
                    _, said = self.shop.on_terminal(*line, *more, until=self.GOES_ON)
                    self.assert_harmless(said, line)
                    shown += said
        # Foreign text was there to be shown.
        for wanted in ("$(x)", "]0;title", "reversed"):
            self.assertIn(wanted, shown)

    def test_nor_from_the_environment(self):
        for variable in ("LOYALHOOK_STORE", "LOYALHOOK_CONFIG", "LOYALHOOK_LOG_LEVEL",
                         "LOYALHOOK_KEY_FILE", "LOYALHOOK_CA_FILE", "LOYALHOOK_ALLOW_NETWORKS"):
            for words in (["webhook", "list"], ["doctor"], ["work", "--until-idle"]):
                self.assert_harmless(self.shop.on_terminal(*words, **{variable: EVIL})[1], words)


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

    def test_every_one_parses(self):
        with Workshop() as shop:
            os.mkdir(shop.path("bin"))
            for name in ("loyalhook", "produce-events"):
                path = shop.write(f"bin/{name}", '#!/bin/sh\nfor word in "$@"; do\n'
                                  'printf "%s\\0" "$word"\ndone >> "$WORDS"\n')
                os.chmod(path, 0o755)
            for example in json.loads(lua(self.LIST)):
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
        self.assertEqual(lua(self.PARSE, json.dumps(typed) + "\n"), example["name"] + "\n")


if __name__ == "__main__":
    unittest.main()
