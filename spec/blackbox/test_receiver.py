"""receiver:accept without nginx: both VMs answer the same requests alike and keep the same."""

import json
import os
import random
import subprocess
import time
import unittest

from cli import TOP, VMS, Workshop, lua_environment
from receiving import OLD, SECRET, STANDARD, envelope, signed
from test_oracles import standard_signature

SOURCES = {"zinrelo": {"secrets": [OLD, SECRET]}, "other": {"secrets": [SECRET]},
           "hooks": {"secrets": [STANDARD], "scheme": "standard"}}


def accept(vm, shop, requests, sources=None):
    """Answers "STATUS BODY" of (source, headers, body) and the inbox's rows, by accept.lua."""
    lines = [json.dumps({"source": source, "headers": headers, "body": body.hex()})
             for source, headers, body in requests]
    done = subprocess.run(
        [VMS[vm], f"{TOP}/spec/harness/accept.lua", "sqlite:" + shop.path(f"{vm}.db"),
         json.dumps(sources or SOURCES)], input=("\n".join(lines) + "\n").encode(),
        capture_output=True, check=False, cwd=shop.folder,
        env={**os.environ, **lua_environment(vm)})
    if done.returncode != 0:
        raise AssertionError(done.stderr.decode())
    said = done.stdout.decode().splitlines()
    return said[:len(requests)], said[len(requests):]


DATA = ['{}', '{"a":[]}', '{"a":{}}', '{"n":2}', '{"n":2.0}', '{"n":-0}', '{"n":1e2}',
        '{"n":9007199254740993}', '{"n":1640796461000123}', '{"n":0.1}', '{"a":null}',
        '{"a":"Zo\u00eb \u7a4d\u5206 \U0001f600"}', '{"a":"\\ud83d\\ude00\\u0000"}',
        '{ "spaced" : [ 1 , 2 ] }', '{"member_info":{"member_id":"m-1"}}',
        '{"member_info":{"id":"7"}}', '{"a":1,"a":2}', '{"":""}', '[]', '7', '{"a":01}',
        '{"a":NaN}', '{"a":"\ud800"}', '{"a":' * 70 + '1' + '}' * 70]


def some_requests(seed, count):
    source = random.Random(seed)
    for number in range(count):
        data = source.choice(DATA)
        if source.random() < 0.2:
            body = envelope([f"e{number}", f"e{source.randrange(count)}"])
        else:
            body = ('{"request_id":"r","total_count":"%s","events":[{"id":"e%d","event_type":"t",'
                    '"data":%s}]}' % (source.choice(["1", "2", ""]), number, data)
                    ).encode("utf-8", "surrogatepass")
        name = source.choice(["zinrelo", "other", "hooks", "nobody"])
        if name == "hooks":
            stamp = str(int(time.time()))
            headers = {"webhook-id": f"msg_{number}", "webhook-timestamp": stamp,
                       "webhook-signature": standard_signature(STANDARD, f"msg_{number}", stamp,
                                                               body)}
        else:
            headers = signed(body, source.choice([OLD, SECRET]))
        yield spoilt(source, name, headers, body)


def spoilt(source, name, headers, body):
    """One in three is changed on its way."""
    kind = source.randrange(12)
    key = source.choice(sorted(headers))
    if kind == 0:
        body = body[:source.randrange(len(body) + 1)]
    elif kind == 1:
        headers = {key.upper(): value for key, value in headers.items()}
    elif kind == 2:
        headers = {**headers, key: [headers[key], headers[key]]}
    elif kind == 3:
        headers = {**headers, "Content-Encoding": source.choice(["gzip", "identity"])}
    elif kind == 4:
        value = headers[key]
        at = source.randrange(len(value))
        headers = {**headers, key: value[:at] + source.choice("0:af \t") + value[at + 1:]}
    return name, headers, body


class BothVms(unittest.TestCase):
    def test_the_same_requests_have_the_same_answers_and_leave_the_same_events(self):
        requests = list(some_requests(1, 600))
        with Workshop() as shop:
            by_vm = {vm: accept(vm, shop, requests) for vm in VMS}
        answers, rows = by_vm["lua5.4"]
        self.assertEqual(answers, by_vm["luajit"][0])
        self.assertEqual(rows, by_vm["luajit"][1])
        statuses = {answer.split("\t")[0] for answer in answers}
        self.assertEqual(statuses, {"200", "400", "401", "415"})
        self.assertGreater(len(rows), 50)

    def test_data_is_kept_byte_for_byte(self):
        good = [data for data in DATA[:18]]
        bodies = [('{"events":[{"id":"e%d","event_type":"t","data":%s}]}' % (number, data)
                   ).encode() for number, data in enumerate(good)]
        with Workshop() as shop:
            for vm in VMS:
                answers, rows = accept(vm, shop, [("zinrelo", signed(body), body)
                                                  for body in bodies])
                self.assertEqual({answer[:3] for answer in answers}, {"200"})
                self.assertEqual([json.loads(row)[5] for row in rows], good)

    def test_a_standard_body_without_events_is_one_event(self):
        body = b'{"type":"order.paid","data":{"n":1}}'
        stamp = str(int(time.time()))
        headers = {"webhook-id": "msg_1", "webhook-timestamp": stamp,
                   "webhook-signature": "v1,AAAA " + standard_signature(STANDARD, "msg_1", stamp,
                                                                        body)}
        with Workshop() as shop:
            for vm in VMS:
                answers, rows = accept(vm, shop, [("hooks", headers, body)] * 2)
                self.assertEqual(answers, ['200\t{"events":1,"added":1}',
                                           '200\t{"events":1,"added":0}'])
                self.assertEqual(json.loads(rows[0])[:3], ["msg_1", "hooks", "order.paid"])
                self.assertEqual(json.loads(rows[0])[5], body.decode())


if __name__ == "__main__":
    unittest.main()
