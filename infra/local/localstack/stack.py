#!/usr/bin/env python3
"""The real template on this machine: LocalStack with DynamoDB Local, functions as processes, no Docker.

    stack.py up [--port 4566]                  starts LocalStack and waits until it answers
    stack.py deploy --template T --binaries D  deploys a SAM template; prints outputs, API urls and resources as JSON
    stack.py logs [FUNCTION]                   prints a function's log, or names the logs there are
    stack.py down                              stops it with everything it started
    stack.py run [deploy's options] -- CMD     up, deploy if a template is given, CMD, down; CMD's exit code is passed on

State is lost at `down`: tables, queues and messages live in memory. Logs stay under .local/localstack/logs until the next `up`.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import dynamodb  # noqa: E402
import setup  # noqa: E402
from setup import LOCALSTACK, installer  # noqa: E402

STATE = LOCALSTACK / "state.json"
LOGS = LOCALSTACK / "logs"
FILES = LOCALSTACK / "files"
TEMPORARY = LOCALSTACK / "tmp"
DESCRIPTION = LOCALSTACK / "stack.json"

DEFAULT_PORT = 4566
START_LIMIT_S = 90
STOP_LIMIT_S = 15

CREDENTIALS = {
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
}


def localstack_environment(port):
    """LocalStack's settings. Nothing of the caller's AWS or LocalStack configuration gets in."""
    kept = {k: v for k, v in installer.clean_environment().items() if not k.startswith(("AWS_", "LOCALSTACK_", "LAMBDA_"))}
    return {
        **kept,
        "GATEWAY_LISTEN": "127.0.0.1:%d" % port,
        # all that it writes stays in our folder
        "OVERRIDE_IN_DOCKER": "0",
        "FILESYSTEM_ROOT": str(FILES),
        "XDG_CACHE_HOME": str(LOCALSTACK / "cache"),
        "TMPDIR": str(TEMPORARY),
        # it must not call home, fetch a certificate or become a DNS server
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DNS_ADDRESS": "0",
        # DynamoDB Local keeps the streams itself; the other provider would bring a Kinesis emulator from npm for them
        "DYNAMODB_IN_MEMORY": "1",
        "PROVIDER_OVERRIDE_DYNAMODB": "v2",
        "PROVIDER_OVERRIDE_DYNAMODBSTREAMS": "v2",
        "PIPWORKS_DYNAMODB_COMMAND": json.dumps(dynamodb.command()),
        # a signed address is worth nothing if nobody looks at the signature
        "S3_SKIP_SIGNATURE_VALIDATION": "0",
        # functions are processes
        "LAMBDA_RUNTIME_EXECUTOR": "process",
        "PIPWORKS_LAMBDA_LOGS": str(LOGS),
        # seconds that a test would only wait
        "LAMBDA_EVENT_SOURCE_MAPPING_POLL_INTERVAL_SEC": "0.2",
        "LAMBDA_RETRY_BASE_DELAY": "1",
    }


def client_environment(endpoint):
    """What a program needs to talk to the running LocalStack."""
    return {**CREDENTIALS, "AWS_ENDPOINT_URL": endpoint}


def up(options):
    """Starts LocalStack as the leader of its own process group."""
    if STATE.exists():
        down(options)
    python = setup.setup_localstack()
    port = options.port or dynamodb.free_port()
    if dynamodb.port_open(port):
        raise installer.SetupError("port %d is in use; stop what listens there or choose another with --port" % port)
    DESCRIPTION.unlink(missing_ok=True)
    # FILES stays: it holds an index of all AWS operations that takes LocalStack 3 s to make
    FILES.mkdir(exist_ok=True)
    shutil.rmtree(FILES / TEMPORARY.relative_to("/"), ignore_errors=True)
    for folder in (LOGS, TEMPORARY):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    endpoint = "http://127.0.0.1:%d" % port
    with installer.step("LocalStack on %s" % endpoint), open(LOGS / "localstack.log", "wb") as log:
        process = subprocess.Popen(
            [str(python), "-m", "localstack.runtime.main"],
            env=localstack_environment(port),
            cwd=str(TEMPORARY),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        STATE.write_text(json.dumps({"pid": process.pid, "port": port, "endpoint": endpoint, "logs": str(LOGS)}))
        wait_until_healthy(process, endpoint, options)
    return 0


def wait_until_healthy(process, endpoint, options):
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            tail = "\n".join((LOGS / "localstack.log").read_text(errors="replace").splitlines()[-20:])
            down(options)
            raise installer.SetupError("LocalStack ended with code %d:\n%s" % (process.returncode, tail))
        try:
            with urllib.request.urlopen(endpoint + "/_localstack/health", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    down(options)
    raise installer.SetupError("LocalStack did not answer within %d s; see %s" % (START_LIMIT_S, LOGS / "localstack.log"))


def down(_options):
    """Kills the whole process group at once: nothing in it has anything worth saving."""
    if not STATE.exists():
        return 0
    state = json.loads(STATE.read_text())
    # numbers of ended processes are given out again, so the group must be one that runs from our folder
    ours = any(str(installer.LOCAL) in command for command in commands_of_group(state["pid"]))
    if ours:
        os.killpg(state["pid"], signal.SIGKILL)
    deadline = time.monotonic() + STOP_LIMIT_S
    while (ours and commands_of_group(state["pid"])) or dynamodb.port_open(state["port"]):
        if time.monotonic() > deadline:
            raise installer.SetupError("port %d is still in use" % state["port"])
        time.sleep(0.02)
    STATE.unlink()
    return 0


def commands_of_group(group):
    """The command lines of a process group's live members; a minimal machine has /proc but no `ps`."""
    if not Path("/proc/self/cmdline").exists():
        listing = subprocess.run(["ps", "-A", "-o", "pgid=,args="], stdout=subprocess.PIPE, text=True).stdout
        rows = (line.split(None, 1) for line in listing.splitlines())
        return [row[1] for row in rows if len(row) == 2 and row[0] == str(group)]
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(process.name)) == group:
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue  # it ended while we looked
    return [command for command in found if command]  # one that has ended and was not collected yet has none


def running_state():
    if not STATE.exists():
        raise installer.SetupError("LocalStack is not running; start it with: stack.py up")
    return json.loads(STATE.read_text())


def deploy(options):
    """Deploys in LocalStack's environment, where boto3 and PyYAML are, and prints what is there."""
    state = running_state()
    python = setup.setup_localstack()
    if Path(sys.prefix) != python.parent.parent:
        os.execv(python, [str(python), str(Path(__file__).resolve()), *sys.argv[1:]])
    sys.dont_write_bytecode = True
    import deploy as deployment
    from botocore.exceptions import BotoCoreError, ClientError
    from template import TemplateError
    from yaml import YAMLError

    try:
        description = deployment.deploy(options, state, CREDENTIALS)
    except (TemplateError, deployment.DeployError, BotoCoreError, ClientError, YAMLError, OSError) as error:
        raise installer.SetupError(str(error)) from error
    DESCRIPTION.write_text(json.dumps(description, indent=2))
    print(json.dumps(description, indent=2))
    return 0


def logs(options):
    """A function's log; without a name, the logs there are."""
    if options.part is None:
        for path in sorted(LOGS.glob("*.log")):
            print("%8d  %s" % (path.stat().st_size, path.stem))
        return 0
    found = sorted(LOGS.glob("*%s*.log" % options.part))
    if not found:
        raise installer.SetupError("no log of a function like %s; it may never have started" % options.part)
    for path in found:
        print("==> %s" % path.stem)
        print(path.read_text(errors="replace"), end="")
    return 0


def run(options):
    """Runs a command with the stack up; it is stopped however the command ends."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        up(options)
        state = running_state()
        environment = {**os.environ, **client_environment(state["endpoint"])}
        if options.template:
            command = [sys.executable, str(Path(__file__).resolve()), "deploy", *deploy_arguments(options)]
            deployed = subprocess.run(command, stdout=subprocess.DEVNULL)
            if deployed.returncode != 0:
                return deployed.returncode
            environment["PIPWORKS_STACK"] = str(DESCRIPTION)
        return subprocess.run(options.command, env=environment).returncode
    finally:
        down(options)


def deploy_arguments(options):
    arguments = ["--template", options.template, "--stack", options.stack, "--binaries", options.binaries]
    arguments += ["--package", options.package]
    for key, value in options.param.items():
        arguments += ["--param", "%s=%s" % (key, value)]
    return arguments


def add_deploy_options(parser, required):
    parser.add_argument("--template", required=required, help="the SAM template")
    parser.add_argument("--binaries", required=required, help="a folder with one executable for each function")
    parser.add_argument("--stack", default="pipworks")
    parser.add_argument("--package", choices=["link", "zip"], default="link", help="what a package holds (default: link)")
    parser.add_argument("--param", action=Parameter, default={}, metavar="KEY=VALUE", help="a template parameter")


class Parameter(argparse.Action):
    """Collects --param KEY=VALUE."""

    def __call__(self, parser, namespace, value, option_string=None):
        key, equals, text = value.partition("=")
        if not equals:
            parser.error("--param takes KEY=VALUE, not %s" % value)
        setattr(namespace, self.dest, {**getattr(namespace, self.dest), key: text})


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="name", required=True)
    subs = {}
    for function in (up, deploy, logs, down, run):
        subs[function.__name__] = commands.add_parser(function.__name__, help=function.__doc__)
        subs[function.__name__].set_defaults(function=function)
    for name in ("up", "run"):
        subs[name].add_argument("--port", type=int, default=DEFAULT_PORT, help="0 takes a free one (default: %(default)s)")
    add_deploy_options(subs["deploy"], required=True)
    add_deploy_options(subs["run"], required=False)
    subs["logs"].add_argument("part", nargs="?", metavar="FUNCTION", help="its name or a part of it")

    own, dashes, command = partition(arguments, "--")
    options = parser.parse_args(own)
    if options.name == "run":
        if not command:
            parser.error("run needs a command after --")
        if bool(options.template) != bool(options.binaries):
            parser.error("--template and --binaries go together")
    elif dashes:
        parser.error("only run takes a command after --")
    options.command = command
    return options


def partition(words, separator):
    if separator not in words:
        return words, False, []
    at = words.index(separator)
    return words[:at], True, words[at + 1 :]


def entry(arguments):
    options = parse(arguments)
    return options.function(options)


if __name__ == "__main__":
    installer.main(entry)
