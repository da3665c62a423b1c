"""Where the bench runs its programs: a temporary folder, an nginx, scripts on either VM, workers.

Environment: BUILD, LUA54, LUAJIT as for spec/run.py; BENCH_DIR is where the stores are made
(default: the system's folder for temporary files; what is measured includes that disk).
"""

import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.request

from nginx import Nginx

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BENCH = os.path.join(TOP, "spec", "bench")
BUILD = os.path.join(TOP, os.environ.get("BUILD", "build"))
VMS = {"lua5.4": os.environ.get("LUA54", "lua5.4"), "luajit": os.environ.get("LUAJIT", "luajit")}

# Each location is a webhook's endpoint; whoever asks for /hook3 asks for /hook.
SERVER = """
location /hook { content_by_lua_block { ngx.req.read_body() } }
location /slow { content_by_lua_block { ngx.req.read_body() ngx.sleep(0.05) } }
location /hang { content_by_lua_block { ngx.sleep(600) } }
location /fail { content_by_lua_block { ngx.req.read_body() ngx.exit(500) } }
location /arrive { content_by_lua_block { require("arrivals").take() } }
location = /arrivals { content_by_lua_block { require("arrivals").tell() } }
"""
HTTP = f"""
keepalive_requests 1000000000;
client_max_body_size 8m;
client_body_buffer_size 2m;
lua_package_path "{BENCH}/?.lua;;";
"""


class Failed(Exception):
    pass


def environment(vm):
    path = f"{BENCH}/?.lua;{TOP}/lua/?.lua;{TOP}/lua/?/init.lua;;"
    given = {"LOYALHOOK_ALLOW_HTTP": "1", "LOYALHOOK_ALLOW_NETWORKS": "127.0.0.0/8"}
    for suffix in ("", "_5_4" if vm == "lua5.4" else "_5_1"):
        given["LUA_PATH" + suffix] = path
        given["LUA_CPATH" + suffix] = f"{BUILD}/{vm}/?.so;;"
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("LOYALHOOK_", "LUA_"))}
    return {**kept, **given}


class Command:
    """A loyalhook command in the background; it is killed at the latest when its block ends."""

    def __init__(self, stand, store, vm, *arguments):
        given = {**environment(vm), "LOYALHOOK_STORE": store}
        self.process = subprocess.Popen(
            [VMS[vm], os.path.join(BENCH, "command.lua"), *arguments], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=stand.folder, env=given)

    def cpu_ms(self):
        """Time on a processor so far, by the scheduler's own count (nanoseconds, not ticks)."""
        total = 0
        tasks = f"/proc/{self.process.pid}/task"
        for task in os.listdir(tasks):
            with open(f"{tasks}/{task}/schedstat") as file:
                total += int(file.read().split()[0])
        return total / 1e6

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Stand:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="loyalhook-bench-", dir=os.environ.get("BENCH_DIR"))
        self.stores = 0
        self.nginx = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.nginx:
            self.nginx.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def url(self):
        if not self.nginx:
            self.nginx = Nginx(SERVER, http=HTTP, connections=2048)
        return self.nginx.url

    def store(self):
        """A path for a store that does not exist yet."""
        self.stores += 1
        return os.path.join(self.folder, f"store-{self.stores}.db")

    def drop(self, store):
        for name in os.listdir(self.folder):
            if name.startswith(os.path.basename(store)):
                os.remove(os.path.join(self.folder, name))

    def _run(self, command, vm):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              cwd=self.folder, env=environment(vm), timeout=600)
        if done.returncode != 0:
            raise Failed(f"{' '.join(command)}\nexit {done.returncode}\n{done.stdout}{done.stderr}")
        return json.loads(done.stdout.splitlines()[-1])

    def program(self, name, *arguments, vm="lua5.4"):
        """Runs a C program of the bench; returns its figures."""
        return self._run([os.path.join(BUILD, "bench", name), *map(str, arguments)], vm)

    def script(self, vm, name, /, **options):
        """Runs a Lua script of the bench; returns its figures."""
        return self._run([VMS[vm], os.path.join(BENCH, name), *texts(options)], vm)

    def threads(self, vm, count, name, /, **options):
        """Runs a Lua script in many VMs of one process; returns its figures."""
        return self.program(f"vms-{vm}", count, os.path.join(BENCH, name), *texts(options), vm=vm)

    def versions(self):
        by_vm = {vm: self.script(vm, "versions.lua") for vm in VMS}
        return {**by_vm["lua5.4"], "luajit": by_vm["luajit"]["lua"]}

    def arrivals(self, count, limit_s=60):
        """Microseconds from emit to arrival, once `count` events have arrived."""
        times, end = [], time.monotonic() + limit_s
        while True:
            with urllib.request.urlopen(self.url + "/arrivals") as answer:
                times += json.load(answer)
            if len(times) >= count:
                return times
            if time.monotonic() > end:
                raise Failed(f"{len(times)} of {count} events arrived within {limit_s} s")
            time.sleep(0.05)


def texts(options):
    return [f"{name}={value}" for name, value in options.items()]
