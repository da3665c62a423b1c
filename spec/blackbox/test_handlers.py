"""Handlers in a real worker: none of them holds up the others, nothing is lost or done twice when a
worker is killed, and what a handler is promised about order, retries and unknown ends holds."""

import asyncio
import collections
import http.server
import json
import os
import random
import resource
import signal
import threading
import time
import unittest

from cli import VMS, stop, wait_for
from endpoint import Endpoint
from handling import Handling, handler

# A handler that posts the event to a URL.
POST = """local answer, message, code = context.http{ url = "%s", body = event.data_json,
    headers = { ["Idempotency-Key"] = context.idempotency_key, Event = event.id } }
  if not answer then return nil, message, code end
  return answer.status == 200 or nil, "answered " .. answer.status"""


class Wallet:
    """A remote side with effects: POST /credit credits once for each Idempotency-Key. `on_credit`
    is called after the effect and before the answer."""

    def __init__(self):
        self.credits = collections.Counter()
        self.asked = collections.Counter()
        self.on_credit = lambda key: None
        wallet = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                key = self.headers["Idempotency-Key"]
                self.rfile.read(int(self.headers["Content-Length"]))
                wallet.asked[key] += 1
                wallet.credits[key] = 1
                wallet.on_credit(key)
                try:
                    self.send_response(200)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                except OSError:
                    pass  # whoever asked was killed

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def url(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}/credit"

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class Crowd:
    """Answers nobody before so many requests are there, each on a connection of its own."""

    def __init__(self, count):
        self.count, self.waiting = count, []
        self.loop = asyncio.new_event_loop()
        self.server = self.loop.run_until_complete(
            asyncio.start_server(self.serve, "127.0.0.1", 0, backlog=count))
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def url(self):
        return f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}/"

    async def serve(self, reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        self.waiting.append((reader, writer))
        if len(self.waiting) == self.count:
            for _, one in self.waiting:
                one.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        for _, writer in self.waiting:
            writer.transport.abort()
        self.server.close()
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()


class Handlers(unittest.TestCase):
    def shop(self, *handlers, **options):
        shop = Handling(*handlers, **options)
        self.addCleanup(shop.close)
        return shop

    def endpoint(self):
        endpoint = Endpoint()
        endpoint.__enter__()
        self.addCleanup(endpoint.__exit__, None, None, None)
        return endpoint

    def wait_states(self, shop, name, **wanted):
        """wanted: e1="done" …"""
        wait_for(lambda: shop.states(name) == wanted, limit_s=60,
                 what=f"{name}: {wanted}, not {shop.states(name)}")

    def stopped(self, worker):
        code, out, err = stop(worker)
        self.assertEqual(code, 0, out + err)
        return err


class Beside(Handlers):
    """Handlers do not hold up each other, nor deliveries."""

    def test_one_that_waits_does_not_hold_the_others(self):
        endpoint = self.endpoint()
        for vm in VMS:
            with self.subTest(vm):
                shop = self.shop(handler("slow", POST % endpoint.url("/hang"), concurrency=2),
                                 handler("quick", POST % endpoint.url("/ok")), vm=vm)
                worker = shop.start_worker("--drain-grace-s", "0")
                shop.accept("e1", "e2", "e3")
                self.wait_states(shop, "quick", e1="done", e2="done", e3="done")
                self.assertEqual(shop.states("slow"),
                                 {"e1": "running", "e2": "running", "e3": "pending"})
                self.stopped(worker)
                tasks = shop.tasks("slow")
                self.assertEqual((tasks["e1"]["state"], tasks["e1"]["error"]),
                                 ("retrying", "the worker stopped while it ran"))
                self.assertEqual((tasks["e3"]["state"], tasks["e3"]["attempts_made"]),
                                 ("pending", 0))

    def test_one_that_loops_does_not_stop_the_others_nor_deliveries(self):
        endpoint = self.endpoint()
        for vm in VMS:
            with self.subTest(vm):
                shop = self.shop(
                    handler("loops", "while event.id == 'e1' do pcall(error) end return true"),
                    handler("quick", "return true"), vm=vm)
                shop.webhook("crm", endpoint.url("/ok"))
                worker = shop.start("work")
                shop.accept("e1", "e2")
                shop.run("emit", "event_member_update", "--data", "{}")
                self.wait_states(shop, "quick", e1="done", e2="done")
                self.wait_states(shop, "loops", e1="retrying", e2="done")
                self.assertRegex(shop.tasks("loops")["e1"]["error"],
                                 "^(ran for 50000000 instructions|used the processor for 2000 ms) "
                                 "without waiting$")
                wait_for(lambda: shop.requests("--state", "delivered"), what="the delivery")
                self.stopped(worker)

    def test_a_signal_stops_a_worker_whose_handlers_only_loop(self):
        for vm in VMS:
            with self.subTest(vm):
                shop = self.shop(handler("loops", """
                    io.open("begun", "w"):close()
                    while true do pcall(string.gsub, "x", "x", function() while true do end end) end
                    """, concurrency=64), vm=vm)
                shop.accept(*(f"e{number}" for number in range(20)))
                worker = shop.start_worker()
                wait_for(lambda: os.path.exists(shop.path("begun")), what="the first loop")
                self.stopped(worker)
                states = collections.Counter(shop.states("loops").values())
                self.assertGreater(states["pending"], 0, states) # not begun: given back

    def test_an_error_of_any_kind_ends_its_task_only(self):
        shop = self.shop(handler("raises", """
            if event.id == "e1" then error("mine") elseif event.id == "e2" then error({}) end
            if event.id == "e3" then return end
            return true"""))
        shop.accept("e1", "e2", "e3", "e4")
        shop.handle_until_idle()
        tasks = shop.tasks("raises")
        self.assertEqual(shop.states("raises"), {"e1": "retrying", "e2": "retrying",
                                                 "e3": "failed", "e4": "done"})
        self.assertRegex(tasks["e1"]["error"], r"^handlers/raises.lua:4: mine$")
        self.assertEqual(tasks["e2"]["error"], "a table instead of a message")
        self.assertEqual((tasks["e3"]["reason"], tasks["e3"]["error"]), (
            "refused", "handle returned nothing; it returns true when all is done, or nil and a "
            "message"))

    def test_two_thousand_wait_at_once(self):
        waits = """counter.n = counter.n + 1
            return context.wait(function() return counter.n >= 2000 end, 100000)
              or nil, "only " .. counter.n"""
        counter = 'package.loaded.counter = package.loaded.counter or { n = 0 } ' \
                  'local counter = require("counter")'
        for vm in VMS:
            with self.subTest(vm):
                shop = self.shop(handler("one", waits, counter, concurrency=1024),
                                 handler("two", waits, counter, concurrency=1024), vm=vm)
                shop.accept(*(f"e{number}" for number in range(1000)))
                shop.handle_until_idle()
                for name in ("one", "two"):
                    self.assertEqual(collections.Counter(shop.states(name).values()),
                                     {"done": 1000})


    def test_two_thousand_requests_are_under_way_at_once(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard != resource.RLIM_INFINITY and hard < 4096:
            self.skipTest(f"here a process may have {hard} descriptors, this takes 4096")
        if soft != resource.RLIM_INFINITY and soft < 4096:
            resource.setrlimit(resource.RLIMIT_NOFILE, (4096, hard)) # the worker inherits it
            self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        post = POST.replace("body =", "timeout_ms = 300000, body =")
        with Crowd(2000) as crowd:
            shop = self.shop(handler("one", post % crowd.url(), concurrency=1024),
                             handler("two", post % crowd.url(), concurrency=1024))
            shop.accept(*(f"e{number}" for number in range(1000)))
            shop.handle_until_idle()
        for name in ("one", "two"):
            self.assertEqual(collections.Counter(shop.states(name).values()), {"done": 1000})


class Begin(Handlers):
    def test_a_handler_added_later_starts_where_it_should(self):
        first = handler("first", "return true", **{"from": '"head"'})
        shop = self.shop(first)
        shop.accept("e1")
        shop.handle_until_idle()  # e1 was there before the handler
        shop.accept("e2", "e3")
        shop.handle_until_idle()
        self.assertEqual(shop.states("first"), {"e2": "done", "e3": "done"})
        shop.configure(first, handler("head", "return true", **{"from": '"head"'}),
                       handler("start", "return true"))
        shop.handle_until_idle()
        self.assertEqual(shop.states("head"), {})
        self.assertEqual(shop.states("start"), {"e1": "done", "e2": "done", "e3": "done"})
        shop.accept("e4")
        shop.handle_until_idle()
        self.assertEqual(shop.states("head"), {"e4": "done"})
        self.assertEqual(shop.states("first"), {"e2": "done", "e3": "done", "e4": "done"})

    def test_only_the_types_that_it_names(self):
        shop = self.shop(handler("members", "return true", event_types='{ "category:member" }'))
        shop.accept("e1", event_type="event_member_enrol")
        shop.accept("e2", event_type="event_points_earned")
        shop.handle_until_idle()
        self.assertEqual(shop.states("members"), {"e1": "done"})

    def test_both_vms_hand_over_the_same(self):
        seen = {}
        for vm in VMS:
            shop = self.shop(handler("shows", """
                local json = require("loyalhook.json")
                local file = io.open("seen", "w")
                file:write(json.encode{ id = event.id, source = event.source,
                  event_type = event.event_type, data = event.data, text = tostring(
                  event.data.points), data_json = event.data_json, member_id = event.member_id,
                  key = context.idempotency_key, attempt = context.attempt })
                file:close()
                return true"""), vm=vm)
            shop.accept("e 1/\u00e4")
            shop.handle_until_idle()
            with open(shop.path("seen"), encoding="utf-8") as file:
                seen[vm] = json.load(file)
        self.assertEqual(seen["lua5.4"], seen["luajit"])
        self.assertEqual(seen["luajit"]["key"], "e%201%2F%C3%A4.zinrelo.shows")
        self.assertEqual((seen["luajit"]["text"], seen["luajit"]["member_id"]), ("2", "m-1"))
        self.assertEqual(seen["luajit"]["data_json"],
                         '{"member_info": {"member_id": "m-1"}, "points": 2}')

    def test_a_mistake_shows_when_the_worker_starts(self):
        shop = self.shop()
        shop.write("loyalhook.lua", 'return { handlers = { { file = "handlers/a.lua" } } }')
        for text, wanted in (
                ("return { name = 'a', evnt_types = {} }",
                 'handlers/a.lua: unknown field evnt_types; did you mean "event_types"?'),
                ("return {\n  name = = 'a' }",
                 "handlers[1]: handlers/a.lua:2: unexpected symbol near '='")):
            shop.write("handlers/a.lua", text)
            self.assertIn(wanted, shop.run("work", "--role", "handle", expect=3).err)
        shop.write("loyalhook.lua", "return {}")
        self.assertIn("no handlers are configured",
                      shop.run("work", "--role", "handle", expect=3).err)


class Deaths(Handlers):
    """A worker that dies by kill -9, in the middle of a task."""

    def kill_at_first_credit(self, wallet, worker):
        def on_credit(_):
            wallet.on_credit = lambda key: None
            worker.kill()
            worker.wait()
        wallet.on_credit = on_credit

    def test_between_the_effect_and_its_record_the_wallet_is_credited_once(self):
        for vm in VMS:
            with self.subTest(vm), Wallet() as wallet:
                shop = self.shop(handler("wallet", POST % wallet.url()), vm=vm)
                worker = shop.start_worker()
                self.kill_at_first_credit(wallet, worker)
                shop.accept("e1", "e2")
                worker.wait(timeout=60)
                shop.handle_until_idle()
                self.assertEqual(shop.states("wallet"), {"e1": "done", "e2": "done"})
                self.assertEqual(wallet.credits,
                                 {"e1.zinrelo.wallet": 1, "e2.zinrelo.wallet": 1})
                self.assertGreaterEqual(sum(wallet.asked.values()), 3) # it was asked again

    def test_kills_at_random_moments_lose_nothing_and_credit_nobody_twice(self):
        seed = int(os.environ.get("LOYALHOOK_SEED", str(random.randrange(10 ** 6))))
        chance, ids = random.Random(seed), [f"e{number}" for number in range(300)]
        with self.subTest(LOYALHOOK_SEED=seed), Wallet() as wallet:
            wallet.on_credit = lambda key: time.sleep(0.02)
            shop = self.shop(handler("wallet", POST % wallet.url()))
            shop.accept(*ids)
            for _ in range(int(os.environ.get("LOYALHOOK_KILLS", "12"))):
                worker = shop.start_worker()
                time.sleep(chance.uniform(0.1, 0.5))
                worker.kill()
                worker.communicate()
            shop.handle_until_idle()
            self.assertEqual(shop.states("wallet"), {one: "done" for one in ids})
            self.assertEqual(wallet.credits, {f"{one}.zinrelo.wallet": 1 for one in ids})

    def test_with_fail_it_is_for_a_person_to_decide(self):
        with Wallet() as wallet:
            shop = self.shop(handler("wallet", POST % wallet.url(), when_unknown='"fail"'))
            worker = shop.start_worker()
            self.kill_at_first_credit(wallet, worker)
            shop.accept("e1")
            worker.wait(timeout=60)
            shop.handle_until_idle()
            task = shop.tasks("wallet")["e1"]
            self.assertEqual((task["state"], task["reason"]), ("failed", "unknown"))
            self.assertEqual(wallet.asked, {"e1.zinrelo.wallet": 1})
            shop.run("inbox", "retry", "e1")
            shop.handle_until_idle()
            self.assertEqual(shop.states("wallet"), {"e1": "done"})

    def test_a_half_answer_is_unknown_a_refused_connection_is_not(self):
        endpoint = self.endpoint()
        shop = self.shop(handler("wallet", f"""local url = event.id == "e1"
                and "{endpoint.url('/reset/midheaders')}" or "http://127.0.0.1:1/"
              local answer, message, code = context.http{{ url = url, body = "x" }}
              return nil, code .. ": " .. message""", when_unknown='"fail"'))
        shop.accept("e1", "e2")
        shop.handle_until_idle()
        tasks = shop.tasks("wallet")
        self.assertEqual((tasks["e1"]["state"], tasks["e1"]["reason"]), ("failed", "unknown"))
        self.assertRegex(tasks["e1"]["error"], "^unknown: ")
        self.assertEqual(tasks["e2"]["state"], "retrying")
        self.assertRegex(tasks["e2"]["error"], "^not_sent: ")

    def test_poison_fails_after_three_strikes_and_the_others_go_on(self):
        shop = self.shop(handler("deadly", """
            if event.id == "bad" then
              local pid = io.open("/proc/self/stat"):read("*n")
              os.execute(("kill -9 %d"):format(pid))
            end
            return true"""))
        shop.accept("e1", "bad", "e2")
        deaths = 0
        while True:
            answer = shop.run("work", "--role", "handle", "--until-idle", expect=None)
            if answer.code == 0:
                break
            self.assertEqual(answer.code, -signal.SIGKILL, answer)
            deaths += 1
            self.assertLess(deaths, 6)
        self.assertEqual(deaths, 4)  # once beside others, then three times alone
        self.assertEqual(shop.states("deadly"), {"e1": "done", "bad": "failed", "e2": "done"})
        self.assertEqual(shop.tasks("deadly")["bad"]["reason"], "poison")


class Promises(Handlers):
    def test_one_members_tasks_run_in_order(self):
        endpoint = self.endpoint()
        slow_first = POST % (endpoint.url("/") + '" .. (event.id == "a1" and "delay/400"'
                             ' or "ok") .. "')
        shop = self.shop(handler("serial", slow_first, serial='"member"', concurrency=64))
        shop.accept("a1", "a2", "a3", member="m-1")
        shop.accept("b1", member="m-2")
        shop.handle_until_idle()
        self.assertEqual(set(shop.states("serial").values()), {"done"})
        order = [dict(request["headers"])["Event"] for request in endpoint.entries]
        self.assertEqual([event for event in order if event[0] == "a"], ["a1", "a2", "a3"])
        self.assertLess(order.index("b1"), order.index("a2")) # nobody else's business

    def test_429_lets_the_handler_rest_as_long_as_it_says(self):
        endpoint = self.endpoint()
        endpoint.script("/limited", [{"status": 429, "headers": [["Retry-After", "600"]]}, 200])
        shop = self.shop(handler("limited", POST % endpoint.url("/limited"), concurrency=1),
                         handler("other", POST % endpoint.url("/ok")))
        worker = shop.start_worker()
        shop.accept("e1", "e2")
        self.wait_states(shop, "limited", e1="retrying", e2="pending")
        self.wait_states(shop, "other", e1="done", e2="done")
        task = shop.tasks("limited")["e1"]
        self.assertEqual(task["error"], "answered 429")
        due = time.mktime(time.strptime(task["next_attempt_at"][:19], "%Y-%m-%dT%H:%M:%S"))
        left_s = due - time.mktime(time.gmtime())
        self.assertTrue(500 < left_s <= 662, left_s)
        self.stopped(worker)
        self.assertEqual(len([1 for one in endpoint.entries if one["path"] == "/limited"]), 1)

    def test_a_failure_is_tried_again_and_counted(self):
        endpoint = self.endpoint()
        endpoint.script("/flaky", [500, 200])
        shop = self.shop(handler("flaky", POST % endpoint.url("/flaky")),
                         handler("hopeless", "return nil, 'no', context.attempt == 2 and 'fail' "
                                 "or nil", tries=5))
        shop.accept("e1")
        shop.handle_until_idle()  # what is due later is not waited for
        task = shop.tasks("flaky")["e1"]
        self.assertEqual((task["state"], task["error"], task["attempts_made"]),
                         ("retrying", "answered 500", 1))
        shop.later()
        shop.handle_until_idle()
        task = shop.tasks("flaky")["e1"]
        self.assertEqual((task["state"], task["attempts_made"]), ("done", 2))
        task = shop.tasks("hopeless")["e1"]
        self.assertEqual((task["state"], task["reason"]), ("failed", "refused"))

    def test_a_drain_waits_for_what_runs_and_begins_nothing_new(self):
        endpoint = self.endpoint()
        for vm in VMS:
            with self.subTest(vm):
                shop = self.shop(handler("slow", POST % endpoint.url("/delay/1500"),
                                         concurrency=1), vm=vm)
                shop.accept("e1", "e2")
                worker = shop.start_worker()
                self.wait_states(shop, "slow", e1="running", e2="pending")
                self.stopped(worker)
                self.assertEqual(shop.states("slow"), {"e1": "done", "e2": "pending"})

    def test_private_addresses_are_guarded_as_for_webhooks(self):
        shop = self.shop(handler("guarded", """
            local answer, message, code = context.http{ url = event.id == "e1"
              and "https://127.0.0.1:1/" or "http://example.com/" }
            return nil, code .. ": " .. message, "fail" """), LOYALHOOK_ALLOW_HTTP="",
            LOYALHOOK_ALLOW_NETWORKS="")
        shop.accept("e1", "e2")
        shop.handle_until_idle()
        tasks = shop.tasks("guarded")
        self.assertRegex(tasks["e1"]["error"], "^blocked: .*allow_networks")
        self.assertRegex(tasks["e2"]["error"], "^(blocked|invalid): .*allow_http")

    def test_what_reaches_the_log_and_the_list_is_harmless_and_has_no_token(self):
        shop = self.shop(handler("evil", """
            context.log("info", "see https://example.com/?token=hush \\27[2J", { a = "\\27]0;x" })
            return nil, "\\27[2J https://u:hush@example.com/x?token=hush", "fail" """))
        shop.accept("e1")
        said = shop.handle_until_idle().err
        shown = shop.run("inbox", "list").out + shop.run("inbox", "show", "e1").out
        for text in (said, shown):
            self.assertNotIn("\x1b", text)
            self.assertNotIn("hush", text)
        self.assertIn("https://example.com/x", said)

    def test_json_tells_what_tasks_came_to(self):
        shop = self.shop(handler("mixed", """return event.id == "e1" or nil, "no",
            event.id == "e2" and "fail" or nil"""))
        shop.accept("e1", "e2", "e3")
        answer = shop.run("work", "--role", "handle", "--until-idle", "--json")
        document = answer.json()
        self.assertEqual({name: document[name] for name in
                          ("tasks_done", "tasks_failed", "tasks_retrying")},
                         {"tasks_done": 1, "tasks_failed": 1, "tasks_retrying": 1})
        self.assertRegex(answer.err, r"error: task failed .*event=e2 .*handler=mixed")
        self.assertRegex(answer.err, r"warn: task did not succeed .*event=e3")


class Shared(Handlers):
    """What holds over all workers, with two processes on one store."""

    def test_two_workers_run_no_more_at_once_than_the_handler_allows(self):
        at_once, by, running = [], collections.defaultdict(set), []
        lock, held, release = threading.Lock(), threading.Event(), threading.Event()
        with Wallet() as wallet:
            # The header says who asks, so the effect's key is the event's id and a process.
            shop = self.shop(handler("narrow", POST.replace(
                "context.idempotency_key", 'event.id .. " " .. pid') % wallet.url(),
                'local pid = io.open("/proc/self/stat"):read("*n")', concurrency=2))
            self.addCleanup(release.set) # before the shop closes

            def on_credit(key):
                event, pid = key.split(" ")
                with lock:
                    at_once.append(event)
                    by[event[0]].add(int(pid))
                    running.append(len(at_once))
                if event == "held":
                    held.set()
                    release.wait()
                elif event[0] == "f": # who would allow each process two, has leased two by now
                    running.append(collections.Counter(shop.states("narrow").values())["running"])
                with lock:
                    at_once.remove(event)

            wallet.on_credit = on_credit
            first = shop.start_worker("--drain-grace-s", "600")
            shop.accept("held")
            self.assertTrue(held.wait(60))
            second = shop.start_worker()
            ids = [f"e{number}" for number in range(20)]
            shop.accept(*ids)
            done = {one: "done" for one in ids}
            self.wait_states(shop, "narrow", held="running", **done)
            first.send_signal(signal.SIGTERM) # it begins nothing more, but still has one
            ids = [f"f{number}" for number in range(5)]
            shop.accept(*ids)
            done.update({one: "done" for one in ids})
            self.wait_states(shop, "narrow", held="running", **done)
            release.set()
            out, err = first.communicate(timeout=60)
            self.assertEqual(first.returncode, 0, out + err)
            self.wait_states(shop, "narrow", held="done", **done)
            self.stopped(second)
        self.assertEqual(max(running), 2, running)
        self.assertEqual(by["h"], {first.pid})
        self.assertIn(second.pid, by["f"])

    def test_two_workers_begin_no_more_than_the_rate_allows(self):
        # Three at once, the next one not within the hour.
        shop = self.shop(handler("rare", "return true", rate="{ count = 30, per_s = 86400 }"),
                         handler("free", "return true"))
        first, second = shop.start_worker(), shop.start_worker()

        def seen(name):
            return collections.Counter(shop.states(name).values())["done"]

        shop.accept(*(f"e{number}" for number in range(10)))
        wait_for(lambda: seen("rare") >= 3 and seen("free") == 10, limit_s=60, what="the burst")
        self.stopped(first)
        shop.accept("e10") # the second worker alone has a turn now
        wait_for(lambda: seen("free") == 11, limit_s=60, what="the second worker's turn")
        self.stopped(second)
        self.assertEqual(collections.Counter(shop.states("rare").values()),
                         {"done": 3, "pending": 8})


if __name__ == "__main__":
    unittest.main()
