"""JSON as we read it, compared with Python's json on thousands of texts, on both VMs: what handlers
see of values, and what the receiver makes of a body. A seed makes the same texts every time.
"""

import glob
import json
import os
import random
import subprocess
import tempfile
import unittest

from cli import TOP, VMS, lua_environment

HARNESS = os.path.join(TOP, "spec", "harness", "read_json.lua")
SEED = int(os.environ.get("LOYALHOOK_SPEC_SEED", "4"))


def through_lua(vm, arguments, cases):
    done = subprocess.run([VMS[vm], HARNESS, *arguments], capture_output=True, check=False,
                          input="".join(case.hex() + "\n" for case in cases).encode(),
                          env={**os.environ, **lua_environment(vm)})
    if done.returncode != 0:
        raise AssertionError(done.stderr.decode("utf-8", "replace"))
    return done.stdout.decode().splitlines()


# ---- the oracle

class Refused(Exception):
    pass


def refuse(*_):
    raise Refused


def number(text):
    """As a double; whole ones that it holds exactly as an int."""
    value = float(text)
    return int(value) if abs(value) < 2 ** 53 and value == int(value) else value


def depth_of(value):
    if isinstance(value, (dict, list)):
        inner = value.values() if isinstance(value, dict) else value
        return 1 + max((depth_of(each) for each in inner), default=0)
    return 0


def read(raw, depth_max=64):
    """The value, or Refused. Python takes NaN and lone surrogates, and knows no limit."""
    try:
        text = raw.decode("utf-8")
        value = json.loads(text, parse_constant=refuse, parse_int=number, parse_float=number)
        everything = json.loads(text, object_pairs_hook=list, parse_int=str) # repeated names too
        json.dumps(everything, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise Refused from None
    if deepest(raw) > depth_max:
        raise Refused
    return value


def deepest(raw):
    """Of the text, not of the value: a repeated name may have hidden the deepest part."""
    depth = most = 0
    inside = False
    at = 0
    while at < len(raw):
        byte = raw[at:at + 1]
        if inside:
            if byte == b"\\":
                at += 1
            elif byte == b'"':
                inside = False
        elif byte == b'"':
            inside = True
        elif byte in b"[{":
            depth += 1
            most = max(most, depth)
        elif byte in b"]}":
            depth -= 1
        at += 1
    return most


def show(value):
    """The form that read_json.lua prints."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "s" + value.encode().hex()
    if isinstance(value, dict):
        return "{" + ",".join(sorted("s" + key.encode().hex() + ":" + show(member)
                                     for key, member in value.items())) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(show, value)) + "]"
    return show_number(value)


def show_number(value):
    if isinstance(value, int):
        return str(value)
    if value in (float("inf"), float("-inf")):
        return str(value)
    whole, divisor = value.as_integer_ratio()
    exponent = 1 - divisor.bit_length()
    while whole % 2 == 0:
        whole, exponent = whole // 2, exponent + 1
    return f"{whole}p{exponent}"


def wanted(raw):
    try:
        return show(read(raw))
    except Refused:
        return "refused invalid"


# ---- texts

def some_number(source):
    digits = "".join(source.choice("0123456789") for _ in range(source.choice([1, 2, 5, 15, 16, 17,
                                                                               18, 19, 25, 60])))
    digits = digits.lstrip("0") or "0"
    text = source.choice(["", "-"]) + digits
    if source.random() < 0.4:
        text += "." + "".join(source.choice("0123456789")
                              for _ in range(source.choice([1, 2, 3, 10, 22, 23, 40])))
    if source.random() < 0.3:
        text += source.choice("eE") + source.choice(["", "+", "-"]) + str(source.choice(
            [0, 1, 5, 22, 23, 100, 308, 309, 324, 400]))
    return text


EDGES = ["0", "-0", "-0.0", "0e5", "2", "2.0", "2e0", "20e-1", "0.1", "-1.5", "1e22", "1e23",
         "9007199254740991", "-9007199254740991", "9007199254740992", "9007199254740993",
         "-9007199254740993", "9007199254740991.4", "9223372036854775807", "9223372036854775808",
         "18446744073709551616", "1e308", "1.7976931348623157e308", "1.7976931348623159e308",
         "1e309", "-1e400", "5e-324", "2.4703282292062327e-324", "2.4703282292062328e-324",
         "1e-400", "2.2250738585072011e-308", "2.2250738585072014e-308", "360", "360.00",
         "0.30000000000000004", "123456789012345.6", "100000000000000000000.5",
         "8.98846567431158e307", "1" + "0" * 400, "0." + "0" * 400 + "1", "1" * 400 + "e-399",
         "9007199254740992.99999999999999999999", "0." + "9" * 300]

PIECES = ["", "a", "points", "é", "積分", "😀", "\\n", "\\u0000", "\\u00e9", "\\ud83d\\ude00", "\\/",
          "\\\\", "\\\"", "\\b\\f\\r\\t", " ", "\x7f", "\u2028", "\ufeff", "\ufffe", "member_info"]


def some_string(source):
    count = source.choice([0, 1, 1, 2, 5])
    return '"' + "".join(source.choice(PIECES) for _ in range(count)) + '"'


def some_value(source, depth=0):
    kind = source.random()
    if depth < 6 and kind < 0.25:
        return "[" + ",".join(some_value(source, depth + 1)
                              for _ in range(source.randrange(4))) + "]"
    if depth < 6 and kind < 0.55:
        return "{" + ",".join(some_string(source) + space(source) + ":" +
                              some_value(source, depth + 1)
                              for _ in range(source.randrange(4))) + "}"
    word = source.choice([source.choice(["null", "true", "false"]), some_number(source),
                          source.choice(EDGES), some_string(source), some_string(source)])
    return space(source) + word + space(source)


def space(source):
    return source.choice(["", "", "", " ", "\n\t "])


SPOILERS = [b"", b",", b"]", b"}", b'"', b"\\", b"\x00", b"\xff", b"\xc3", b"0", b"-", b".", b"e",
            b"\\u", b"\\ud800", b"NaN", b"Infinity", b"//", b"'", b"\x1f", b"\xed\xa0\x80",
            b"\xf4\x90\x80\x80", b"\xc0\x80", b"\xef\xbb\xbf"]


def spoil(source, raw):
    """One change that makes it wrong, or not."""
    at = source.randrange(len(raw) + 1)
    piece = source.choice(SPOILERS)
    return raw[:at] + piece + raw[at + source.choice([0, 0, 1, 2]):]


def vector_bodies():
    for path in sorted(glob.glob(os.path.join(TOP, "spec", "vectors", "*.json"))):
        with open(path, "rb") as file:
            raw = file.read()
        yield raw
        for vector in json.loads(raw):
            yield vector.get("body", "").encode()


def deep(depth):
    yield b"[" * depth + b"]" * depth
    yield b'{"a":' * depth + b"1" + b"}" * depth
    yield b'[{"a":' * (depth // 2) + b"1" + b"}]" * (depth // 2)


class Decode(unittest.TestCase):
    def compare(self, cases):
        expected = [wanted(case) for case in cases]
        for vm in VMS:
            found = through_lua(vm, ["decode"], cases)
            self.assertEqual(len(found), len(cases))
            for case, want, got in zip(cases, expected, found):
                self.assertEqual(got, want, f"{vm}: {case!r}")

    def test_vectors_and_edges(self):
        cases = [*vector_bodies(), *(edge.encode() for edge in EDGES),
                 *(f"[{edge},{edge}]".encode() for edge in EDGES),
                 *deep(64), *deep(65), *deep(66), b"", b" ", b"[]", b"{}", b"[[],{},[{}]]",
                 b'{"a":1,"a":2}', b'{"a":[1],"a":{}}', b'{"":""}', b'"\xef\xbb\xbf"']
        self.compare([case for case in cases if b"\n" != case])

    def test_random_values(self):
        source = random.Random(SEED)
        self.compare([some_value(source).encode() for _ in range(4000)])

    def test_spoiled_texts(self):
        source = random.Random(SEED + 1)
        cases = []
        for _ in range(6000):
            raw = some_value(source).encode()
            for _ in range(source.choice([1, 1, 2])):
                raw = spoil(source, raw)
            cases.append(raw)
        self.compare(cases)

    def test_numbers(self):
        source = random.Random(SEED + 2)
        self.compare([some_number(source).encode() for _ in range(20000)])


# ---- the receiver

def is_text(value):
    return (isinstance(value, str) and 1 <= len(value.encode()) <= 128 and
            not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in value))


def member_of(data):
    """As core/event.h has it; of a repeated name the first counts there."""
    info = first(data, "member_info")
    if not isinstance(info, Pairs):
        return ""
    for name in ("member_id", "id"):
        for key, value in info:
            text = value.text if isinstance(value, Number) else value
            if key == name and isinstance(text, str) and text != "":
                return text if len(text.encode()) <= 128 else ""
            if key == name and name == "id":
                return ""
    return ""


class Pairs(list):
    """An object with its names in order, repeated ones too."""


class Number:
    def __init__(self, text):
        self.text = text


def first(pairs, name):
    return next((value for key, value in pairs if key == name), None)


def last(pairs, name):
    return next((value for key, value in reversed(pairs) if key == name), None)


def read_pairs(raw):
    return json.loads(raw, object_pairs_hook=Pairs, parse_int=Number, parse_float=Number)


class Inbox:
    """What a store must hold after bodies were accepted."""

    def __init__(self):
        self.events = {}

    def add(self, events):
        added = 0
        for event_id, event_type, member, data in events:
            if event_id not in self.events:
                self.events[event_id] = (event_type, member, data)
                added += 1
        return added

    def accept(self, scheme, webhook_id, raw):
        try:
            read(raw, 67)
            body = read_pairs(raw.decode())
            if not isinstance(body, Pairs):
                raise Refused
            if not any(key == "events" for key, _ in body) and scheme == "standard":
                read(raw, 64)
                return self.accept_single(webhook_id, body)
            return self.accept_envelope(body)
        except Refused:
            return "refused"

    def accept_single(self, webhook_id, body):
        if not is_text(webhook_id) or not is_text(last(body, "type")):
            raise Refused
        events = [(webhook_id, last(body, "type"), member_of(body), body)]
        return f"1 {self.add(events)} -"

    def accept_envelope(self, body):
        events, found = last(body, "events"), []
        if isinstance(events, Pairs) or not isinstance(events, list):
            raise Refused
        for event in events:
            if not isinstance(event, Pairs):
                raise Refused
            event_id, event_type, data = (last(event, name)
                                          for name in ("id", "event_type", "data"))
            if not is_text(event_id) or not is_text(event_type) or not isinstance(data, Pairs):
                raise Refused
            found.append((event_id, event_type, member_of(data), data))
        return f"{len(found)} {self.add(found)} {self.wrong_count(body, len(found))}"

    @staticmethod
    def wrong_count(body, count):
        total = last(body, "total_count")
        if not any(key == "total_count" for key, _ in body):
            return "-"
        text = total.text if isinstance(total, Number) else total
        return "-" if text == str(count) else text


def some_event(source, number):
    good, strange = json.dumps(number), source.random() < 0.1
    event_type = json.dumps("event_" + number)
    parts = [f'"id":{source.choice([some_string(source), "7"]) if strange else good}',
             f'"event_type":{some_string(source) if strange else event_type}',
             f'"data":{some_data(source)}', f'"more":{some_value(source, 4)}']
    source.shuffle(parts)
    if source.random() < 0.02:
        parts.pop()
    if source.random() < 0.05:
        parts.append('"id":"last"')
    return "{" + ",".join(parts) + "}"


def some_data(source):
    if source.random() < 0.05:
        return some_value(source, 5)
    info = ",".join(f'"{source.choice(["id", "member_id", "name"])}":'
                    f'{source.choice([some_string(source), some_number(source), "null", "[]"])}'
                    for _ in range(source.randrange(4)))
    return '{"member_info":{' + info + '},"x":' + some_value(source, 3) + "}"


def some_body(source, number):
    events = [some_event(source, f"{number}-{i}") for i in range(source.choice([0, 1, 1, 2, 5]))]
    total = source.choice([f'"{len(events)}"', str(len(events)), '"7"', "7"])
    parts = ['"request_id":"r"', f'"total_count":{total}', '"events":[' + ",".join(events) + "]"]
    if source.random() < 0.2:
        parts.append(f'"type":{some_string(source)}')
    if source.random() < 0.1:
        del parts[source.randrange(len(parts))]
    source.shuffle(parts)
    raw = ("{" + ",".join(parts) + "}").encode()
    return spoil(source, raw) if source.random() < 0.2 else raw


def all_of(value):
    """Pairs and lists to compare with; numbers by their text."""
    if isinstance(value, Number):
        return ("number", value.text)
    if isinstance(value, Pairs):
        return ("object", [(key, all_of(member)) for key, member in value])
    return [all_of(each) for each in value] if isinstance(value, list) else value


class Accept(unittest.TestCase):
    def test_bodies(self):
        source = random.Random(SEED + 3)
        cases = [("zinrelo", "", body) for body in vector_bodies()]
        for number in range(1500):
            scheme = source.choice(["zinrelo", "standard"])
            webhook_id = source.choice([f"msg_{number}", f"msg_{number // 2}", "", "a\tb"])
            cases.append((scheme, webhook_id, some_body(source, number)))
        raw_cases = [f"{scheme}:{webhook_id}:".encode() + body
                     for scheme, webhook_id, body in cases]
        for vm in VMS:
            with self.subTest(vm), tempfile.TemporaryDirectory(prefix="loyalhook-") as folder:
                inbox = Inbox()
                expected = [inbox.accept(*case) for case in cases]
                found = through_lua(vm, ["accept", os.path.join(folder, "s.db")], raw_cases)
                for case, want, got in zip(raw_cases, expected, found):
                    self.assertEqual(got, want, repr(case))
                self.compare_rows(inbox, found[len(cases):])

    def compare_rows(self, inbox, lines):
        self.assertEqual(len(lines), len(inbox.events))
        for line, (event_id, (event_type, member, data)) in zip(lines, inbox.events.items()):
            fields = [bytes.fromhex(field).decode() for field in line.split(" ")]
            self.assertEqual(fields[:3], [event_id, event_type, member])
            self.assertEqual(all_of(read_pairs(fields[3])), all_of(data))


if __name__ == "__main__":
    unittest.main()
