#!/usr/bin/env python3
"""The console in a real browser: starts a brokerage on this machine, and Chromium against it.

    run.py [FILE...]     runs the files of this folder whose names are given (`console.mjs`), all by default

Where no Chromium can be had it says so and is content: everything else of the console is tested without one, too.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "infra" / "local" / "browser"))

import chromium  # noqa: E402
from chromium import installer  # noqa: E402

RUN = chromium.BROWSER / "run"
START_LIMIT_S = 60
STOP_LIMIT_S = 20
TESTS = ["console.mjs"]


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def start(log):
    """A brokerage without a day, in a folder of its own: its `.local/run.json` disturbs nobody's demo."""
    binary = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target") / "debug" / "pipworks"
    if not binary.is_file():
        raise installer.SetupError("%s is not built: cargo build --locked --workspace --bins" % binary)
    environment = {**os.environ, "DAY": "0", "PORT": str(free_port()), "LOG": "warn"}
    for name in ("ONCE", "DATA"):
        environment.pop(name, None)
    broker = subprocess.Popen([str(binary.resolve())], cwd=str(RUN), env=environment, stdout=log, stderr=subprocess.STDOUT)
    description = RUN / ".local" / "run.json"
    until = time.monotonic() + START_LIMIT_S
    while not description.is_file():
        if broker.poll() is not None or time.monotonic() > until:
            stop(broker)
            raise installer.SetupError("the brokerage did not start; see %s" % log.name)
        time.sleep(0.05)
    return broker, description


def stop(broker):
    broker.terminate()
    try:
        broker.wait(STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        broker.kill()
        broker.wait()


def test(browser, description, file):
    environment = {
        **installer.clean_environment(),
        **browser.environment,
        "TOOLS": str(chromium.TOOLS),
        "LAUNCH": json.dumps(browser.launch()),
        "RUN": str(description),
        "PICTURES": str(RUN / "pictures"),
    }
    return subprocess.run([str(chromium.node()), str(HERE / file)], env=environment).returncode


def alone(browser, file):
    """Runs a file against a brokerage of its own."""
    if RUN.exists():
        shutil.rmtree(RUN)
    RUN.mkdir(parents=True)
    with open(RUN / "brokerage.log", "w") as log:
        broker, description = start(log)
        try:
            return test(browser, description, file)
        finally:
            stop(broker)


def entry(arguments):
    browser, why = chromium.find()
    if browser is None:
        print("\nThe console was NOT tested in a browser: %s.\n%s\n" % (why, chromium.HOW))
        return 0
    begun = time.monotonic()
    failed = [file for file in arguments or TESTS if alone(browser, file) != 0]
    print("browser tests: %.0f s" % (time.monotonic() - begun))
    if failed:
        print("failed: %s; the brokerage's log is %s, pictures are in %s" % (", ".join(failed), RUN / "brokerage.log", RUN / "pictures"))
    return 1 if failed else 0


if __name__ == "__main__":
    installer.main(entry)
