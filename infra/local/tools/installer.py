"""What the set-up scripts share: virtual environments under `.local/`, built once per set of pins.

Standard library only: these scripts run on a machine that has nothing but Python and Rust.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
LOCAL = ROOT / ".local"
# Fetches a Python where the machine has none that is new enough.
UV = "uv==0.13.9"


class SetupError(Exception):
    """Something the machine lacks; the message says what and how to get it."""


def main(entry):
    """Runs a script's entry point and turns what is missing into one readable line."""
    try:
        sys.exit(entry(sys.argv[1:]))
    except SetupError as error:
        sys.exit("error: %s" % error)
    except KeyboardInterrupt:
        sys.exit(130)


@contextlib.contextmanager
def step(title):
    """Prints what is being done, and how long it took."""
    print("  %s ..." % title, file=sys.stderr, flush=True)
    begun = time.monotonic()
    yield
    print("  %s: %.1f s" % (title, time.monotonic() - begun), file=sys.stderr, flush=True)


@contextlib.contextmanager
def installed_once(directory, *pins, proof=None):
    """Yields whether `directory` must be built: its stamp is not the hash of `pins`, or it is half built.

    `proof` is a file that must be there as well: a virtual environment breaks when its base Python is replaced.
    A lock makes a second process wait for the first instead of building the same folder.
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    stamp = directory / ".stamp"
    wanted = hashlib.sha256("\0".join(str(pin) for pin in pins).encode()).hexdigest()
    with open(directory.parent / (directory.name + ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.is_file() and stamp.read_text() == wanted and (proof is None or proof.exists()):
            yield False
            return
        if directory.exists():
            shutil.rmtree(directory)
        directory.mkdir()
        yield True
        stamp.write_text(wanted)


def hash_of(*paths):
    """One hash over the contents of files and of all files below folders."""
    digest = hashlib.sha256()
    for path in paths:
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for file in files:
            if "__pycache__" not in file.parts and not any(part.endswith(".egg-info") for part in file.parts):
                digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def find_python(oldest, newest):
    """A Python from `oldest` to `newest`, both as (3, minor): this one, another on the PATH, or one fetched into `.local/`."""
    if oldest <= sys.version_info[:2] <= newest:
        return sys.executable
    for minor in range(newest[1], oldest[1] - 1, -1):
        found = shutil.which("python3.%d" % minor)
        if found and subprocess.run([found, "-c", ""], capture_output=True).returncode == 0:
            return found
    return _fetch_python(min(newest[1], 12))


def _fetch_python(minor):
    """A Python of its own under `.local/python`: `uv`, a wheel that any Python can install, knows where to get one."""
    directory = LOCAL / "python"
    version = "3.%d" % minor
    try:
        with installed_once(directory, UV, version) as needed:
            if needed:
                with step("Python %s (this is %d.%d)" % (version, *sys.version_info[:2])):
                    tool = _venv(sys.executable, directory / "uv")
                    pip_install(tool, UV)
                    uv = [tool.parent / "uv", "python", "install", "--install-dir", directory / "versions", version]
                    run(uv, "uv could not fetch it", env=clean_environment())
    except SetupError as error:
        raise SetupError(
            "Python %s is needed; this is %d.%d, the PATH has no newer one, and none could be fetched. Install one (on Debian "
            "and Ubuntu for example python%s and python%s-venv) and run this again.\n%s"
            % (version, *sys.version_info[:2], version, version, error)
        ) from None
    return str(next((directory / "versions").glob("*/bin/python%s" % version)))


def create_venv(directory, oldest=(3, 10), newest=(3, 99)):
    """Makes a virtual environment and returns the path of its Python."""
    return _venv(find_python(oldest, newest), directory)


def _venv(python, directory):
    made = subprocess.run([python, "-m", "venv", str(directory)], capture_output=True, text=True)
    if made.returncode != 0:
        raise SetupError(
            "%s cannot make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv.\n%s"
            % (python, (made.stdout + made.stderr).strip())
        )
    return directory / "bin" / "python"


def pip_install(python, *arguments):
    """Runs pip; its own output is shown only when it fails. Compiling waits until a module is used."""
    command = [str(python), "-m", "pip", "install", "--quiet", "--no-compile", "--no-input"]
    command += ["--disable-pip-version-check", "--retries", "5", *arguments]
    run(command, "pip could not install what is pinned")


def run(command, complaint, **options):
    """Runs a command quietly and raises `complaint` with its output when it fails."""
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode != 0:
        raise SetupError("%s (%s):\n%s" % (complaint, " ".join(str(c) for c in command[:4]), done.stdout.strip()[-4000:]))
    return done.stdout


def clean_environment():
    """The environment without what would leak another Python into a virtual environment."""
    return {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")}
