"""The receiver under load, and when things break under it: copies of one request in parallel, nginx
killed or reloaded, a store that does not answer. What was answered 200 is in the inbox.
"""

import collections
import concurrent.futures
import fcntl
import http.client
import os
import signal
import socket
import threading
import time
import unittest

from cli import wait_for
from receiving import SECRET, Receiving, envelope, signed

RELOAD_S = float(os.environ.get("LOYALHOOK_SPEC_RELOAD_S", "6")) # a campaign: 60


class Client:
    """Posts batches of three events on connections it keeps as long as it may, until it is told to
    stop. Notes every answer, and the ids of what was answered 200."""

    def __init__(self, web, name, padding=0):
        self.web, self.name, self.padding = web, name, padding
        self.answers, self.taken, self.sent = collections.Counter(), [], []
        self.broken = [] # what became of a connection that gave no answer
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        number, wire = 0, None
        while not self.stopping.is_set():
            ids = [f"{self.name}-{number}-{part}" for part in "abc"]
            number += 1
            body = envelope(ids, self.padding)
            self.sent.append(ids)
            try:
                if wire is None:
                    wire = http.client.HTTPConnection("127.0.0.1", self.web.port, timeout=60)
                    wire.connect()
                status = self._post(wire, body, ids)
                if status is None:
                    wire.close()
                    wire = None
            except (OSError, http.client.HTTPException) as problem:
                self.broken.append(problem)
                wire = None
                time.sleep(0.005) # nobody listens for a moment
        if wire:
            wire.close()

    def _post(self, wire, body, ids):
        wire.request("POST", "/zinrelo", body, signed(body))
        answer = wire.getresponse()
        answer.read()
        self.answers[answer.status] += 1
        if answer.status == 200:
            self.taken += ids
        return None if answer.will_close else answer.status

    def stop(self):
        self.stopping.set()
        self.thread.join(90)
        assert not self.thread.is_alive()


def taken_in(web):
    """How many requests wait for the store, or are in a task that does."""
    return int(web.get("/figures").split()[2])


def processes_of(web):
    """The ids of nginx's master and its workers."""
    with open(os.path.join(web.nginx.folder, "nginx.pid")) as file:
        master = int(file.read())
    with open(f"/proc/{master}/task/{master}/children") as file:
        return master, [int(pid) for pid in file.read().split()]


class Copies(unittest.TestCase):
    def test_fifty_copies_on_eight_workers_are_one_event_also_after_a_restart(self):
        with Receiving(workers=8) as web:
            body = envelope(["one", "two"])
            headers = signed(body)

            def copies():
                with concurrent.futures.ThreadPoolExecutor(50) as pool:
                    return list(pool.map(lambda _: web.post(body, headers), range(50)))
            first = copies()
            self.assertEqual({status for status, _ in first}, {200})
            self.assertEqual(sum(answer["added"] for _, answer in first), 2)
            with Receiving(workers=8, shop=web.shop) as again:
                web, old = again, web
                old.nginx.close()
                self.assertEqual({(status, answer["added"]) for status, answer in copies()},
                                 {(200, 0)})
            self.assertEqual(web.inbox(), ["zinrelo one", "zinrelo two"])

    def test_concurrent_requests_share_commits(self):
        with Receiving(workers=1) as web:
            # While the store is held, requests gather; then they go together.
            with open(web.store + ".lock", "rb") as lock:
                self.assertEqual(web.post(envelope(["first"]))[0], 200)
                fcntl.flock(lock, fcntl.LOCK_EX)
                with concurrent.futures.ThreadPoolExecutor(100) as pool:
                    answers = [pool.submit(web.post, envelope([f"e{number}"]))
                               for number in range(100)]
                    wait_for(lambda: taken_in(web) == 100, 20, "requests")
                    fcntl.flock(lock, fcntl.LOCK_UN)
                    self.assertEqual({answer.result()[0] for answer in answers}, {200})
            tasks, items, waiting = map(int, web.get("/figures").split())
            self.assertEqual((items, waiting), (101, 0))
            self.assertLessEqual(tasks, 5)
            self.assertEqual(len(web.inbox()), 101)


class Killed(unittest.TestCase):
    def test_what_was_answered_200_outlives_kill_9_of_all_of_nginx(self):
        with Receiving(workers=2) as web:
            clients = [Client(web, f"c{number}", 200 if number else 70_000)
                       for number in range(16)]
            killed = 0
            for round_number in range(3):
                wait_for(lambda: sum(client.answers[200] for client in clients)
                         > 60 * (round_number + 1), 60, "load")
                master, workers = processes_of(web)
                for pid in [master, *workers]:
                    os.kill(pid, signal.SIGKILL)
                    killed += 1
                wait_for(lambda: not any(os.path.exists(f"/proc/{pid}/exe") and
                                         os.access(f"/proc/{pid}/exe", os.R_OK)
                                         for pid in [master, *workers]), 10, "their end")
                wait_for(web.nginx._start, 20, "nginx again")
            for client in clients:
                client.stop()
            self.whole_and_there(web, clients)
            self.assertGreaterEqual(killed, 9)
            self.assertEqual(web.shop.run("doctor", "--full", expect=None).code, 0)

    def whole_and_there(self, web, clients):
        kept = [line.split(" ", 1)[1] for line in web.inbox()]
        there = set(kept)
        self.assertEqual(len(kept), len(there))
        for client in clients:
            self.assertFalse(set(client.taken) - there)
            self.assertFalse(set(client.answers) - {200})
            for ids in client.sent:
                self.assertIn(len(there & set(ids)), (0, 3), "a batch is whole or not there")


class Reloaded(unittest.TestCase):
    def test_every_client_gets_an_answer_while_nginx_reloads_and_nothing_is_lost(self):
        with Receiving(workers=2) as web:
            # A new connection each: on one that is kept, a request may meet the worker's farewell.
            clients = [Client(web, f"c{number}") for number in range(8)]
            for client in clients:
                client._post = lambda wire, body, ids, client=client: self.once(client, wire, body,
                                                                                ids)
            end = time.monotonic() + RELOAD_S
            reloads = 0
            while time.monotonic() < end or reloads < 3:
                time.sleep(min(1.0, RELOAD_S / 6))
                web.nginx.signal("reload")
                reloads += 1
            for client in clients:
                client.stop()
            self.assertEqual([client.broken for client in clients], [[]] * 8)
            there = {line.split(" ", 1)[1] for line in web.inbox()}
            for client in clients:
                self.assertEqual(set(client.answers), {200})
                self.assertEqual(len(client.taken), 3 * len(client.sent))
                self.assertFalse(set(client.taken) - there)
            self.assertNotIn("[alert]", web.nginx.errors())
            self.assertNotIn("signal 11", web.nginx.errors())

    def once(self, client, wire, body, ids):
        wire.request("POST", "/zinrelo", body, {**signed(body), "Connection": "close"})
        answer = wire.getresponse()
        answer.read()
        client.answers[answer.status] += 1
        if answer.status == 200:
            client.taken += ids
        return None

    def test_requests_that_wait_for_the_store_are_answered_by_a_worker_told_to_quit(self):
        for word in ("reload", "quit"):
            with Receiving(workers=1) as web:
                self.assertEqual(web.post(envelope(["first"]))[0], 200)
                _, workers = processes_of(web)
                with open(web.store + ".lock", "rb") as lock, \
                        concurrent.futures.ThreadPoolExecutor(20) as pool:
                    fcntl.flock(lock, fcntl.LOCK_EX)
                    bodies = [envelope([f"e{number}"], 70_000 * (number % 2))
                              for number in range(20)]
                    answers = [pool.submit(web.post, body) for body in bodies]
                    wait_for(lambda: taken_in(web) == 20, 20, "requests")
                    web.nginx.signal(word)
                    time.sleep(0.5) # for whoever would leave too early
                    fcntl.flock(lock, fcntl.LOCK_UN)
                    self.assertEqual({answer.result()[0] for answer in answers}, {200})
                wait_for(lambda: not os.path.exists(f"/proc/{workers[0]}"), 20, "its end")
                self.assertEqual(len(web.inbox()), 21)
                if word == "quit":
                    web.nginx.running = False


class Overloaded(unittest.TestCase):
    def test_too_many_waiting_requests_get_503_and_nginx_lives(self):
        with Receiving(workers=1, options="waiting_max = 20, wait_s = 20,") as web:
            self.assertEqual(web.post(envelope(["first"]))[0], 200)
            _, workers = processes_of(web)
            with open(web.store + ".lock", "rb") as lock, \
                    concurrent.futures.ThreadPoolExecutor(200) as pool:
                fcntl.flock(lock, fcntl.LOCK_EX)
                answers = [pool.submit(web.post, envelope([f"e{number}"]))
                           for number in range(200)]
                wait_for(lambda: sum(answer.done() for answer in answers) >= 178, 20, "refusals")
                self.assertEqual(web.get("/ping"), "pong")
                body = envelope(["late"])
                lines = "".join(f"{name}: {value}\r\n" for name, value in signed(body).items())
                status, answer, head = web.raw((f"POST /zinrelo HTTP/1.1\r\nHost: here\r\n"
                                                f"Connection: close\r\n{lines}"
                                                f"Content-Length: {len(body)}\r\n\r\n").encode()
                                               + body)
                self.assertEqual((status, answer["error"]["code"]), (503, "unavailable"))
                self.assertIn("Retry-After: ", head)
                fcntl.flock(lock, fcntl.LOCK_UN)
                told = collections.Counter(answer.result()[0] for answer in answers)
            self.assertEqual(set(told), {200, 503})
            self.assertGreaterEqual(told[200], 20)
            self.assertEqual(len(web.inbox()), told[200] + 1)
            self.assertEqual(processes_of(web)[1], workers)
            self.assertEqual(web.post(envelope(["after"]))[0], 200)

    def test_a_store_that_does_not_answer_in_time_gives_503_and_recovers(self):
        with Receiving(workers=1, options="wait_s = 0.3,") as web:
            self.assertEqual(web.post(envelope(["first"]))[0], 200)
            with open(web.store + ".lock", "rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                for number in range(6):
                    self.assertEqual(web.post(envelope([f"e{number}"]))[0], 503)
                fcntl.flock(lock, fcntl.LOCK_UN)
            wait_for(lambda: web.post(envelope(["e0", "last"]))[0] == 200, 20, "recovery")
            self.assertIn("zinrelo last", web.inbox())

    def test_others_do_not_notice_that_the_store_is_held(self):
        with Receiving(workers=1) as web:
            self.assertEqual(web.post(envelope(["first"]))[0], 200)
            with open(web.store + ".lock", "rb") as lock, \
                    concurrent.futures.ThreadPoolExecutor(20) as pool:
                fcntl.flock(lock, fcntl.LOCK_EX)
                answers = [pool.submit(web.post, envelope([f"e{number}"], 900_000))
                           for number in range(20)]
                wait_for(lambda: taken_in(web) == 20, 20, "requests")
                for _ in range(100): # all of them while not one of the others is answered
                    self.assertEqual(web.get("/ping"), "pong")
                self.assertFalse(any(answer.done() for answer in answers))
                fcntl.flock(lock, fcntl.LOCK_UN)
                self.assertEqual({answer.result()[0] for answer in answers}, {200})

    def test_clients_that_go_away_take_nobody_along(self):
        with Receiving(workers=1, server="lua_check_client_abort on;") as web:
            self.assertEqual(web.post(envelope(["first"]))[0], 200)
            with open(web.store + ".lock", "rb") as lock, \
                    concurrent.futures.ThreadPoolExecutor(20) as pool:
                fcntl.flock(lock, fcntl.LOCK_EX)
                wires = []
                for number in range(20):
                    body = envelope([f"gone{number}"], 70_000 * (number % 2))
                    wire = socket.create_connection(("127.0.0.1", web.port))
                    lines = "".join(f"{name}: {value}\r\n" for name, value in signed(body).items())
                    wire.sendall((f"POST /zinrelo HTTP/1.1\r\nHost: here\r\n{lines}"
                                  f"Content-Length: {len(body)}\r\n\r\n").encode() + body)
                    wires.append(wire)
                wait_for(lambda: taken_in(web) == 20, 20, "requests")
                answers = [pool.submit(web.post, envelope([f"e{number}"])) for number in range(20)]
                wait_for(lambda: taken_in(web) == 40, 20, "requests")
                for wire in wires:
                    wire.close()
                time.sleep(0.2)
                fcntl.flock(lock, fcntl.LOCK_UN)
                self.assertEqual({answer.result()[0] for answer in answers}, {200})
            self.assertEqual(web.post(envelope(["after"]))[0], 200)


class Misconfigured(unittest.TestCase):
    def test_timers_that_nginx_does_not_run_cost_time_and_not_answers(self):
        hog = """location = /hog { content_by_lua_block {
                   for _ = 1, 2 do ngx.timer.at(0, function() ngx.sleep(3) end) end } }"""
        with Receiving(server=hog, http="lua_max_running_timers 2;") as web:
            web.get("/hog")
            self.assertEqual(web.post(envelope(["e1"]))[0], 200)
            self.assertTrue(self.line(web, "raise lua_max_running_timers"), web.nginx.errors())
            self.assertEqual(web.post(envelope(["e2"]))[0], 200)

    def test_no_secret_no_service(self):
        late = """late = assert(loyalhook.receiver{ store = "sqlite:@STORE@", sources = {
                    zinrelo = { secret_files = { "@STORE@.secret" } } } })
                  for _, sources in ipairs{ { zinrelo = {} }, { zinrelo = { secrets = {} } },
                      { zinrelo = { secrets = { "" } } } } do
                    assert(not loyalhook.receiver{ sources = sources })
                  end"""
        server = "location = /late { content_by_lua_block { loyalhook.receive(late, 'zinrelo') } }"
        with Receiving(workers=2, init=late, server=server) as web:
            for headers in (None, {}):
                self.assertEqual(web.post(envelope(["e1"]), headers, "late")[0], 503)
            self.assertTrue(self.line(web, "secret cannot be read"))
            with open(web.store + ".secret", "w") as file:
                file.write(SECRET + "\n")
            wait_for(lambda: web.post(envelope(["e2"]), None, "late")[0] == 200, 20, "the secret")
            self.assertEqual(web.post(envelope(["e3"]), {}, "late")[0], 401)
            self.assertNotIn(SECRET, web.nginx.errors())
            self.assertEqual(web.inbox(), ["zinrelo e2"])

    def line(self, web, text):
        return [line for line in web.nginx.errors().splitlines() if text in line]

    def test_a_missing_thread_pool_is_named_once(self):
        with Receiving(main="") as web:
            for _ in range(3):
                self.assertEqual(web.post(envelope(["e1"]))[0], 503)
            self.assertEqual(len(self.line(web, "thread_pool loyalhook threads=4;")), 1,
                             web.nginx.errors())

    def test_too_few_vms_give_503_and_say_what_to_raise(self):
        with Receiving(vms=1) as web:
            self.assertEqual(web.post(envelope(["first"]))[0], 200)
            with open(web.store + ".lock", "rb") as lock, \
                    concurrent.futures.ThreadPoolExecutor(2) as pool:
                fcntl.flock(lock, fcntl.LOCK_EX)
                one = pool.submit(web.post, envelope(["one"]))
                wait_for(lambda: taken_in(web) == 1, 20, "the first task")
                time.sleep(0.1) # after which a second one is tried
                self.assertEqual(web.post(envelope(["two"]))[0], 503)
                fcntl.flock(lock, fcntl.LOCK_UN)
                self.assertEqual(one.result()[0], 200)
            self.assertEqual(web.post(envelope(["two"]))[0], 200)
            self.assertEqual(len(self.line(web, "lua_worker_thread_vm_pool_size")), 1)

    def test_a_store_that_is_not_there(self):
        with Receiving(create=False) as web:
            status, answer = web.post(envelope(["e1"]))
            self.assertEqual((status, answer["error"]["code"]), (503, "unavailable"))
            self.assertNotIn(web.shop.folder, str(answer))
            self.assertTrue(self.line(web, "store_missing"), web.nginx.errors())
            web.shop.init() # and it is found without a restart
            self.assertEqual(web.post(envelope(["e1"]))[0], 200)


if __name__ == "__main__":
    unittest.main()
