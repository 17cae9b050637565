"""The program in a folder of its own, for whole-program tests."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

PROGRAM = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else None
SKIPPED = 77


class ProgramTest(unittest.TestCase):
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
