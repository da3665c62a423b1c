"""`loyalhook serve`: a receiver on nginx and a worker that runs handlers, through signals and
kills; and `loyalhook inbox` over what came in. nginx, handlers and the SMTP server are real.
"""

import json
import os
import pty
import signal
import socket
import threading
import time
import unittest
import urllib.error
import urllib.request

from cli import Workshop, wait_for
from slow_request import begin_request

SECRET = "a secret for tests"
EARNED = "event_points_earned"

# A handler of a merchant's own: a line in a file for each event; "fail" and "later" in the data
# make it fail for good, or until a file is there; with "wait" it runs until then.
HANDLER = """
return {
  name = "shop.points", event_types = { "*" }, tries = 2,
  handle = function(event, context)
    if event.data.fail then
      return nil, "no such member", "fail"
    elseif event.data.later and not io.open("now") then
      return nil, "not yet"
    elseif event.data.wait then
      context.wait(function() return io.open("now") ~= nil end, 200000)
    end
    local file = assert(io.open("points.txt", "a"))
    file:write(event.source, " ", event.id, " ", context.attempt, "\\n")
    file:close()
    return true
  end,
}
"""


def children_of(pid):
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as file:
                    fields = file.read().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[1]) == pid and fields[0] != "Z":
                found.append(int(name))
    return found


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def envelope(*ids, **data):
    return json.dumps({"request_id": "61f11851bdfb9aac526d0c70", "total_count": str(len(ids)),
                       "created_date": "11/25/2026 10:00:00", "events": [
                           {"id": one, "event_type": EARNED, "data": data or {"n": 1}}
                           for one in ids]}).encode()


class Serving:
    """A running `serve --json`."""

    def __init__(self, shop, *options, port=0, **environment):
        self.shop = shop
        self.process = shop.start("serve", "--port", port, "--json", *options, **environment)
        self.said = []
        threading.Thread(target=self._read, daemon=True).start()
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"serve ended:\n{self.errors()}")
        self.head = json.loads(line)
        self.url = self.head["url"]
        self.port = int(self.url.split(":")[2].split("/")[0])

    def _read(self):
        for line in self.process.stderr:
            self.said.append(line.decode("utf-8", "replace"))

    def errors(self):
        self.process.wait(30)
        return "".join(self.said)

    def post(self, body, source="shop", secret=SECRET, headers=None):
        if headers is None:
            headers = self.signed(body, secret)
        request = urllib.request.Request(self.url + source, body, headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.read().decode()

    def signed(self, body, secret=SECRET):
        self.shop.write("sign.secret", secret)
        return self.shop.run("sign", "--secret-file", "sign.secret", "--json",
                             stdin=body).json()["headers"]

    def nginx(self):
        """The process ids of its nginx: the master, then its workers."""
        masters = children_of(self.process.pid)
        return masters + [child for one in masters for child in children_of(one)]

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        out = self.process.stdout.read()
        return self.process.wait(60), [json.loads(line) for line in out.splitlines()]


class Case(unittest.TestCase):
    vm = "lua5.4"

    def setUp(self):
        self.temporary = Workshop()
        self.addCleanup(self.temporary.close)
        self.shop = Workshop(vm=self.vm, TMPDIR=self.temporary.folder)
        self.addCleanup(self.shop.close)
        self.shop.init()
        self.configure()

    def configure(self, more=""):
        self.shop.write("shop.secret", SECRET + "\n")
        self.shop.write("points.lua", HANDLER)
        self.shop.write("loyalhook.lua", """return {
          sources = { shop = { secret_files = { "shop.secret" } },
                      old = { secrets = { "an older secret of 16+" } } },
          handlers = { { file = "points.lua" } }, %s }""" % more)

    def serve(self, *options, **more):
        serving = Serving(self.shop, *options, **more)
        self.addCleanup(lambda: serving.process.poll() is None and serving.process.kill())
        return serving

    def handled(self):
        try:
            with open(self.shop.path("points.txt")) as file:
                return [line.split() for line in file]
        except FileNotFoundError:
            return []

    def inbox(self, *options):
        return self.shop.run("inbox", "list", "--json", *options).json()["events"]

    def states(self):
        """Of the handler's tasks, by event."""
        return {row["id"]: row["tasks"][0]["state"] for row in self.inbox() if row["tasks"]}

    def done(self, count):
        def look():
            rows = self.inbox("--limit", 1000)
            return len(rows) == count and all(row["state"] == "done" for row in rows)
        wait_for(look, limit_s=60, what=f"{count} events done")


class Serves(Case):
    def test_what_is_answered_200_is_handled_and_the_rest_is_not(self):
        serving = self.serve()
        self.assertEqual(serving.head["sources"], ["old", "shop"])
        self.assertEqual(serving.post(envelope("e1", "e2")), (200, '{"events":2,"added":2}'))
        self.assertEqual(serving.post(envelope("e1", "e3")), (200, '{"events":2,"added":1}'))
        self.assertEqual(serving.post(envelope("e1"), "old", "an older secret of 16+")[0], 200)
        self.assertEqual(serving.post(envelope("e9"), "shop", "another secret of 16+")[0], 401)
        self.assertEqual(serving.post(envelope("e9"), "nobody")[0], 401)
        self.assertEqual(serving.post(b"{}")[0], 400)
        self.done(4)
        self.assertEqual(sorted(self.handled()), [["old", "e1", "1"], ["shop", "e1", "1"],
                                                  ["shop", "e2", "1"], ["shop", "e3", "1"]])
        with urllib.request.urlopen(f"http://127.0.0.1:{serving.port}/healthz") as answer:
            self.assertEqual(answer.status, 200)
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{serving.port}/nothing")
        self.assertEqual(refused.exception.code, 404)
        code, last = serving.stop()
        self.assertEqual((code, last[0]["result"], last[0]["tasks_done"]), (0, "drained", 4))
        self.assertIn("no source of that name", serving.errors())

    def test_a_handler_that_takes_its_time_holds_up_no_answer(self):
        serving = self.serve()
        self.assertEqual(serving.post(envelope("e1", wait=True))[0], 200)
        wait_for(lambda: self.states().get("e1") == "running", 60, "the handler")
        self.assertEqual(serving.post(envelope("e2"))[0], 200)
        wait_for(lambda: self.states().get("e2") == "done", 60, "the next event")
        self.assertEqual(self.states()["e1"], "running")
        self.shop.write("now", "")
        self.done(2)
        self.assertEqual(serving.stop()[0], 0)

    def test_a_platform_and_a_merchant_on_one_machine(self):
        serving = self.serve()
        with Workshop() as platform:
            platform.init()
            platform.webhook("shop", serving.url + "shop", secret=SECRET)
            ids = platform.emit_lines([{"event_type": EARNED, "data": {"n": n}}
                                       for n in range(250)])["ids"]
            platform.work_until_idle()
        self.done(250)
        self.assertEqual(sorted(line[1] for line in self.handled()), sorted(ids))

    def test_it_delivers_too_with_the_same_store(self):
        serving = self.serve()
        self.shop.webhook("self", serving.url + "shop", secret=SECRET)
        [event] = self.shop.emit_lines([{"event_type": EARNED, "data": {"n": 1}}])["ids"]
        wait_for(self.handled, what="the event's way round")
        self.assertEqual(self.handled(), [["shop", event, "1"]])

    def test_on_luajit_too_with_a_log_of_objects(self):
        self.shop.vm = "luajit"
        serving = self.serve("--log-format", "json")
        self.assertEqual(serving.post(envelope("e1"))[0], 200)
        self.done(1)
        self.assertEqual(serving.stop(signal.SIGINT)[0], 130)
        for line in serving.errors().splitlines():
            self.assertIn("message", json.loads(line))

    def test_with_a_wrong_address_it_does_not_begin(self):
        said = self.shop.run("serve", "--host", "example.com", "--json", expect=2).error()
        self.assertIn("'example.com' is no IP address", said["message"])
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            self.configure()
            said = self.shop.run("serve", "--port", taken.getsockname()[1], "--json",
                                 expect=5).error()
        self.assertIn("is taken", said["message"])
        self.assertEqual(os.listdir(self.temporary.folder), [])


class Lives(Case):
    def under_load(self, serving, during, batches=40):
        """Posts batches from four threads, each until it is answered 200, while `during` runs."""
        bodies = [envelope(*[f"b{n}-{i}" for i in range(5)]) for n in range(batches)]
        headers = [serving.signed(body) for body in bodies]
        todo, lock = list(range(batches)), threading.Lock()

        def sender():
            while True:
                with lock:
                    if not todo:
                        return
                    number = todo.pop()
                for _ in range(600):
                    try:
                        if serving.post(bodies[number], headers=headers[number])[0] == 200:
                            break
                    except OSError:
                        pass
                    time.sleep(0.05)
        senders = [threading.Thread(target=sender) for _ in range(4)]
        for one in senders:
            one.start()
        during()
        for one in senders:
            one.join(120)
        return {f"b{n}-{i}" for n in range(batches) for i in range(5)}

    def test_a_killed_nginx_comes_back_and_nothing_is_lost_or_doubled(self):
        serving = self.serve()

        def kill():
            for _ in range(2):
                pids = serving.nginx()
                os.kill(pids[0], signal.SIGKILL)
                wait_for(lambda: not any(map(alive, pids)), what="the old nginx's end")
                wait_for(lambda: len(serving.nginx()) > 1, what="a new nginx")
        wanted = self.under_load(serving, kill)
        self.done(len(wanted))
        handled = [line[1] for line in self.handled()]
        self.assertEqual(sorted(handled), sorted(wanted))
        self.assertEqual(serving.stop()[0], 0)

    def test_a_killed_serve_leaves_no_nginx_and_the_next_goes_on(self):
        serving = self.serve()
        self.assertEqual(serving.post(envelope("e1", later=True))[0], 200)
        self.assertEqual(serving.post(envelope("e2"))[0], 200)
        wait_for(lambda: len(self.handled()) == 1, what="e2")
        pids = serving.nginx()
        serving.process.kill()
        wait_for(lambda: not any(map(alive, pids)), limit_s=60, what="nginx's end")
        self.shop.write("now", "")
        again = self.serve(port=serving.port)
        self.assertEqual(again.post(envelope("e1", later=True)), (200, '{"events":1,"added":0}'))
        self.done(2)
        self.assertEqual(sorted(line[1] for line in self.handled()), ["e1", "e2"])

    def test_sigterm_answers_what_is_under_way(self):
        serving = self.serve()
        body = envelope(*[f"e{n}" for n in range(500)])
        headers = serving.signed(body)
        wire = begin_request(serving.port, "/receive/shop", headers, body)
        pids = serving.nginx()
        serving.process.send_signal(signal.SIGTERM)
        wait_for(lambda: any("draining" in line for line in serving.said), what="draining")
        wire.sendall(body)
        answer = b""
        while piece := wire.recv(65536):
            answer += piece
        self.assertIn(b" 200 ", answer.splitlines()[0])
        wire.close()
        self.assertEqual(serving.process.wait(60), 0)
        self.assertFalse(any(map(alive, pids)))
        self.assertEqual(os.listdir(self.temporary.folder), [])
        self.assertEqual(len(self.inbox("--limit", 1000)), 500)


class Inbox(Case):
    def test_failed_tasks_are_listed_shown_and_retried(self):
        serving = self.serve()
        serving.post(envelope("good"))
        serving.post(envelope("bad", fail=True))
        wait_for(lambda: len(self.inbox("--state", "failed")) == 1, what="a failed task")
        [row] = self.inbox("--state", "failed")
        self.assertEqual(list(row), ["id", "source", "event_type", "received_at", "state", "tasks"])
        [task] = row["tasks"]
        self.assertEqual((row["id"], task["handler"], task["state"], task["reason"],
                          task["attempts_made"], task["error"]),
                         ("bad", "shop.points", "failed", "refused", 1, "no such member"))
        shown = self.shop.run("inbox", "show", "bad", "--json").json()
        self.assertEqual((shown["data"], shown["member_id"]), ({"fail": True}, None))
        self.assertIn("no such member", self.shop.run("inbox", "show", "bad").out)
        serving.stop()
        answer = self.shop.run("inbox", "retry", "bad", "good", "none", "--json", expect=4)
        self.assertEqual([(one["id"], one["outcome"]) for one in answer.json()["events"]],
                         [("bad", "retried"), ("good", "not_failed"), ("none", "unknown")])
        self.shop.run("work", "--until-idle", "--role", "handle")
        self.assertEqual(self.inbox("--state", "failed")[0]["tasks"][0]["attempts_made"], 2)

    def test_all_failed_ones_are_counted_and_retried(self):
        serving = self.serve()
        serving.post(envelope(*[f"e{n}" for n in range(1200)], fail=True))
        serving.post(envelope("other", fail=True), "old", "an older secret of 16+")
        wait_for(lambda: self.failed() == 1201, limit_s=120, what="failed tasks")
        serving.stop()
        count = self.shop.run("inbox", "retry", "--failed", "--source", "shop", "--dry-run",
                              "--json").json()
        self.assertEqual(count, {"dry_run": True, "total": 1200})
        done = self.shop.run("inbox", "retry", "--failed", "--handler", "shop.points", "--source",
                             "old", "--json").json()
        self.assertEqual(done, {"retried": 1})
        self.assertEqual(self.shop.run("inbox", "retry", "--failed", "--json").json(),
                         {"retried": 1200})
        self.assertEqual(self.failed(), 0)

    def failed(self):
        return self.shop.run("inbox", "retry", "--failed", "--dry-run", "--json").json()["total"]

    def test_pages_and_filters(self):
        serving = self.serve()
        for n in range(7):
            serving.post(envelope(f"e{n}"))
        self.done(7)
        seen, cursor = [], None
        while True:
            more = ["--after", cursor] if cursor else []
            page = self.shop.run("inbox", "list", "--limit", 3, "--json", *more).json()
            seen += [row["id"] for row in page["events"]]
            cursor = page["next"]
            if not cursor:
                break
        self.assertEqual(seen, [f"e{n}" for n in reversed(range(7))])
        self.assertEqual(len(self.inbox("--source", "shop", "--event-type", EARNED, "--handler",
                                        "shop.points", "--since", "1h", "--state", "done")), 7)
        self.assertEqual(self.inbox("--event-type", "event_member_enrol"), [])
        self.shop.run("inbox", "list", "--state", "delivered", expect=2)

    def test_a_removed_handler_waits_and_is_forgotten(self):
        serving = self.serve()
        serving.post(envelope("e1", later=True))
        wait_for(lambda: self.inbox()[0]["tasks"], what="a task")
        said = self.shop.run("inbox", "forget", "shop.points", "--yes", "--json", expect=5).error()
        self.assertEqual(said["code"], "refused")
        serving.stop()
        [row] = self.shop.run("inbox", "handlers", "--json").json()["handlers"]
        self.assertEqual((row["name"], row["event_types"], row["behind"]),
                         ("shop.points", ["*"], 0))
        self.assertEqual(sum(row["tasks"].values()), 1)
        self.shop.run("inbox", "forget", "nobody", "--yes", expect=4)

        def forgotten():
            return self.shop.run("inbox", "forget", "shop.points", "--json", expect=None).code == 0
        wait_for(forgotten, limit_s=60, what="the handler's worker to be gone for long enough")
        [task] = self.inbox()[0]["tasks"]
        self.assertEqual((task["state"], task["reason"]), ("failed", "forgotten"))
        self.assertEqual(self.shop.run("inbox", "handlers", "--json").json()["handlers"], [])
        entry = self.shop.run("audit", "--json").json()["entries"][0]
        self.assertEqual((entry["who"], entry["what"], entry["object"]),
                         ("command line", "handler.forget", "shop.points"))

    def test_an_id_of_two_sources_asks_which(self):
        serving = self.serve()
        serving.post(envelope("e1"))
        serving.post(envelope("e1"), "old", "an older secret of 16+")
        said = self.shop.run("inbox", "show", "e1", "--json", expect=5).error()
        self.assertEqual(said["code"], "conflict")
        self.assertEqual(self.shop.run("inbox", "show", "e1", "--source", "old", "--json")
                         .json()["source"], "old")

    def test_forgetting_asks_on_a_terminal(self):
        serving = self.serve()
        serving.post(envelope("e1"))
        self.done(1)
        serving.stop()
        for typed, code, known in ((b"no\n", 2, 1), (b"shop.points\n", 0, 0)):
            with self.subTest(typed):
                def answered():
                    answer = self.asked(typed)
                    self.assertIn("Forget handler 'shop.points'? Unfinished tasks that end "
                                  "failed: 0", answer.err)
                    return answer.code == code # refused while its worker is only just gone
                wait_for(answered, limit_s=60, what="an answer")
                self.assertEqual(len(self.shop.run("inbox", "handlers", "--json")
                                     .json()["handlers"]), known)

    def asked(self, typed):
        """`inbox forget` with a terminal on which that is typed."""
        master, slave = pty.openpty()
        os.write(master, typed)
        answer = self.shop.run("inbox", "forget", "shop.points", stdin=slave, expect=None)
        os.close(slave)
        os.close(master)
        return answer


if __name__ == "__main__":
    unittest.main()
