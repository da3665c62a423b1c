"""The receiver in a real nginx: what it takes, what it refuses, and what the inbox holds then."""

import concurrent.futures
import gzip
import json
import shutil
import subprocess
import time
import unittest

from receiving import OLD, Receiving, envelope, signed


def head(body, headers, path="/zinrelo", version="1.1", length=True):
    """A request's bytes with header lines exactly as given (a list of pairs, or a dictionary)."""
    pairs = headers.items() if isinstance(headers, dict) else headers
    lines = [f"POST {path} HTTP/{version}", "Host: here", "Connection: close"]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    lines += [f"{name}: {value}" for name, value in pairs]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


def chunked(body, size):
    parts = [body[at:at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


class Taking(unittest.TestCase):
    """Requests that are good, whatever way they come."""

    @classmethod
    def setUpClass(cls):
        cls.web = Receiving(workers=2)
        cls.addClassCleanup(cls.web.close)

    def taken(self, count, result):
        self.assertEqual(result[:2], (200, {"events": count, "added": count}),
                         self.web.nginx.errors())

    def test_events_are_in_the_inbox_once_the_answer_is_there(self):
        self.taken(2, self.web.post(envelope(["a-1", "a-2"])))
        self.assertEqual([line for line in self.web.inbox() if " a-" in line],
                         ["zinrelo a-1", "zinrelo a-2"])

    def test_the_older_secret_too(self):
        body = envelope(["b-1"])
        self.taken(1, self.web.post(body, signed(body, OLD)))

    def test_no_events_at_all(self):
        self.taken(0, self.web.post(envelope([])))

    def test_bodies_of_every_size(self):
        sizes = [0, 16_000, 17_000, 65_000, 70_000, 200_000, 1_100_000, 5_000_000]
        for number, size in enumerate(sizes): # an event has at most 1 MiB: many make the rest
            ids = [f"c-{number}-{part}" for part in range(1 + size // 900_000)]
            bodies = [envelope([event_id], min(size, 900_000)) for event_id in ids]
            body = bodies[0]
            if len(ids) > 1:
                whole = json.loads(bodies[0])
                whole["events"] = [json.loads(part)["events"][0] for part in bodies]
                body = json.dumps(whole).encode()
            self.taken(len(ids), self.web.post(body))
            self.taken(len(ids), self.web.raw(
                head(body, [("Transfer-Encoding", "chunked"), *signed(body).items()],
                     path="/other", length=False) + chunked(body, 100_000)))

    def test_the_largest_body_there_may_be(self):
        body = envelope([])
        body = body[:-1] + b',"more":"' + b"x" * (10 * 1024 * 1024 - len(body) - 10) + b'"}'
        self.assertEqual(len(body), 10 * 1024 * 1024)
        self.taken(0, self.web.post(body))
        self.assertEqual(self.web.post(body + b" ")[0], 413)

    def test_http_1_0_and_many_headers(self):
        body = envelope(["d-1"])
        self.taken(1, self.web.raw(head(body, signed(body), version="1.0") + body))
        body = envelope(["d-2"])
        many = [(f"x-more-{number}", "v") for number in range(150)]
        self.taken(1, self.web.raw(head(body, many + list(signed(body).items())) + body))

    def test_http_2_with_and_without_a_length(self):
        if not shutil.which("curl"):
            self.skipTest("there is no curl")
        with Receiving(listen=" http2") as web:
            for number, size in enumerate([0, 100_000, 900_000]):
                for way in (["--data-binary", "@-"], ["-X", "POST", "-T", "-"]):
                    body = envelope([f"h-{number}-{len(way)}"], size)
                    lines = [word for name, value in signed(body).items()
                             for word in ("-H", f"{name}: {value}")]
                    said = subprocess.run(["curl", "-sS", "--http2-prior-knowledge", *lines, *way,
                                           web.url + "/zinrelo"], input=body, check=True,
                                          capture_output=True).stdout
                    self.assertEqual(json.loads(said), {"events": 1, "added": 1})

    def test_names_in_any_case_and_white_space(self):
        body = envelope(["e-1"])
        spelt = [(name.upper(), f" \t{value} ") for name, value in signed(body).items()]
        self.taken(1, self.web.raw(head(body, spelt) + body))

    def test_the_same_id_in_two_requests_and_from_two_sources(self):
        self.assertEqual(self.web.post(envelope(["f-1", "f-2"]))[1], {"events": 2, "added": 2})
        self.assertEqual(self.web.post(envelope(["f-2", "f-3"]))[1], {"events": 2, "added": 1})
        self.assertEqual(self.web.post(envelope(["f-1"]), source="other")[1],
                         {"events": 1, "added": 1})
        self.assertEqual([line for line in self.web.inbox() if " f-" in line],
                         ["zinrelo f-1", "zinrelo f-2", "zinrelo f-3", "other f-1"])

    def test_a_wrong_total_count_is_noted(self):
        self.taken(1, self.web.post(envelope(["g-1"], total_count="7")))
        self.assertIn("total_count=7", self.web.nginx.errors())


class Refusing(unittest.TestCase):
    """Whatever is not exactly right is refused with 4xx, and nothing of it is in the inbox."""

    @classmethod
    def setUpClass(cls):
        cls.web = Receiving(workers=2)
        cls.addClassCleanup(cls.web.close)

    def tearDown(self):
        self.assertEqual(self.web.inbox(), [])

    def refused(self, status, body, headers, **more):
        result = self.web.raw(head(body, headers, **more) + body)
        self.assertEqual(result[0], status, (headers, result))
        return result[1]

    def test_every_split_at_a_colon(self):
        body = envelope(["e1"])
        headers = signed(body)
        whole = body + b":" + headers["nonce"].encode()
        splits = [at for at in range(len(whole)) if whole[at:at + 1] == b":"][:-1]
        self.assertGreater(len(splits), 10)
        for at in splits:
            nonce = whole[at + 1:].decode()
            self.refused(401, whole[:at], {**headers, "nonce": nonce})
        self.refused(401, b"", {**headers, "nonce": whole.decode()})

    def test_a_planted_time(self):
        body = b'{"ts":1999999999999,' + envelope(["e1"])[1:]
        headers = signed(body)
        rest = (body + b":" + headers["nonce"].encode())[6:].decode()
        self.refused(401, body[:5], {**headers, "nonce": rest})

    def test_variants_of_the_nonce(self):
        body = envelope(["e1"])
        good = signed(body)
        nonce = good["nonce"]
        for other in ["", "0", nonce[:12], nonce + "0", "+" + nonce, "-" + nonce, nonce + ".0",
                      "0x" + nonce, nonce[:11] + "e1", nonce + "," + nonce, nonce + " " + nonce,
                      f'"{nonce}"', nonce + ";", "\xb9" * 13, nonce + "\x0b"]:
            self.refused(401, body, {**good, "nonce": other})
            shown = signed(body, nonce=other)
            self.refused(401, body, shown)

    def test_variants_of_the_signature(self):
        body = envelope(["e1"])
        good = signed(body)
        tag = good["x-zinrelo-signature"]
        for other in ["", tag.upper(), tag[:127], tag + "0", "sha512=" + tag, "0" * 128,
                      tag[:126] + "zz", tag + "," + tag, "v1," + tag, "v1,", tag[::-1],
                      "\xe9" * 128]:
            self.refused(401, body, {**good, "x-zinrelo-signature": other})

    def test_missing_and_repeated_headers(self):
        body = envelope(["e1"])
        good = signed(body)
        pairs = list(good.items())
        many = [(f"x-more-{number}", "v") for number in range(150)]
        for name, value in pairs:
            self.refused(401, body, [pair for pair in pairs if pair[0] != name])
            self.refused(401, body, pairs + [(name, value)])
            self.refused(401, body, pairs + [(name.upper(), value)])
            self.refused(401, body, pairs + many + [(name, value)])
            self.refused(401, body, pairs + [(name, "")])

    def test_more_headers_than_anybody_sends(self):
        body = envelope(["e1"])
        many = [(f"a{number}", "1") for number in range(600)]
        answer = self.refused(400, body, many + list(signed(body).items()))
        self.assertEqual(answer["error"]["code"], "invalid")

    def test_other_bodies(self):
        body = envelope(["e1"])
        headers = signed(body)
        for other in [body + b"\n", b"\xef\xbb\xbf" + body, body[:-1], b"", b":", body + b":",
                      body.replace(b"e1", b"e2"), body.replace(b" ", b"")]:
            self.refused(401, other, headers)

    def test_secrets_that_are_no_longer_or_never_were(self):
        body = envelope(["e1"])
        for secret in ["", "another secret of 16+", "a secret for test"]:
            self.refused(401, body, signed(body, secret))

    def test_old_and_early_ones_say_so(self):
        body = envelope(["e1"])
        now = int(time.time() * 1000)
        for nonce, code in [(now - 301_000, "too_old"), (now + 310_000, "too_new"),
                            (1, None), (9999999999999, "too_new")]:
            answer = self.refused(401, body, signed(body, nonce=str(nonce)))
            self.assertEqual(answer["error"]["code"], code or "unauthorized")

    def test_strangers_cannot_tell_which_sources_there_are(self):
        body = envelope(["e1"])
        wrong = signed(body, "another secret of 16+")
        answers = [self.refused(401, body, headers, path=path)
                   for path in ("/zinrelo", "/hooks", "/nobody", "/", "/" + "x" * 3000,
                                "/a%20b")
                   for headers in (wrong, {}, {"nonce": "1"})]
        for answer in answers:
            self.assertEqual(answer, answers[0])

    def test_a_log_that_strangers_cannot_fill(self):
        body = envelope(["e1"])
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            for _ in pool.map(lambda _: self.refused(401, body, {}), range(200)):
                pass
        self.assertLess(self.web.nginx.errors().count("header is missing"), 10)

    def test_encodings(self):
        body = envelope(["e1"])
        for encoding in ("gzip", "deflate", "br", "identity, gzip"):
            packed = gzip.compress(body)
            self.refused(415, packed, {**signed(packed), "Content-Encoding": encoding})
        pairs = list(signed(body).items())
        self.refused(415, body, pairs + [("Content-Encoding", "identity")] * 2)

    def test_a_body_that_is_too_large(self):
        body = b"x" * (11 * 1024 * 1024)
        self.assertEqual(self.web.post(body)[0], 413)
        # Not announced: found out while reading.
        data = head(body, [("Transfer-Encoding", "chunked"), *signed(body).items()],
                    length=False) + chunked(body, 1_000_000)
        self.assertEqual(self.web.raw(data)[0], 413)
        self.assertEqual(self.web.post(b"x" * (17 * 1024 * 1024))[0], 413) # nginx's own limit

    def test_signed_bodies_that_are_no_envelope(self):
        deep = b'{"events":[{"id":"a","event_type":"b","data":' + b'{"a":' * 70 + b"1" + b"}" * 70 \
            + b"}]}"
        for body in [b"", b"x", b"[]", b"{}", b'{"events":{}}', b'{"events":[{}]}',
                     b'{"events":[{"id":1,"event_type":"a","data":{}}]}',
                     b'{"events":[{"id":"a","event_type":"b","data":[]}]}',
                     b'{"events":[]} ,', b'{"events":[],}', b'{"events":[NaN]}',
                     b'{"events":[{"id":"\xff","event_type":"b","data":{}}]}', deep,
                     envelope(["good"])[:-2] + b',{"id":7}]}']:
            # What a stranger sends is not even read: however deep, it is a wrong signature.
            self.refused(401, body, signed(body, "another secret of 16+"))
            answer = self.refused(400, body, signed(body))
            self.assertEqual(answer["error"]["code"], "invalid", body)
            self.assertTrue(answer["error"]["message"])

    def test_a_large_one_that_is_not_signed_is_not_kept(self):
        body = envelope(["e1"], 900_000)
        self.refused(401, body, {})
        self.refused(401, body, signed(body, "another secret of 16+"))
        self.refused(401, body, signed(body, "another secret of 16+"), path="/nobody")


if __name__ == "__main__":
    unittest.main()
