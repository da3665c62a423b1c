#!/usr/bin/env python3
"""Runs test suites, reads their own counts and prints the sum.

    python3 spec/run.py SUITE…        suites: see SUITES at the end; `make test` names them all

One line per suite; the output of whatever failed is shown in full, a skipped test with its
reason. The last line is `N passed, N failed`. The exit code is 1 on any failure, on a suite
without tests, on a run that stopped early, and on one that outlasted its time limit.

Each suite is a list of jobs: a command whose output is in one of four forms (cmocka, busted, TAP
as our own scripts print it, Python's unittest). Environment: BUILD, LUA54, LUAJIT name
what to test; WRAP is put in front of C programs (valgrind); ONLY=text runs matching jobs only.
"""

import concurrent.futures
import glob
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time

BUILD = os.environ.get("BUILD", "build")
LUA54 = os.environ.get("LUA54", "lua5.4")
LUAJIT = os.environ.get("LUAJIT", "luajit")
WRAP = shlex.split(os.environ.get("WRAP", ""))


class Job:
    def __init__(self, name, command, form, limit_s=300, setting=None):
        self.name, self.command, self.form, self.limit_s = name, command, form, limit_s
        self.setting = setting or {}
        self.passed = self.failed = 0
        self.skipped = []  # "name: reason"
        self.output = ""

    def run(self):
        """Runs the command in a process group of its own, so that a hanging one leaves nothing."""
        process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, start_new_session=True,
                                   env={**os.environ, "BUILD": BUILD, **self.setting})
        try:
            raw, _ = process.communicate(timeout=self.limit_s)
            complaint = "" if process.returncode == 0 else f"exit code {process.returncode}"
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raw, _ = process.communicate()
            complaint = f"stopped after {self.limit_s} s"
        self.output = raw.decode("utf-8", "replace")
        FORMS[self.form](self)
        if not complaint and self.passed + self.failed + len(self.skipped) == 0:
            complaint = "no tests"
        if complaint and not self.failed:  # died, or did nothing: that is one failure
            self.failed = 1
            self.output += f"\n{self.name}: {complaint}\n"
        return self


def read_cmocka(job):
    text = job.output
    for word in re.findall(r"^\[  (PASSED|FAILED)  \] (?=\d+ test)", text, re.M):
        count = sum(int(n) for n in re.findall(rf"^\[  {word}  \] (\d+) test", text, re.M))
        setattr(job, word.lower(), count)
    # A failing group fixture fails its group without naming a test.
    if not job.failed and re.search(r"^\[  ERROR   \].*(setup|teardown)", text, re.M):
        job.failed = 1
    # What a test printed before it skipped itself is why.
    shown = re.findall(r"^\[ RUN      \] (\w+)\n(.*?)^\[  SKIPPED \] \1$", text, re.M | re.S)
    job.skipped = [f"{name}: {' '.join(why.removeprefix('skipped: ').split()) or 'no reason given'}"
                   for name, why in shown]


def read_tap(job):
    for verdict, title in re.findall(r"^(ok|not ok)\b[ \d]*-? ?(.*)$", job.output, re.M):
        skip = re.search(r"# SKIP\b:?\s*(.*)", title, re.I)
        if skip:
            job.skipped.append(skip.group(1) or title)
        elif verdict == "ok":
            job.passed += 1
        else:
            job.failed += 1


def read_busted(job):
    sums = re.findall(r"^(\d+) success(?:es)? / (\d+) failures? / (\d+) errors? / (\d+) pending",
                      job.output, re.M)
    if sums:
        good, bad, broken, _ = map(int, sums[-1])
        job.passed, job.failed = good, bad + broken
    pending = re.findall(r"^Pending \S+ \S+ @ \d+\n(.+)\n(.*)", job.output, re.M)
    job.skipped = [f"{name}: {why}" if why else name for name, why in pending]


def read_unittest(job):
    ran = re.search(r"^Ran \d+ tests? in", job.output, re.M)
    if not ran:
        return
    final = job.output[ran.end():]

    def figure(word):
        found = re.search(rf"\b{word}=(\d+)", final)
        return int(found.group(1)) if found else 0
    job.failed = figure("failures") + figure("errors") + figure("unexpected successes")
    job.skipped = re.findall(r"skipped ['\"](.*)['\"]$", job.output, re.M)
    job.passed = len(re.findall(r"\.\.\. (?:ok|expected failure)$", job.output, re.M))


FORMS = {"cmocka": read_cmocka, "tap": read_tap, "busted": read_busted,
         "unittest": read_unittest}


def c_jobs():
    sources = sorted(glob.glob("spec/c/test_*.c") + glob.glob("spec/contract/test_*.c"))
    names = [os.path.splitext(os.path.basename(path))[0] for path in sources]
    for name in ("test_transport", "test_transport_call"):
        if WRAP and name in names: # a 400 ms timeout is over before valgrind has begun
            names.remove(name)
            print(f"skipped under valgrind: {name}: its time limits are too short for it")
    return [Job(name, WRAP + [f"{BUILD}/c/{name}"], "cmocka", 900 if WRAP else 300)
            for name in names]


def scenario_jobs():
    stories = sorted(glob.glob("spec/scenarios/*.txt"))
    return [Job("scenarios", WRAP + [f"{BUILD}/c/scenario"] + stories, "tap",
                900 if WRAP else 300)]


def comma_locale():
    """A folder with a locale "comma", whose numbers have a decimal comma; made once."""
    folder = os.path.abspath(f"{BUILD}/locale")
    if not os.path.exists(f"{folder}/comma/LC_NUMERIC") and shutil.which("localedef"):
        os.makedirs(folder, exist_ok=True)
        # -c: all other categories are missing, and it says so
        subprocess.run(["localedef", "-c", "-i", os.path.abspath("spec/harness/comma.locale"),
                        f"{folder}/comma"], capture_output=True, timeout=60)
    return folder


def lua_jobs():
    """Every spec on both VMs; the VM finds its own build of the C modules."""
    jobs = []
    locale = comma_locale()
    for vm, version, command in (("lua5.4", "5_4", LUA54), ("luajit", "5_1", LUAJIT)):
        setting = {f"LUA_PATH{suffix}": "lua/?.lua;lua/?/init.lua;spec/?.lua;;"
                   for suffix in ("", f"_{version}")}
        setting.update({f"LUA_CPATH{suffix}": f"{BUILD}/{vm}/?.so;;"
                        for suffix in ("", f"_{version}")})
        setting["LOCPATH"] = locale
        for path in sorted(glob.glob("spec/unit/*_spec.lua")):
            jobs.append(Job(f"{path} on {vm}", ["busted", f"--lua={command}",
                            "--output=plainTerminal", path], "busted", setting=setting))
    return jobs


def tidy_jobs():
    return [Job("tidy", [LUA54, "spec/tidy.lua"], "tap")]


def python_jobs(folder, names="test_*.py"):
    return [Job(path, [sys.executable, "-m", "unittest", "discover", "-v", "-b",
                       "-s", os.path.dirname(path), "-p", os.path.basename(path)], "unittest", 600,
                setting={"PYTHONPATH": "spec/harness:spec/blackbox",
                         "PYTHONDONTWRITEBYTECODE": "1"})
            for path in sorted(glob.glob(f"spec/{folder}/{names}"))]


# What may run side by side on two cores without disturbing its own timing.
SUITES = {
    "c": (c_jobs, 2),
    "scenarios": (scenario_jobs, 1),
    "lua": (lua_jobs, 2),
    "tidy": (tidy_jobs, 1),
    "examples": (lambda: python_jobs("examples"), 1),
    "blackbox": (lambda: python_jobs("blackbox"), 2),
    "rocks": (lambda: python_jobs("rocks"), 1),
    "openresty": (lambda: python_jobs("openresty"), 1),
    "bench": (lambda: python_jobs("bench"), 1),
    "console": (lambda: python_jobs("browser", "test_modules.py"), 1),
    "browser": (lambda: python_jobs("browser", "test_console.py"), 1),
}


def run_suite(name):
    make_jobs, at_once = SUITES[name]
    only = os.environ.get("ONLY", "")
    jobs = [job for job in make_jobs() if only in job.name]
    start = time.monotonic()
    at_once = 1 if WRAP else at_once # valgrind is slow enough for tests with time limits
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        jobs = list(pool.map(Job.run, jobs))
    passed, failed = sum(job.passed for job in jobs), sum(job.failed for job in jobs)
    if not jobs and not only:
        failed = 1
        print(f"{name}: no tests found")
    for job in jobs:
        if job.failed:
            shown = re.sub(r"^ok \d.*\n", "", job.output, flags=re.M)
            print(f"\n---- {job.name}\n{shown.rstrip()}\n----\n")
        for reason in job.skipped:
            print(f"skipped in {job.name}: {reason}")
    skipped = sum(len(job.skipped) for job in jobs)
    print(f"{name:<10} {passed:>6} passed {failed:>4} failed {skipped:>4} skipped "
          f"{time.monotonic() - start:>7.1f} s", flush=True)
    return passed, failed


def main(names):
    unknown = [name for name in names if name not in SUITES]
    if unknown or not names:
        print(f"usage: run.py SUITE…   of: {' '.join(SUITES)}", file=sys.stderr)
        return 2
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    totals = [run_suite(name) for name in names]
    passed, failed = sum(t[0] for t in totals), sum(t[1] for t in totals)
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
