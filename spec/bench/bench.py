#!/usr/bin/env python3
"""Measures loyalhook against its yardsticks and prints one JSON document.

    python3 spec/bench/bench.py [--tiny] [--list] [ROW…]        no row: all but the large ones

A row is a function that yields measurements; docs/benchmarks.md says what each means. --tiny makes
everything small: it shows that a row runs, its figures mean nothing.
"""

import argparse
import datetime
import json
import os
import platform
import re
import subprocess
import sys
import time

sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))

import rows_core  # noqa: E402
import rows_latency  # noqa: E402
import rows_receiver  # noqa: E402
import rows_worker  # noqa: E402
from figures import load  # noqa: E402
from stand import Failed, Stand, TOP  # noqa: E402

ROWS = {function.__name__: function for function in (
    rows_core.sign, rows_core.emit, rows_core.single,
    rows_worker.deliver, rows_worker.batch, rows_worker.backlog, rows_worker.memory,
    rows_receiver.receive, rows_receiver.unrelated,
    rows_latency.beside, rows_latency.idle, rows_latency.wake, rows_latency.retry)}
LARGE = {"backlog_large": rows_worker.backlog_large}


class Size:
    """How much is measured: counts, and how often the sides alternate."""

    def __init__(self, tiny):
        self.tiny = tiny
        self.rounds = 1 if tiny else 5

    def of(self, count, multiple=1):
        """That many, or a hundredth; as a multiple of something."""
        wanted = count // 100 if self.tiny else count
        return max(1, -(-wanted // multiple)) * multiple


def output(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=TOP)
    except FileNotFoundError:
        return ""
    return (done.stdout + done.stderr).strip()


def machine(folder):
    with open("/proc/cpuinfo") as file:
        model = re.search(r"model name\s*: (.*)", file.read())
    return {"processor": model.group(1) if model else platform.machine(),
            "processors": len(os.sched_getaffinity(0)), "kernel": platform.release(),
            "disk": output("stat", "-f", "-c", "%T", folder), "load": load()}


def versions(stand):
    nginx = re.search(r"nginx/(\S+)", output("nginx", "-v"))
    return {**stand.versions(), "nginx": nginx.group(1) if nginx else "",
            "commit": output("git", "describe", "--always", "--dirty")}


def measure(stand, size, name, function):
    print(f"bench: {name} …", file=sys.stderr, flush=True)
    begun, load_then = time.monotonic(), load()
    rows = [{"row": name, **row} for row in function(stand, size)]
    took = round(time.monotonic() - begun, 1)
    return [{**row, "load": load_then, "row_seconds": took} for row in rows]


def main():
    known = {**ROWS, **LARGE}
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--tiny", action="store_true", help="show only that it runs")
    parser.add_argument("--list", action="store_true", help="names of the rows")
    parser.add_argument("rows", nargs="*", metavar="ROW")
    given = parser.parse_args()
    if given.list:
        print("\n".join(f"{name:<14} {row.__doc__.splitlines()[0]}" for name, row in known.items()))
        return 0
    unknown = [name for name in given.rows if name not in known]
    if unknown:
        parser.error(f"no such row: {' '.join(unknown)}; there are: {' '.join(known)}")
    with Stand() as stand:
        document = {"date": datetime.date.today().isoformat(), "machine": machine(stand.folder),
                    "versions": versions(stand), "rows": []}
        for name in given.rows or ROWS:
            try:
                document["rows"] += measure(stand, Size(given.tiny), name, known[name])
            except Failed as failure:
                print(f"bench: {name}: {failure}", file=sys.stderr)
                return 1
    print(json.dumps(document, indent=1, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
