"""Runs the program that a test in tests/run was given, and asks what it left.

    sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
    import program
"""
import concurrent.futures
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest

PROGRAM = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else None
TESTS = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
SHIPPED = os.path.join(TESTS, "captures")
SKIPPED = 77
# A sanitizer's report ends the program with 1, which `read` has a use for.
REPORT = re.compile(r"Sanitizer|runtime error:")
# A sanitizer's build runs the tests for its reports. What costs much and is the
# same program, or no program of ours, is left to the other build.
SANITIZED = bool(os.environ.get("SANITIZED"))
MEMORY, MEMORY_LEAST_BYTES = "/dev/shm", 48 << 20
# Far beyond what any capture here takes, also under a sanitizer.
HANGS_AFTER_SECONDS = 120


class Fault(AssertionError):
    """The program crashed, hung, or ended as no command may."""


def run(*args, statuses=(0,), cwd=None):
    """What the program printed. Its status must be one of `statuses`."""
    env = {k: v for k, v in os.environ.items()
           if not k.startswith("STRIPLIGHT_")}
    try:
        done = subprocess.run([PROGRAM, *args], env=env, cwd=cwd,
                              stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=HANGS_AFTER_SECONDS)
    except subprocess.TimeoutExpired:
        raise Fault("hangs: %s" % (args,))
    done.stdout = done.stdout.decode("utf-8", "strict")
    done.stderr = done.stderr.decode("utf-8", "replace")
    if done.returncode not in statuses or REPORT.search(done.stderr):
        raise Fault("status %d: %s\n%s" %
                    (done.returncode, args, done.stderr[-2000:]))
    return done


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def memory():
    """A folder in memory, or None. A disk takes its time to be sure of what it
    has, which is not what is tested."""
    if not os.access(MEMORY, os.W_OK | os.X_OK):
        return None
    room = os.statvfs(MEMORY)
    free = room.f_bavail * room.f_frsize
    return MEMORY if free >= MEMORY_LEAST_BYTES else None


class Database:
    """A database in a folder of its own; gone when the `with` ends."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(dir=memory())
        self.path = os.path.join(self.folder.name, "test.db")
        return self

    def __exit__(self, *ignored):
        self.folder.cleanup()

    def add_policies(self, policies):
        """(domain, path) pairs."""
        for domain, path in policies:
            run("policy", "add", "--db", self.path, domain, path)

    def read(self, *args, statuses=(0, 1)):
        return run("read", "-q", "--db", self.path, *args, statuses=statuses)

    def incidents(self, *args):
        return lines(run("incidents", "--db", self.path, "--format", "json",
                         *args).stdout)

    def query(self, sql, *values):
        connection = sqlite3.connect(self.path)
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()

    def counts(self):
        """Every counter of every capture, added up; zeros left out."""
        return dict(self.query(
            "SELECT name, sum(value) FROM capture_count GROUP BY name "
            "HAVING sum(value) > 0 ORDER BY name"))

    def dump(self):
        """All rows as SQL, but for the table of wall-clock times."""
        connection = sqlite3.connect(self.path)
        try:
            connection.execute("DELETE FROM run")
            return "\n".join(connection.iterdump())
        finally:
            connection.close()


class ProgramTest(unittest.TestCase):
    """A folder of its own, in which the program runs."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        # Whoever the test runs the program as must get here.
        os.chmod(self.folder, 0o755)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, octets):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb") as f:
            f.write(octets if isinstance(octets, bytes) else octets.encode())
        return name

    def content(self, name):
        with open(self.path(name), "rb") as f:
            return f.read()

    def run_program(self, *args, status=0, program=None, **more):
        env = {k: v for k, v in os.environ.items()
               if not k.startswith("STRIPLIGHT_")}
        done = subprocess.run([program or PROGRAM, *args], env=env,
                              cwd=self.folder, capture_output=True,
                              timeout=120, **more)
        done.stdout = done.stdout.decode()
        done.stderr = done.stderr.decode()
        self.assertEqual(done.returncode, status,
                         (args, done.stdout, done.stderr))
        return done

    def run_unprivileged(self, *args, **more):
        """As a user whom permissions bind, which root is not."""
        if os.geteuid() != 0:
            return self.run_program(*args, **more)
        program = self.path("striplight")
        shutil.copy(PROGRAM, program)
        return self.run_program(*args, program=program, user=65534,
                                group=65534, extra_groups=[], **more)

    def incidents(self, *args, **more):
        out = self.run_program("incidents", "--format", "json", *args,
                               **more).stdout
        return [json.loads(line) for line in out.splitlines()]


def corpus(*parts):
    """A path in the corpus; ends the test as skipped where there is none."""
    folder = os.environ.get("STRIPLIGHT_CORPUS", "")
    path = os.path.join(folder, *parts)
    if not folder or not os.path.exists(path):
        print("skipped: STRIPLIGHT_CORPUS names no folder with %s" %
              os.path.join(*parts))
        sys.exit(SKIPPED)
    return path


def has_corpus(*parts):
    folder = os.environ.get("STRIPLIGHT_CORPUS", "")
    return bool(folder) and os.path.exists(os.path.join(folder, *parts))


def policies(folder):
    """(domain, path) of what lies in its `policies`, named by the domain."""
    folder = os.path.join(folder, "policies")
    return [(name[:-len(".txt")], os.path.join(folder, name))
            for name in sorted(os.listdir(folder))]


def in_parallel(work, items):
    """[work(item), ...] in the order of items, on all cores."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(work, items))


def main():
    unittest.main(module="__main__", argv=sys.argv[:1])
