"""The program, watching, and what it says meanwhile."""
import glob
import json
import os
import signal
import subprocess
import tempfile
import time

import program

# Far beyond what anything here takes, also under a sanitizer.
PATIENCE_SECONDS = 60
PRIOR = ("--prior", "1/30")


def until(what, why):
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        result = what()
        if result:
            return result
        time.sleep(0.02)
    raise AssertionError("not within %d s: %s" % (PATIENCE_SECONDS, why))


class Sensor:
    """The program, watching in the server's namespace."""

    def __init__(self, room, folder, *args, db=None, env=None,
                 interface="wire1", stdout=None):
        self.folder = folder
        self.db = db or os.path.join(folder, "watch.db")
        self.eve = os.path.join(folder, "eve.json")
        # Not in the folder, whose disk may be full.
        self.errors = tempfile.NamedTemporaryFile()
        before = ["ip", "netns", "exec", room.server] if room else []
        self.process = subprocess.Popen(
            [*before, program.PROGRAM, "watch", "--db", self.db, "--eve",
             self.eve, *PRIOR, *(("-i", interface) if room else ()), *args],
            stdin=subprocess.DEVNULL, stdout=stdout or self.errors,
            stderr=self.errors, cwd=folder,
            env={**os.environ, **(env or {})})

    def said(self):
        self.errors.flush()
        with open(self.errors.name, "rb") as file:
            return file.read().decode()

    def events(self, path=None):
        try:
            with open(path or self.eve) as file:
                text = file.read()
        except FileNotFoundError:
            return []
        return [json.loads(line)
                for line in text[:text.rfind("\n") + 1].splitlines()]

    def alerts(self, path=None):
        return [e for e in self.events(path) if e["event_type"] == "alert"]

    def stats(self):
        return [e for e in self.events() if e["event_type"] == "stats"]

    def alerted(self, port):
        return [a for a in self.alerts() if a["src_port"] == port]

    def children(self):
        """Engine and judge, by what is open in them."""
        found = {}
        path = "/proc/%d/task/%d/children" % (self.process.pid,
                                              self.process.pid)
        with open(path) as file:
            pids = [int(pid) for pid in file.read().split()]
        for pid in pids:
            try:
                links = [os.readlink(link) for link in
                         glob.glob("/proc/%d/fd/*" % pid)]
            except OSError:
                continue
            judge = any("watch.db" in link for link in links)
            found["judge" if judge else "engine"] = pid
        return found

    def ready(self):
        until(lambda: len(self.children()) == 2 and
              "judge" in self.children(), "both children\n" + self.said())
        # An engine that is confined has opened everything.
        until(lambda: self.seccomp("engine") == "2", "an engine")
        return self

    def status_of(self, child):
        pid = self.children().get(child)
        if pid is None:
            return {}
        try:
            with open("/proc/%d/status" % pid) as file:
                return dict(line.rstrip("\n").split(":\t", 1)
                            for line in file if ":\t" in line)
        except OSError:
            return {}

    def seccomp(self, child):
        return self.status_of(child).get("Seccomp")

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(PATIENCE_SECONDS)
        said = self.said()
        self.errors.close()
        if program.REPORT.search(said):
            raise program.Fault(said)
        return status, said

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
