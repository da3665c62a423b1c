"""Rows about waiting: beside, idle, wake, retry. `loyalhook work` runs as a user runs it."""

import time

from figures import absolute, alternate, compared, percentile, rounded
from stand import Command, Failed

WORK = ("work", "--log-level", "error")


def arrivals(stand, vm, count, every_us, **filling):
    """Emits at a pace while a worker delivers; microseconds from each emit to its arrival."""
    store = stand.store()
    stand.script(vm, "fill.lua", store=store, url=stand.url + "/arrive", webhooks=1, accounts=1,
                 events=0, bytes=0, **filling)
    with Command(stand, store, vm, *WORK):
        times = []
        for emits in (5, count):  # the first ones only show that the worker is there
            stand.script("luajit", "pace.lua", store=store, account="shop-1", count=emits,
                         every_us=every_us)
            times = stand.arrivals(emits)
    stand.drop(store)
    return times


def beside(stand, size):
    """A healthy webhook beside nine that hang, against alone: p99 from emit to arrival."""
    hanging = {"hanging": 9, "hanging_url": stand.url + "/hang", "timeout_ms": 1000}

    def p99(**filling):
        return percentile(arrivals(stand, "lua5.4", size.of(500), 4000, **filling), 0.99) / 1000

    runs = alternate(size.rounds, beside=lambda: p99(**hanging), alone=p99)
    yield compared("p99 from emit to arrival of a webhook beside nine that hang, against alone",
                   "ms", runs["beside"], runs["alone"], at_most=1.2)


def idle(stand, size):
    """Processor time of an idle worker."""
    seconds = 0.5 if size.tiny else 10
    for vm in ("lua5.4", "luajit"):
        store = stand.store()
        stand.script(vm, "fill.lua", store=store, url=stand.url + "/hook", webhooks=16, accounts=2,
                     events=16, bytes=200)
        with Command(stand, store, vm, *WORK) as worker:
            time.sleep(seconds / 5)
            before = worker.cpu_ms()
            time.sleep(seconds)
            share = (worker.cpu_ms() - before) / (seconds * 10)
        stand.drop(store)
        yield {"vm": vm, **absolute(f"processor of an idle worker over {seconds} s", "% of a core",
                                    [share], at_most=1)}


def wake(stand, size):
    """One event on an idle system: from the emit call to the endpoint."""
    for vm in ("lua5.4", "luajit"):
        times = [us / 1000 for us in arrivals(stand, vm, size.of(200), 40000)]
        row = absolute("one event on an idle system, emit call to first byte", "ms", times,
                       at_most=5)
        row["ours"]["p99"] = rounded(percentile(times, 0.99))
        yield {"vm": vm, **row}


def retry(stand, size):
    """A retry of many: the longest step of its job, and what it does to who emits."""
    requests = size.of(20000)

    def failed():
        store = stand.store()
        made = stand.script("luajit", "failed.lua", store=store, url=stand.url + "/hook",
                            requests=requests)
        if made["failed"] != requests:
            raise Failed(f"{made['failed']} of {requests} requests failed")
        return store

    def steps():
        store = failed()
        took = stand.script("luajit", "retry.lua", store=store)
        stand.drop(store)
        return took["max_us"] / 1000

    def emitting(*beside):
        """Emit calls while a worker, and what runs beside it, use the store."""
        store = failed()
        with Command(stand, store, "lua5.4", *WORK):
            stand.script("luajit", "pace.lua", store=store, account="shop-2", count=5, every_us=0)
            with Command(stand, store, "lua5.4", *beside):
                took = stand.script("luajit", "pace.lua", store=store, account="shop-2",
                                    count=size.of(300), every_us=3000)
        stand.drop(store)
        return took

    runs = alternate(min(size.rounds, 3), steps=steps, alone=lambda: emitting("version"),
                     beside=lambda: emitting("retry", "--failed"))
    yield absolute(f"longest transaction of a retry of {requests} requests", "ms", runs["steps"])
    for share in ("p50", "p99"):
        ours, alone = ([run[share + "_us"] / 1000 for run in runs[name]]
                       for name in ("beside", "alone"))
        yield compared(f"{share} of emit calls while {requests} requests are retried and delivered,"
                       " against an idle worker", "ms", ours, alone)
