"""What the scripts in this folder share: building, and one measurement."""
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]


def add_arguments(parser):
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build",
                        help="the build folder, with a release in it")
    parser.add_argument("--no-build", action="store_true",
                        help="take what is in the build folder")
    parser.add_argument("--captures", type=pathlib.Path,
                        help="where captures are kept (BUILD/bench/captures)")


def captures(args):
    return args.captures or args.build / "bench" / "captures"


def build(args):
    if args.no_build:
        return
    if not (args.build / "CMakeCache.txt").exists():
        subprocess.run(["cmake", "--preset", "release", "-B", args.build],
                       cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", args.build, "--target", "bench"],
                   check=True, stdout=subprocess.DEVNULL)


def measure(args, command, capture):
    """CPU and wall in seconds, peak RSS in MB. In `command` {} stands for the
    capture and {db} for a database that does not exist yet."""
    with tempfile.TemporaryDirectory() as folder:
        places = {"{}": str(capture), "{db}": folder + "/db"}
        line = [places.get(str(word), str(word)) for word in command]
        done = subprocess.run([args.build / "bench" / "measure", *line],
                              check=True, capture_output=True, text=True)
    cpu, wall, rss, status = done.stdout.split()
    # 1: there is an incident.
    if int(status) > 1:
        sys.exit("%s: exit status %s\n%s" % (" ".join(line), status,
                                             done.stderr))
    return float(cpu), float(wall), int(rss) * 1024 / 1e6
