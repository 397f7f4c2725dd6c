#!/usr/bin/env python3
"""Installs the tools that checking and packaging need under `.local/tools/`, at pinned versions.

    setup.py GROUP...      GROUP is cfn-lint, cargo-lambda, cargo-deny or sam; prints the path of each tool

Every tool is also in `.local/tools/bin`, so that folder on the PATH is enough. Run it as often as you like: what is there
at the pinned version is left alone.
"""

import os
import shlex
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import installer  # noqa: E402

TOOLS = installer.LOCAL / "tools"
BIN = TOOLS / "bin"

CFN_LINT = "cfn-lint==1.58.0"
CARGO_LAMBDA = ["cargo-lambda==1.9.2", "ziglang==0.17.1"]
CARGO_DENY = "0.20.2"
SAM = "aws-sam-cli==1.170.0"
LAMBDA_TARGET = "aarch64-unknown-linux-gnu"


def setup_cfn_lint():
    return python_tool("cfn-lint", [CFN_LINT])


def setup_sam():
    return python_tool("sam", [SAM])


def setup_cargo_lambda():
    """cargo-lambda with its zig, and the Rust target that it builds for."""
    tool = python_tool("cargo-lambda", CARGO_LAMBDA, prepare=add_lambda_target)
    # cargo-lambda looks for `zig` on the PATH; the package brings it as a Python module
    expose("zig", [TOOLS / "cargo-lambda" / "bin" / "python", "-m", "ziglang"])
    return tool


def add_lambda_target():
    if shutil.which("rustup") is None:
        return  # a Rust that rustup did not install: its target may come another way, and cargo says so if not
    command = ["rustup", "target", "add", LAMBDA_TARGET]
    installer.run(command, "rustup could not add the target that Lambda runs", cwd=str(installer.ROOT))


def setup_cargo_deny():
    """Built from source: no package index has a version that knows today's licences and advisories."""
    directory = TOOLS / "cargo-deny"
    tool = directory / "bin" / "cargo-deny"
    with installer.installed_once(directory, CARGO_DENY, proof=tool) as needed:
        if needed:
            if shutil.which("cargo") is None:
                raise installer.SetupError("cargo is not on the PATH; install Rust with rustup")
            with installer.step("cargo-deny %s, built from source (some minutes)" % CARGO_DENY):
                build_cargo_deny(directory)
    expose("cargo-deny", [tool])
    return tool


def build_cargo_deny(directory):
    """A light optimisation, no link-time optimisation: it runs for seconds, and is built on every new machine."""
    profile = {"OPT_LEVEL": "1", "LTO": "off", "CODEGEN_UNITS": "16", "DEBUG": "0", "STRIP": "true"}
    environment = {**os.environ, **{"CARGO_PROFILE_RELEASE_" + key: value for key, value in profile.items()}}
    environment["CARGO_TARGET_DIR"] = str(directory / "target")
    command = ["cargo", "install", "--quiet", "--locked", "cargo-deny@" + CARGO_DENY, "--root", directory]
    installer.run(command, "cargo could not build cargo-deny", cwd=str(installer.ROOT), env=environment)
    shutil.rmtree(directory / "target")


def python_tool(name, requirements, prepare=None):
    """A tool from PyPI in an environment of its own: the tools disagree about the versions of what they need."""
    directory = TOOLS / name
    tool = directory / "bin" / name
    with installer.installed_once(directory, requirements, proof=directory / "bin" / "python") as needed:
        if needed:
            with installer.step("%s (%s)" % (name, ", ".join(requirements))):
                installer.pip_install(installer.create_venv(directory), *requirements)
                if prepare:
                    prepare()
    expose(name, [tool])
    return tool


def expose(name, command):
    """A script in `.local/tools/bin` that runs a command."""
    script = BIN / name
    content = '#!/bin/sh\nexec %s "$@"\n' % " ".join(shlex.quote(str(word)) for word in command)
    if not script.exists() or script.read_text() != content:
        BIN.mkdir(parents=True, exist_ok=True)
        script.write_text(content)
        script.chmod(0o755)


GROUPS = {"cfn-lint": setup_cfn_lint, "cargo-lambda": setup_cargo_lambda, "cargo-deny": setup_cargo_deny, "sam": setup_sam}


def entry(arguments):
    unknown = [name for name in arguments if name not in GROUPS]
    if unknown or not arguments:
        problem = "no group %s" % ", ".join(unknown) if unknown else "name at least one group"
        raise installer.SetupError("%s; there are %s" % (problem, ", ".join(GROUPS)))
    for name in arguments:
        print("%s: %s" % (name, GROUPS[name]()))
    return 0


if __name__ == "__main__":
    installer.main(entry)
