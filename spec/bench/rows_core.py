"""Rows without a worker: signing, emitting."""

from figures import alternate, compared


def sign(stand, size):
    """Signing and verifying a body, against OpenSSL's one-shot HMAC()."""
    for body_bytes, times in ((1024, 100000), (65536, 4000)):
        runs = [stand.program("sign", body_bytes, size.of(times)) for _ in range(size.rounds)]
        openssl = [run["openssl"] for run in runs]
        budget = {"at_most": 1.0} if body_bytes == 1024 else {}
        for ours in ("sign", "verify"):
            yield compared(f"{ours} {body_bytes} B against OpenSSL's HMAC()", "ns",
                           [run[ours] for run in runs], openssl, **budget)


def emit(stand, size):
    """1000 events a call, against bare SQLite that inserts the same rows."""
    for data_bytes, count in ((2000, 20000), (200, 60000)):
        count = size.of(count, multiple=1000)
        stand.script("lua5.4", "bytes.lua", folder=stand.folder, bytes=data_bytes, batch_size=1)

        def ours(vm):
            store = stand.store()
            took = stand.threads(vm, 1, "emit.lua", store=store, count=count, per_call=1000,
                                 bytes=data_bytes)
            stand.drop(store)
            return count / took["seconds"]

        def bare():
            store = stand.store()
            took = stand.program("inserter", store, count, 1000, f"{stand.folder}/data")
            stand.drop(store)
            return count / took["seconds"]

        runs = alternate(size.rounds, lua=lambda: ours("lua5.4"), bare=bare,
                         jit=lambda: ours("luajit"))
        for vm, name in (("lua5.4", "lua"), ("luajit", "jit")):
            yield {"vm": vm, **compared(f"emit_many, 1000 events of {data_bytes} B a call, against"
                                        " bare SQLite", "events/s", runs[name], runs["bare"],
                                        at_least=0.8)}


def single(stand, size):
    """Single emits: 32 VMs in threads of one process, against one."""
    def rate(vm, threads, count):
        store = stand.store()
        took = stand.threads(vm, threads, "emit.lua", store=store, count=count, per_call=1,
                             bytes=2000)
        stand.drop(store)
        return threads * count / took["seconds"]

    for vm in ("lua5.4", "luajit"):
        runs = alternate(size.rounds, many=lambda: rate(vm, 32, size.of(300)),
                         one=lambda: rate(vm, 1, size.of(1000)))
        yield {"vm": vm, **compared("emit, 2000 B, by 32 VMs of one process against one",
                                    "events/s", runs["many"], runs["one"], at_least=8)}
