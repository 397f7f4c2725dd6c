#!/usr/bin/env python3
"""DynamoDB Local on its own, in memory, for tests that need no LocalStack.

    dynamodb.py serve [--port 8000]     runs until it is stopped or its standard input ends
    dynamodb.py run -- COMMAND...       runs COMMAND with DYNAMODB_LOCAL_URL set, and passes its exit code on

`serve` prints one line when it is ready: {"url": "http://127.0.0.1:8000", "port": 8000, "pid": 1234}.
Without --port, or with --port 0, it takes a free one. Each access key id and region has tables of its own.
"""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import setup  # noqa: E402
from setup import installer  # noqa: E402

START_LIMIT_S = 30


def command():
    """The command that starts DynamoDB Local in memory; `-port N` is to be added."""
    java = setup.setup_dynamodb()
    emulator = setup.DYNAMODB / "emulator"
    # It is short-lived: the quick compiler and the plain collector start faster and leave the cores to the tests.
    options = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx512m", "--enable-native-access=ALL-UNNAMED"]
    options += ["-Djava.library.path=%s" % (emulator / "DynamoDBLocal_lib")]
    return [str(java), *options, "-jar", str(emulator / "DynamoDBLocal.jar"), "-inMemory", "-disableTelemetry"]


def free_port():
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def port_open(port):
    """Whether something accepts connections on the port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class DynamoDbLocal:
    """A running DynamoDB Local; leaving the context stops it."""

    def __init__(self, port=0):
        self.port = port or free_port()
        self.url = "http://127.0.0.1:%d" % self.port
        self.process = None

    def __enter__(self):
        if port_open(self.port):
            raise installer.SetupError("port %d is in use" % self.port)
        log = open(setup.DYNAMODB / "dynamodb.log", "ab")
        self.process = subprocess.Popen(
            [*command(), "-port", str(self.port)], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=str(setup.DYNAMODB)
        )
        deadline = time.monotonic() + START_LIMIT_S
        while not port_open(self.port):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise installer.SetupError("DynamoDB Local did not start; see %s" % log.name)
            time.sleep(0.05)
        return self

    def __exit__(self, *_exception):
        self.process.kill()
        self.process.wait()


def serve(options):
    """Runs until a signal, the end of standard input, or the end of DynamoDB Local itself."""
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    signal.signal(signal.SIGINT, lambda *_: ended.set())
    with DynamoDbLocal(options.port) as local:
        print(json.dumps({"url": local.url, "port": local.port, "pid": local.process.pid}), flush=True)
        for wait in (sys.stdin.buffer.read, local.process.wait):
            threading.Thread(target=lambda wait=wait: (wait(), ended.set()), daemon=True).start()
        ended.wait()
    return 0


def run(options):
    """Runs a command against a DynamoDB Local of its own."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with DynamoDbLocal(options.port) as local:
        environment = dict(os.environ, DYNAMODB_LOCAL_URL=local.url)
        return subprocess.run(options.command, env=environment).returncode


def entry(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="name", required=True)
    for name, function in (("serve", serve), ("run", run)):
        sub = commands.add_parser(name)
        sub.add_argument("--port", type=int, default=0)
        sub.set_defaults(function=function)
    sub.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    options = parser.parse_args(arguments)
    if options.name == "run":
        options.command = [word for i, word in enumerate(options.command) if (i, word) != (0, "--")]
        if not options.command:
            parser.error("run needs a command after --")
    return options.function(options)


if __name__ == "__main__":
    installer.main(entry)
