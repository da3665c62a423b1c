"""Rows in which a worker delivers as fast as it can: deliver, batch, backlog, memory."""

from figures import absolute, alternate, compared
from stand import Failed


def worked(stand, vm, filling, **options):
    """A filled store, worked off by one worker; its figures. Everything must be delivered."""
    store = stand.store()
    stand.script(vm, "fill.lua", store=store, **filling)
    took = stand.script(vm, "work.lua", store=store, **options)
    stand.drop(store)
    if not took["delivered"] == took["attempts"] == options["attempts"]:
        raise Failed(f"not everything was delivered: {took}")
    return took


def sixteen(stand, where, events, data_bytes, batch_size, **more):
    """Sixteen webhooks, four in flight each, and events that each is wanted by one of them."""
    return {"url": stand.url + where, "webhooks": 16, "accounts": 16, "events": events,
            "bytes": data_bytes, "batch_size": batch_size, "in_flight": 4, **more}


def deliver(stand, size):
    """Durable delivery, one event a request, against a bare libcurl loop that posts the same."""
    count = size.of(20000)
    stand.script("lua5.4", "bytes.lua", folder=stand.folder, bytes=2000, batch_size=1)

    def ours(vm, accounts):
        filling = sixteen(stand, "/hook", count * accounts // 16, 2000, 1, accounts=accounts)
        return count / worked(stand, vm, filling, attempts=count)["seconds"]

    def bare():
        took = stand.program("poster", stand.url + "/hook", 16, 64, count, f"{stand.folder}/body")
        return count / took["seconds"]

    runs = alternate(size.rounds, lua=lambda: ours("lua5.4", 16), bare=bare,
                     jit=lambda: ours("luajit", 16), shared=lambda: ours("lua5.4", 2))
    for vm, name, wanted in (("lua5.4", "lua", "one"), ("luajit", "jit", "one"),
                             ("lua5.4", "shared", "eight")):
        what = f"batch 1, 2000 B, an event wanted by {wanted} of 16 webhooks, against bare libcurl"
        yield {"vm": vm, **compared(what, "requests/s", runs[name], runs["bare"], at_least=0.65)}


def batch(stand, size):
    """The same with 100 events a request, against bare appending or bare HMAC, the slower one."""
    for data_bytes, count in ((2000, 32000), (200, 128000)):
        count = size.of(count, multiple=1600)
        body = stand.script("lua5.4", "bytes.lua", folder=stand.folder, bytes=data_bytes,
                            batch_size=100)["body_bytes"]

        def ours(vm):
            filling = sixteen(stand, "/hook", count, data_bytes, 100)
            return count / worked(stand, vm, filling, attempts=count // 100)["seconds"]

        def bare():
            store = stand.store()
            took = stand.program("inserter", store, count, 1000, f"{stand.folder}/data")
            stand.drop(store)
            hmac = stand.program("sign", body, size.of(400))
            return min(count / took["seconds"], 100 * 1e9 / hmac["openssl"])

        runs = alternate(size.rounds, lua=lambda: ours("lua5.4"), bare=bare,
                         jit=lambda: ours("luajit"))
        for vm, name in (("lua5.4", "lua"), ("luajit", "jit")):
            what = f"batch 100, {data_bytes} B, against the slower of bare SQLite and bare HMAC"
            yield {"vm": vm, **compared(what, "events/s", runs[name], runs["bare"],
                                        at_least=0.7 if data_bytes == 2000 else None)}


def memory(stand, size):
    """Memory of a worker with 256 requests in flight, at most and over time."""
    for vm in ("lua5.4", "luajit"):
        for batch_size, count in ((1, 16000), (100, 1200)):
            count = size.of(count, multiple=16)
            took = worked(stand, vm, sixteen(stand, "/slow", count * batch_size, 2000, batch_size,
                                             in_flight=16), attempts=count)
            half, late, most = (took[name] / 1024 for name in ("half_kib", "late_kib", "most_kib"))
            what = f"256 in flight, batch {batch_size}, 2000 B: "
            yield {"vm": vm, **absolute(what + "most memory", "MiB", [most], at_most=64)}
            yield {"vm": vm, **compared(what + f"memory after {count} requests, against half way",
                                        "MiB", [late], [half])}


class Crowd:
    """A store with many webhooks, ten an account, and a backlog that they all want."""

    def __init__(self, stand, webhooks, events):
        self.stand, self.store, self.accounts = stand, stand.store(), max(1, webhooks // 10)
        stand.threads("lua5.4", 32, "create.lua", store=self.store, url=stand.url + "/hook",
                      threads=32, webhooks=webhooks, accounts=self.accounts, batch_size=1,
                      in_flight=4)
        emit(stand, self.store, events, self.accounts, in_turn=10)


def emit(stand, store, count, accounts, in_turn):
    """Microseconds of processor for an event; `in_turn` accounts share a call of 1000."""
    took = stand.threads("lua5.4", 1, "emit.lua", store=store, count=count, per_call=1000,
                         bytes=200, accounts=accounts, in_turn=in_turn)
    return took["cpu_seconds"] * 1e6 / count


def costs(stand, size, webhooks, events):
    """What an event costs in a crowded store and in an empty one."""
    attempts, emitted = size.of(10000), size.of(20000, multiple=1000)
    crowd = Crowd(stand, webhooks, events)

    def delivered(store):
        """Without the first ones: every webhook's secret has been read by then."""
        took = stand.script("lua5.4", "work.lua", store=store, concurrency=64, skip=attempts,
                            most=2 * attempts)
        return took["cpu_seconds"] * 1e6 / took["timed"]

    def empty(run, waiting):
        store = stand.store()
        stand.script("lua5.4", "fill.lua", store=store, **sixteen(stand, "/hook", waiting, 200, 1))
        figure = run(store)
        stand.drop(store)
        return figure

    def emitted_in(store, in_turn):
        return emit(stand, store, emitted, crowd.accounts, in_turn)

    sides = {"deliver crowded": lambda: delivered(crowd.store),
             "deliver empty": lambda: empty(delivered, 2 * attempts)}
    names = {"deliver": "deliver an event"}
    for name, in_turn in (("of one account", 1),
                          ("of accounts in turn", min(1000, crowd.accounts))):
        names[name] = f"emit 1000 events a call, {name}"
        sides[name + " crowded"] = lambda n=in_turn: emitted_in(crowd.store, n)
        sides[name + " empty"] = lambda n=in_turn: empty(lambda store: emitted_in(store, n), 0)
    runs = alternate(min(size.rounds, 3), **sides)
    stand.drop(crowd.store)
    for name, what in names.items():
        yield compared(f"{what}: {events} waiting, {webhooks} webhooks, against an empty store",
                       "us of processor", runs[name + " crowded"], runs[name + " empty"],
                       at_most=1.2)


def backlog(stand, size):
    """Cost of an event with a million waiting and 10,000 webhooks, against an empty store."""
    yield from costs(stand, size, size.of(10000), size.of(1000000))


def backlog_large(stand, size):
    """The same with ten million and 100,000: minutes, and gigabytes of disk."""
    yield from costs(stand, size, size.of(100000), size.of(10000000))
