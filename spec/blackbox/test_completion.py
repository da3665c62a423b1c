"""Completion in real shells: bash and zsh with a TAB on a terminal, fish with `complete -C`. A
shell that is not installed is skipped, and said to be.
"""

import os
import pty
import select
import shutil
import subprocess
import time
import unittest

from cli import TOP, Workshop

NAME = "we $(touch pwned) b"

# Between completing and running a line stands a function that shows the line's words.
SHOW = 'loyalhook() { if [ "$1" = completion ]; then command loyalhook "$@"; ' \
       'else printf "GOT<%s>" "$@"; echo; fi; }\n'


class Shell:
    """An interactive shell on a terminal: types keys, waits for what is to appear."""

    def __init__(self, command, folder, environment):
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave,
                                        cwd=folder, env=environment, start_new_session=True)
        os.close(slave)
        self.shown = ""

    def type(self, keys, wanted, limit_s=30.0):
        """Types and returns what appears until it contains `wanted`."""
        self.shown = ""
        os.write(self.master, keys.encode())
        end = time.monotonic() + limit_s
        while wanted not in self.shown:
            if time.monotonic() > end:
                raise AssertionError(f"{keys!r}: no {wanted!r} in {self.shown!r}")
            if select.select([self.master], [], [], 0.1)[0]:
                self.shown += os.read(self.master, 65536).decode("utf-8", "replace")
        return self.shown

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.master)


class Case(unittest.TestCase):
    shell = None

    @classmethod
    def setUpClass(cls):
        if not shutil.which(cls.shell):
            raise unittest.SkipTest(f"no {cls.shell} on this machine")
        cls.shop = Workshop()
        cls.addClassCleanup(cls.shop.close)
        cls.shop.environment.update(PATH=f"{TOP}/bin:{os.environ['PATH']}", TERM="dumb",
                                    HOME=cls.shop.folder, LC_ALL="C.UTF-8")
        cls.shop.init()
        cls.webhook = cls.shop.webhook("crm", "http://127.0.0.1:1/a", retries_max=0)
        cls.shop.run("emit", "event_member_update", "--data", "{}")
        cls.shop.work_until_idle()
        cls.request = cls.shop.requests()[0]["request_id"]
        cls.shop.webhook(NAME, "http://127.0.0.1:1/b")
        cls.shop.write("body.json", "{}")

    def no_trace(self):
        self.assertFalse(os.path.exists(self.shop.path("pwned")))

    def script(self, text, **environment):
        done = subprocess.run([*self.plain, text], cwd=self.shop.folder, capture_output=True,
                              env={**self.shop.environment, **environment}, text=True, timeout=60)
        return done.stdout, done.stderr


class OnTerminal:
    """What both bash and zsh do with a TAB."""

    def setUp(self):
        self.typed = Shell(self.interactive, self.shop.folder, self.shop.environment)
        self.addCleanup(self.typed.close)
        self.typed.type(self.start + SHOW + "echo rea''dy\n", "ready")

    def completed(self, line, *words):
        self.typed.type(line + "\n", "".join(f"GOT<{word}>" for word in words))

    def test_words(self):
        self.completed("loyalhook webh\tcr\t --ur\tx", "webhook", "create", "--url", "x")
        self.completed("loyalhook --json work --log-fo\tj\t", "--json", "work", "--log-format",
                       "json")
        self.completed("loyalhook work --log-format=j\t", "work", "--log-format=json")
        self.completed("loyalhook help web\tli\t", "help", "webhook", "list")

    def test_values_with_colons_and_commas(self):
        self.completed("loyalhook webhook create --event-type category:tr\t", "webhook", "create",
                       "--event-type", "category:transaction")
        self.completed("loyalhook webhook create --event-type=category:tr\t", "webhook", "create",
                       "--event-type=category:transaction")
        self.completed("loyalhook webhook create --event-type event_points_earned,category:me\t",
                       "webhook", "create", "--event-type", "event_points_earned,category:member")

    def test_names_of_webhooks(self):
        self.completed("loyalhook webhook show cr\t", "webhook", "show", "crm")
        self.completed(f"loyalhook webhook show {self.webhook['id'][:22]}\t", "webhook", "show",
                       self.webhook["id"])
        self.completed("loyalhook webhook show we\t", "webhook", "show", NAME)
        self.completed("loyalhook webhook show 'we\t", "webhook", "show", NAME)
        self.completed(f"loyalhook retry {self.request[:9]}\t x", "retry", self.request, "x")
        self.no_trace()

    def test_files(self):
        self.completed("loyalhook sign bod\t", "sign", "body.json")
        self.completed("loyalhook emit x --data-file=bod\t", "emit", "x", "--data-file=body.json")


class Bash(OnTerminal, Case):
    shell = "bash"
    interactive = ["bash", "--norc", "--noprofile", "-i"]
    plain = ["bash", "-c"]
    start = "source <(loyalhook completion bash)\n"

    def asked(self, line, *words, program="loyalhook", **environment):
        """The candidates for a line of these words, and what was said on stderr."""
        array = " ".join(f"'{word}'" for word in words)
        return self.script(f"""source <('{TOP}/bin/loyalhook' completion bash)
            COMP_WORDS=({program} {array}); COMP_CWORD={len(words)}
            COMP_LINE="{line}"; COMP_POINT=${{#COMP_LINE}}
            _loyalhook; printf '%s\\n' "${{COMPREPLY[@]}}" """, **environment)

    def test_what_fails_is_silent(self):
        self.shop.write("broken.lua", "return {")
        self.assertEqual(self.asked("loyalhook webhook show c", "webhook", "show", "c"),
                         ("crm\n", ""))
        for broken in ({"LOYALHOOK_STORE": "sqlite:nowhere.db"}, {"LOYALHOOK_CONFIG": "broken.lua"},
                       {"PATH": "/usr/bin:/bin"}):
            self.assertEqual(self.asked("loyalhook webhook show c", "webhook", "show", "c",
                                        **broken), ("\n", ""))

    def test_the_store_of_the_line_counts(self):
        words = ["--store", "sqlite:nowhere.db", "webhook", "show", ""]
        self.assertEqual(self.asked("loyalhook " + " ".join(words), *words), ("\n", ""))


class Zsh(OnTerminal, Case):
    shell = "zsh"
    interactive = ["zsh", "-f", "-i"]
    start = "autoload -U compinit; compinit -u -D; source <(loyalhook completion zsh)\n"

    def test_installed_as_a_function_of_its_own(self):
        os.makedirs(self.shop.path("functions"), exist_ok=True)
        self.shop.write("functions/_loyalhook", self.shop.run("completion", "zsh").out)
        other = Shell(self.interactive, self.shop.folder, self.shop.environment)
        self.addCleanup(other.close)
        other.type("fpath=($PWD/functions $fpath); autoload -U compinit; compinit -u -D; " + SHOW
                   + "echo rea''dy\n", "ready")
        other.type("loyalhook webhook show cr\t\n", "GOT<webhook>GOT<show>GOT<crm>")

    def test_what_fails_is_silent(self):
        self.typed.type("export LOYALHOOK_STORE=sqlite:nowhere.db; echo se''t\n", "set")
        shown = self.typed.type("loyalhook webhook show x\tfollows\n", "GOT<xfollows>")
        self.assertNotIn("nowhere", shown)


class Fish(Case):
    shell = "fish"
    plain = ["fish", "--no-config", "-c"]

    def asked(self, line, **environment):
        """The candidates of a line (its quotes are fish's) with their descriptions."""
        out, err = self.script("loyalhook completion fish | source; "
                               f"set -l line {line}; complete -C \"$line\"", **environment)
        self.assertEqual(err, "")
        return dict((row.split("\t") + [""])[:2] for row in out.splitlines())

    def test_words(self):
        self.assertEqual(list(self.asked("'loyalhook webh'")), ["webhook"])
        self.assertEqual(self.asked("'loyalhook webhook li'"), {"list": "the webhooks"})
        self.assertEqual(list(self.asked("'loyalhook work --log-format '")), ["json", "text"])
        self.assertEqual(set(self.asked("'loyalhook work --log-format='")),
                         {"--log-format=json", "--log-format=text"})

    def test_values(self):
        self.assertEqual(self.asked("'loyalhook webhook show '"),
                         {"crm": "enabled, account default", NAME: "enabled, account default"})
        self.assertEqual(list(self.asked("'loyalhook webhook show \"we'")), [NAME])
        self.assertEqual(self.asked("'loyalhook webhook create --event-type category:tr'"),
                         {"category:transaction": "Transaction events"})
        for command in ("retry", "request show"):
            (found, text), = self.asked(f"'loyalhook {command} '").items()
            self.assertEqual(found, self.request)
            self.assertRegex(text, r"^failed, 1 events, made \d{4}-")
        self.no_trace()

    def test_files(self):
        self.assertEqual(list(self.asked("'loyalhook sign bod'")), ["body.json"])
        self.assertEqual(list(self.asked("'loyalhook emit --data-file=bod'")),
                         ["--data-file=body.json"])

    def test_what_fails_is_silent(self):
        for broken in ({"LOYALHOOK_STORE": "sqlite:nowhere.db"},
                       {"LOYALHOOK_CONFIG": "nowhere.lua"}):
            self.assertEqual(self.asked("'loyalhook webhook show '", **broken), {})
        out, err = self.script(f"'{TOP}/bin/loyalhook' completion fish | source; "
                               "complete -C 'loyalhook webhook show '", PATH="/usr/bin:/bin")
        self.assertEqual((out, err), ("", ""))


del Case, OnTerminal

if __name__ == "__main__":
    unittest.main()
