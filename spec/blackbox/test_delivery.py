"""Delivery as a merchant sees it: the real command line, a real worker, and the misbehaving
endpoint of endpoint.py on the other side. What came over the wire is compared with what the log
says about it.
"""

import base64
import hashlib
import hmac
import json
import os
import re
import signal
import socket
import subprocess
import time
import unittest

from cli import Workshop, stop, wait_for
from endpoint import Endpoint

SECRET = "a secret for tests"
UNFINISHED = ("pending", "sending", "retrying")


def event(number=1, **more):
    return {"event_type": "event_points_earned", **more,
            "data": {"member_info": {"member_id": f"m-{number}"}, "n": number}}


def unfinished(shop):
    """Events that wait to be formed, over all webhooks, and requests not finished. In this order:
    what is formed in between shows as a request."""
    count = 0
    for row in shop.run("webhook", "list", "--json").json()["webhooks"]:
        count += shop.run("stats", "--webhook", row["id"], "--json").json()["waiting"]
    figures = shop.run("stats", "--json").json()["requests"]
    return count + sum(figures[state] for state in UNFINISHED)


def until_finished(shop, limit_s=60):
    wait_for(lambda: unfinished(shop) == 0, limit_s, "every request finished")


def wire_body(entry):
    return base64.b64decode(entry["body"])


def header(entry, name):
    values = [value for given, value in entry["headers"] if given.lower() == name]
    assert len(values) == 1, (name, values)
    return values[0]


class Delivery(unittest.TestCase):
    """A workshop with a store, and an endpoint, for each test."""

    environment = {}

    def setUp(self):
        self.shop = Workshop(**self.environment)
        self.addCleanup(self.shop.close)
        self.endpoint = Endpoint().start()
        self.addCleanup(self.endpoint.stop)
        self.shop.init()

    def webhook(self, path, **fields):
        name = re.sub(r"[^A-Za-z0-9]+", "-", path).strip("-") or "root"
        return self.shop.webhook(name, self.endpoint.url(path), secret=SECRET, **fields)

    def finish_with_worker(self, *options, limit_s=60, **environment):
        worker = self.shop.start("work", *options, **environment)
        until_finished(self.shop, limit_s)
        code, _, err = stop(worker)
        self.assertEqual(code, 0, err)
        return err


# What an endpoint can do, and whether that delivers. Each becomes a webhook; all get one event.
DELIVER = ["ok", "chunked", "no-length", "delay/300", "big/200000", "100then200", "103then200",
           "set-cookie", "echo", "slow-body", "endless-body", "gzip-bomb", "close/midbody",
           "reset/midbody", "same-content-length", "long-header/20000", "close/midchunk"]
FAIL = ["201", "202", "204", "206", "226", "301", "302", "redirect", "303", "304", "307", "308",
        "400", "401", "403", "404", "410", "413", "417", "429", "500", "502", "503", "504",
        "retry-after/0", "reset", "reset/headers", "reset/body", "reset/after", "reset/midheaders",
        "close", "close/headers", "close/midheaders", "hang", "hang/headers", "slow",
        "endless-headers", "endless-1xx", "101", "http09", "status4", "status-short", "status099",
        "garbage"]


class EveryBehaviour(Delivery):
    environment = {"LOYALHOOK_WEBHOOKS_MAX": "200"}

    def test_one_wire_request_an_attempt_and_only_200_delivers(self):
        wanted = {}
        for answer in DELIVER + FAIL:
            row = self.webhook("/" + answer, retries_max=1, retry_interval_s=1, timeout_ms=1500)
            wanted[row["id"]] = answer
        self.shop.emit_lines([event()])
        self.finish_with_worker(limit_s=90)
        self.endpoint.stop()
        log = {wanted[row["webhook_id"]]: row for row in self.shop.requests()}
        self.assertEqual(sorted(log), sorted(wanted.values()))
        for answer in DELIVER + FAIL:
            with self.subTest(answer):
                row, seen = log[answer], self.endpoint.requests("/" + answer)
                delivers = answer in DELIVER
                self.assertEqual(row["state"], "delivered" if delivers else "failed")
                self.assertEqual(row["reason"], None if delivers else "retries_exhausted")
                self.assertEqual(row["attempts_made"], 1 if delivers else 2)
                self.assertEqual(len(seen), row["attempts_made"], seen)
                self.compare_with_wire(row["request_id"], seen)
        # The redirect leads to /ok, which got its own request and no other.

    def compare_with_wire(self, request_id, seen):
        """Same body each time, its own nonce each time, and the nonce that the log shows."""
        attempts = self.shop.request(request_id)["attempts"]
        nonces = [header(entry, "nonce") for entry in seen if entry["headers"]]
        self.assertEqual(len(set(nonces)), len(nonces), "a nonce was used twice")
        self.assertLessEqual(set(nonces), {attempt["nonce"] for attempt in attempts})
        bodies = {entry["sha256"] for entry in seen if entry["complete"]}
        self.assertLessEqual(len(bodies), 1, "the body changed between attempts")
        for attempt in attempts:
            self.assertIn(f":{self.endpoint.port}/", attempt["url"])


class WireFormat(Delivery):
    def test_a_request_is_what_the_vendor_documents(self):
        self.webhook("/ok", header="X-Own: kept")
        ids = self.shop.emit_lines([event(1), event(2)])["ids"]
        before_ms = int(time.time() * 1000)
        self.shop.work_until_idle()
        (entry,) = self.endpoint.requests("/ok")
        body, nonce = wire_body(entry), header(entry, "nonce")
        self.assertEqual(entry["method"], "POST")
        self.assertEqual(header(entry, "content-type"), "application/json")
        self.assertEqual(header(entry, "content-length"), str(len(body)))
        self.assertEqual(header(entry, "x-own"), "kept")
        for unwanted in ("expect", "cookie", "accept-encoding", "authorization"):
            self.assertNotIn(unwanted, [name.lower() for name, _ in entry["headers"]])
        self.assertRegex(nonce, r"^[0-9]{13}$")
        self.assertLess(abs(int(nonce) - before_ms), 10_000)
        signed = hmac.new(SECRET.encode(), body + b":" + nonce.encode(), hashlib.sha512)
        self.assertEqual(header(entry, "x-zinrelo-signature"), signed.hexdigest())
        (row,) = self.shop.requests()
        pattern = (rb'^{"request_id":"%s","total_count":"2","created_date":'
                   rb'"(\d\d/\d\d/\d{4} \d\d:\d\d:\d\d)","events":\[{"id":"%s","event_type":'
                   rb'"event_points_earned","data":(.*)},{"id":"%s","event_type":.*}\]}$')
        found = re.match(pattern % (row["request_id"].encode(), ids[0].encode(), ids[1].encode()),
                         body)
        self.assertTrue(found, body)
        self.assertEqual(json.loads(found.group(2)), event(1)["data"])
        created = time.strptime(found.group(1).decode(), "%m/%d/%Y %H:%M:%S")
        self.assertEqual(time.strftime("%Y-%m-%dT%H:%M:%S", created), row["created_at"][:19])

    def test_odd_but_valid_json_arrives_byte_for_byte(self):
        odd = [
            '{}', '{"a":1e400}', '{"a":-0}', '{"a":1E+2,"b":0.10}', '{"a":1,"a":2}',
            '{"a":12345678901234567890123}', '{"a":"\\u0000\\ud83d\\ude00\\/\\""}', '{"":{"":[]}}',
            '{ "a" :\t[ 1 , 2 ]  }', '{"a":"é積\u2028\u2029\U0001f600\x7f"}', '{"a":[[],{},""]}',
            '{"a":9007199254740993}', '{"a":0.1000000000000000055511151231257827}',
            '{"a":' + "[" * 62 + "]" * 62 + "}", '{"\\u0061":true,"a":null}',
            '{"a":"' + "x" * 60000 + '"}', '{"member_info":{"member_id":12345678901234567890}}',
            '{"events":[{"id":"x","data":{}}],"total_count":"9"}', '{"a":"]}\\"},{"}',
        ]
        self.webhook("/ok", batch_size=1)
        document = self.shop.emit_lines([
            f'{{"event_type":"event_member_update","data":{text}}}' for text in odd])
        self.assertEqual(len(document["ids"]), len(odd), document.get("refused"))
        self.shop.work_until_idle()
        came = {}
        for entry in self.endpoint.requests("/ok"):
            body = wire_body(entry)
            found = re.match(rb'^{.*?"events":\[{"id":"([0-9a-f]{24})","event_type":'
                             rb'"event_member_update","data":(.*)}\]}$', body, re.S)
            came[found.group(1).decode()] = found.group(2)
        for event_id, text in zip(document["ids"], odd):
            with self.subTest(text[:60]):
                self.assertEqual(came.get(event_id), text.encode())

    def test_the_body_stays_and_the_nonce_changes_over_retries(self):
        self.webhook("/hook", retry_interval_s=1)
        self.endpoint.script("/hook", [500, "reset", 200])
        self.shop.emit_lines([event()])
        self.finish_with_worker()
        seen = self.endpoint.requests("/hook")
        self.assertEqual(len(seen), 3)
        self.assertEqual(len({wire_body(entry) for entry in seen}), 1)
        self.assertEqual(len({header(entry, "nonce") for entry in seen}), 3)
        for before, after in zip(seen, seen[1:]):
            self.assertGreaterEqual(after["time"] - before["time"], 0.999, "came too early")
        (row,) = self.shop.requests()
        self.assertEqual((row["state"], row["attempts_made"]), ("delivered", 3))
        attempts = self.shop.request(row["request_id"])["attempts"]
        self.assertEqual([attempt["number"] for attempt in attempts], [1, 2, 3])
        self.assertEqual([attempt["status"] for attempt in attempts], [500, None, 200])
        self.assertEqual([attempt["nonce"] for attempt in attempts],
                         [header(entry, "nonce") for entry in seen])

    def test_a_request_without_a_whole_upload_is_not_delivered(self):
        # Small segments and buffers, on both sides of the loopback: a large body cannot be on its
        # way as a whole when the answer comes.
        self.endpoint.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.endpoint.listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        self.webhook("/early200/noread", retries_max=0, timeout_ms=1500, batch_size=1)
        self.shop.emit_lines(['{"event_type":"event_member_update","data":{"a":"%s"}}'
                              % ("x" * 1_000_000)])
        self.finish_with_worker()
        (row,) = self.shop.requests()
        self.assertEqual((row["state"], row["attempts_made"]), ("failed", 1))
        self.assertEqual(len(self.endpoint.requests()), 1)

    def test_a_connection_that_dies_on_reuse_costs_an_attempt_not_a_second_request(self):
        self.webhook("/hook", retry_interval_s=1, max_in_flight=1, batch_size=1)
        self.endpoint.script("/hook", ["die-after-keepalive", "ok"])
        self.shop.emit_lines([event(number) for number in range(3)])
        self.finish_with_worker()
        rows = self.shop.requests()
        self.assertEqual([row["state"] for row in rows], ["delivered"] * 3)
        made = sum(row["attempts_made"] for row in rows)
        self.assertEqual(len(self.endpoint.requests("/hook")), made)
        self.assertEqual(made, 4, "the first connection dies with the second request on it")


class Everything(Delivery):
    def test_10007_events_arrive_once_each_in_order(self):
        count, size = 10_007, 7
        self.webhook("/ok", batch_size=size, event_types=("category:transaction",))
        workers = [self.shop.start("work") for _ in range(2)]
        ids = self.shop.emit_lines([event(number) for number in range(count)])["ids"]
        self.assertEqual(len(set(ids)), count)
        until_finished(self.shop, 120)
        for worker in workers:
            code, _, err = stop(worker)
            self.assertEqual(code, 0, err)
        place = {event_id: number for number, event_id in enumerate(ids)}
        came = []
        for entry in self.endpoint.requests("/ok"):
            document = json.loads(wire_body(entry))
            self.assertEqual(document["total_count"], str(len(document["events"])))
            self.assertLessEqual(len(document["events"]), size)
            places = [place[one["id"]] for one in document["events"]]
            self.assertEqual(places, list(range(places[0], places[0] + len(places))))
            for one in document["events"]:
                self.assertEqual(one["data"]["n"], place[one["id"]])
            came += places
        self.assertEqual(sorted(came), list(range(count)))
        self.assertEqual(sum(row["total_count"] for row in self.shop.requests()), count)

    def test_a_hanging_webhook_does_not_hold_up_another(self):
        self.webhook("/hang", timeout_ms=20000, batch_size=1000)
        self.webhook("/ok", batch_size=1)
        self.shop.emit_lines([event(number) for number in range(200)])
        worker = self.shop.start("work")
        self.assertEqual(len(self.endpoint.wait(200, "/ok", timeout=10)), 200)
        self.assertEqual(len(self.endpoint.requests("/hang")), 1)
        worker.kill()


class OwnShortage(Delivery):
    def test_no_descriptors_left_burns_no_attempt(self):
        self.webhook("/delay/700", batch_size=1, max_in_flight=200)
        ids = self.shop.emit_lines([event(number) for number in range(100)])["ids"]
        worker = self.shop.start("work", "--concurrency", "200",
                                 wrap=["prlimit", "--nofile=40:40", "--"])
        until_finished(self.shop, 90)
        code, _, err = stop(worker)
        self.assertEqual(code, 0)
        self.assertIn("shortage", err, "there were enough descriptors: the test shows nothing")
        rows = self.shop.requests()
        self.assertEqual({row["state"] for row in rows}, {"delivered"})
        self.assertEqual({row["attempts_made"] for row in rows}, {1})
        self.assertEqual(len(self.endpoint.requests()), len(ids))


class Stopping(Delivery):
    def start_and_wait(self, path, **environment):
        worker = self.shop.start("work", **environment)
        self.assertEqual(len(self.endpoint.wait(1, path)), 1)
        return worker

    def test_sigterm_finishes_what_flies_and_begins_nothing(self):
        self.webhook("/hook", batch_size=1, max_in_flight=1)
        self.endpoint.script("/hook", ["delay/1500", "ok"])
        self.shop.emit_lines([event(1), event(2)])
        worker = self.start_and_wait("/hook")
        code, _, err = stop(worker)
        self.assertEqual(code, 0, err)
        self.assertEqual(len(self.endpoint.requests("/hook")), 1)
        (row,) = self.shop.requests()
        self.assertEqual((row["state"], row["attempts_made"]), ("delivered", 1))
        self.shop.work_until_idle()
        self.assertEqual(len(self.endpoint.requests("/hook")), 2)
        self.assertEqual([row["state"] for row in self.shop.requests()], ["delivered"] * 2)

    def test_the_grace_ends_and_the_attempt_counts_as_lost(self):
        self.webhook("/hook", retry_interval_s=1)
        self.endpoint.script("/hook", ["hang", "ok"])
        self.shop.emit_lines([event()])
        worker = self.start_and_wait("/hook", LOYALHOOK_DRAIN_GRACE_S="1")
        start = time.monotonic()
        code, _, err = stop(worker)
        self.assertEqual(code, 0, err)
        self.assertLess(time.monotonic() - start, 10)
        (row,) = self.shop.requests()
        self.assertEqual((row["state"], row["attempts_made"]), ("retrying", 1))
        self.finish_with_worker()
        (row,) = self.shop.requests()
        self.assertEqual((row["state"], row["attempts_made"]), ("delivered", 2))
        self.assertEqual(len(self.endpoint.requests("/hook")), 2)

    def test_a_second_signal_ends_it_at_once(self):
        self.webhook("/hook", retry_interval_s=1)
        self.endpoint.script("/hook", ["hang", "ok"])
        self.shop.emit_lines([event()])
        worker = self.start_and_wait("/hook")
        worker.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        self.assertIsNone(worker.poll(), "the first signal waits for what is in flight")
        start = time.monotonic()
        code, _, _ = stop(worker)
        self.assertLess(time.monotonic() - start, 2)
        self.assertEqual(code, -signal.SIGTERM)
        self.finish_with_worker()
        (row,) = self.shop.requests()
        self.assertEqual((row["state"], row["attempts_made"]), ("delivered", 2))

    def test_ctrl_c_drains_and_says_so_by_its_exit_code(self):
        self.webhook("/hook")
        self.endpoint.script("/hook", ["delay/500"])
        self.shop.emit_lines([event()])
        worker = self.start_and_wait("/hook")
        code, _, err = stop(worker, how=signal.SIGINT)
        self.assertEqual(code, 130, err)
        self.assertEqual([row["state"] for row in self.shop.requests()], ["delivered"])

    def test_a_closed_terminal_drains_however_often_it_says_so(self):
        # Whoever runs the tests with nohup has it ignored, and a worker leaves that so.
        self.addCleanup(signal.signal, signal.SIGHUP, signal.signal(signal.SIGHUP, signal.SIG_DFL))
        self.webhook("/hook")
        self.endpoint.script("/hook", ["delay/500"])
        self.shop.emit_lines([event()])
        worker = self.start_and_wait("/hook")
        worker.send_signal(signal.SIGHUP)
        time.sleep(0.1)
        code, _, err = stop(worker, how=signal.SIGHUP)
        self.assertEqual(code, 0, err)
        self.assertIn("draining signal=SIGHUP", err)
        self.assertEqual([row["state"] for row in self.shop.requests()], ["delivered"])


class Unreachable(Delivery):
    def single(self, url, **fields):
        """One event to one webhook that will not get it; the log's row and its only attempt."""
        self.shop.webhook("w", url, secret=SECRET, retries_max=0, timeout_ms=2000, **fields)
        self.shop.emit_lines([event()])
        self.finish_with_worker()
        (row,) = self.shop.requests()
        (attempt,) = self.shop.request(row["request_id"])["attempts"]
        self.assertEqual((row["state"], row["reason"], attempt["status"]),
                         ("failed", "retries_exhausted", None))
        return attempt

    def test_nobody_listens(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.assertIn(f"127.0.0.1 port {port}", self.single(f"http://127.0.0.1:{port}/")["error"])

    def test_connections_are_reset_at_once(self):
        self.endpoint.accept(["reset"])
        self.single(self.endpoint.url("/ok"))

    def test_a_name_that_does_not_exist(self):
        self.assertIn("nosuchname.invalid", self.single("http://nosuchname.invalid/")["error"])

    def test_plain_http_where_tls_is_expected(self):
        self.single(self.endpoint.url("/ok").replace("http:", "https:"))
        self.assertEqual([entry for entry in self.endpoint.requests() if entry["complete"]], [])


class Guarded(Delivery):
    """What the address guard refuses, without the exceptions of the other tests."""

    def test_a_name_that_leads_home_fails_and_names_the_setting(self):
        url = self.endpoint.url("/ok").replace("127.0.0.1", "localhost")
        self.shop.webhook("w", url, secret=SECRET, retries_max=0)
        self.shop.emit_lines([event()])
        worker = self.shop.start("work", LOYALHOOK_ALLOW_NETWORKS="10.0.0.0/8")
        until_finished(self.shop)
        stop(worker)
        (row,) = self.shop.requests()
        (attempt,) = self.shop.request(row["request_id"])["attempts"]
        self.assertEqual(row["state"], "failed")
        self.assertIn("allow_networks", attempt["error"].lower())
        self.assertEqual(self.endpoint.requests(), [])

    def test_a_forbidden_address_or_scheme_is_no_webhook(self):
        cases = [("http://127.0.0.1/", {"LOYALHOOK_ALLOW_NETWORKS": ""}, "allow_networks"),
                 ("http://example.com/", {"LOYALHOOK_ALLOW_HTTP": "0"}, "allow_http"),
                 ("https://[::1]/", {}, "allow_networks"), ("https://169.254.169.254/", {},
                                                            "allow_networks"),
                 ("ftp://example.com/", {}, "url"), ("https://user@example.com/", {}, "url")]
        for url, environment, word in cases:
            with self.subTest(url):
                answer = self.shop.run("webhook", "create", "--name", "w", "--url", url,
                                       "--event-type", "*", expect=5, **environment)
                self.assertIn(word, answer.err.lower())
                self.assertEqual(len(answer.err.strip().splitlines()), 1)
        self.assertEqual(self.shop.run("webhook", "list", "--json").json()["webhooks"], [])


class Tls(Delivery):
    @classmethod
    def setUpClass(cls):
        cls.keys = Workshop()
        cls.addClassCleanup(cls.keys.close)
        cls.cert, cls.key = cls.keys.path("cert.pem"), cls.keys.path("key.pem")
        cls.make(cls.cert, cls.key, "IP:127.0.0.1,DNS:localhost")
        cls.other_cert, cls.other_key = cls.keys.path("other.pem"), cls.keys.path("other.key")
        cls.make(cls.other_cert, cls.other_key, "DNS:somebody.example")

    @staticmethod
    def make(cert, key, names):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=test",
                        "-addext", f"subjectAltName={names}", "-keyout", key, "-out", cert],
                       check=True, capture_output=True)

    def deliver(self, cert, key, ca_file, **options):
        with Endpoint(tls=(cert, key), **options) as endpoint:
            self.shop.webhook("w", endpoint.url("/ok"), secret=SECRET, retries_max=0)
            self.shop.emit_lines([event()])
            self.finish_with_worker(LOYALHOOK_CA_FILE=ca_file)
            (row,) = self.shop.requests()
            return row["state"], len(endpoint.requests())

    def test_a_trusted_certificate_delivers(self):
        self.assertEqual(self.deliver(self.cert, self.key, self.cert), ("delivered", 1))

    def test_an_unknown_issuer_fails_before_the_first_byte(self):
        self.assertEqual(self.deliver(self.cert, self.key, self.other_cert), ("failed", 0))

    def test_another_name_fails_before_the_first_byte(self):
        self.assertEqual(self.deliver(self.other_cert, self.other_key, self.other_cert),
                         ("failed", 0))

    def test_an_old_protocol_fails_before_the_first_byte(self):
        try:
            result = self.deliver(self.cert, self.key, self.cert, tls_max="TLSv1_1")
        except ValueError as error:
            self.skipTest(f"this Python offers no TLS 1.1: {error}")
        self.assertEqual(result, ("failed", 0))


if __name__ == "__main__":
    unittest.main()
