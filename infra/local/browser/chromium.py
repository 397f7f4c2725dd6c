#!/usr/bin/env python3
"""Finds a Chromium for the browser tests, or installs one under `.local/`, with what drives it; nothing outside this folder is touched.

    chromium.py         prints the browser, or why there is none

A Chromium or Chrome of this machine is used where one starts. Else the one of the npm package below is unpacked, which is a
headless shell for Linux on x86_64 with the libraries and fonts that it needs: no root, no package manager. Run it as often as
you like: what is there at the pinned versions is left alone.
"""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "localstack"))

import setup as dynamodb  # noqa: E402  (it brings Node.js and npm, at a pinned version)
from setup import installer  # noqa: E402

BROWSER = installer.LOCAL / "browser"
TOOLS = BROWSER / "tools"
CHROMIUM = BROWSER / "chromium"

# each with the SHA-512 of its archive
PLAYWRIGHT = (
    "playwright-core@1.65.1",
    "86a3e9cfb6e548c3f1595768784d728814b35ec2a254e77693e9230af994cb00f618f3b60ddf477dc5a7abd34dd061db3590c5819f497c116bf97e7f04ba34ab",
)
AXE = (
    "axe-core@4.14.1",
    "1477dafa598d8d065f273d6af302aa203c02e83131707b7fa648cd41bd3d6b734f8c22a0dab86ee6a6f64b8afbe804b214d36db85a2826965edfb3a0b9d546b5",
)
# Chromium 153, built for AWS Lambda
CHROMIUM_PACKAGE = (
    "@sparticuz/chromium@153.0.0",
    "8e2196a92bcf31dbb8f8ff538a562a011ef21063c41c8371fa50af13f36a34efc41d8cc5ff1d615222394fa8a8548b7b744cbb9fcf1bcb24f4be4f9d9ec810c0",
)

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
FLAGS = [
    "--no-sandbox",  # it may be root that tests, and only pages of our own are looked at
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_LIMIT_S = 60

FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>%s/fonts</dir><cachedir>%s/cache</cachedir></fontconfig>
"""

HOW = """Install a Chromium (Debian: apt-get install chromium), or name one with CHROMIUM=/path/to/it, and start again."""

# what Node.js unpacks, for Python knows no Brotli
UNPACK = """
const { createReadStream, createWriteStream } = require("node:fs");
const { createBrotliDecompress } = require("node:zlib");
const { pipeline } = require("node:stream/promises");
const [from, to] = process.argv.slice(1);
pipeline(createReadStream(from), createBrotliDecompress(), createWriteStream(to)).catch((error) => { console.error(error); process.exit(1); });
"""


# prints what a page shows; a program that cannot do that is no browser
PROOF = """
const { chromium } = require("playwright-core");
const { executablePath, args } = JSON.parse(process.argv[1]);
(async () => {
  const browser = await chromium.launch({ executablePath, args, timeout: 30000 });
  const page = await browser.newPage();
  await page.setContent("<p>it starts");
  console.log(await page.textContent("p"));
  await browser.close();
})().catch((error) => { console.error(error.message); process.exit(1); });
"""


class Browser:
    """A Chromium that starts: the program, and what its environment must have."""

    def __init__(self, executable, environment=None):
        self.executable = str(executable)
        self.environment = environment or {}

    def launch(self):
        """How Playwright starts it."""
        return {"executablePath": self.executable, "args": FLAGS}

    def starts(self):
        """Whether it shows a page."""
        command = [str(node()), "-e", PROOF, json.dumps(self.launch())]
        environment = {**installer.clean_environment(), **self.environment}
        try:
            shown = subprocess.run(command, capture_output=True, text=True, timeout=START_LIMIT_S, env=environment, cwd=str(TOOLS))
        except subprocess.TimeoutExpired:
            return False
        return shown.returncode == 0 and "it starts" in shown.stdout


def node():
    """Node.js, which DynamoDB Local's set-up brings."""
    dynamodb.setup_dynamodb()
    return dynamodb.DYNAMODB / "venv" / "bin" / "node"


def fetch(package, directory, members=""):
    """Unpacks what lies in `package/<members>` of an npm package into a folder."""
    name, wanted = package
    with tempfile.TemporaryDirectory(dir=directory) as temporary:
        environment = installer.clean_environment()
        environment["PATH"] = "%s:%s" % (node().parent, environment.get("PATH", ""))
        command = [node().parent / "npm", "pack", "--silent", name]
        installer.run(command, "npm could not fetch %s" % name, cwd=temporary, env=environment)
        archive = next(Path(temporary).glob("*.tgz"))
        found = hashlib.sha512(archive.read_bytes()).hexdigest()
        if found != wanted:
            raise installer.SetupError("%s is not what it was: its SHA-512 is %s" % (name, found))
        with tarfile.open(archive) as tar:
            tar.extraction_filter = getattr(tarfile, "data_filter", lambda member, _path: member)
            prefix = "package/" + members
            wanted_members = [member for member in tar.getmembers() if member.name.startswith(prefix) and member.isfile()]
            for member in wanted_members:
                member.name = member.name[len(prefix) :]
            tar.extractall(directory, wanted_members)


def setup_tools():
    """What drives the browser and what looks for barriers, as folders in which Node.js finds them."""
    modules = TOOLS / "node_modules"
    packages = {"playwright-core": PLAYWRIGHT, "axe-core": AXE}
    with installer.installed_once(TOOLS, *packages.values(), proof=modules) as needed:
        if needed:
            with installer.step("playwright-core and axe-core"):
                for name, package in packages.items():
                    (modules / name).mkdir(parents=True)
                    fetch(package, modules / name)
    return TOOLS


def setup_chromium():
    """The pinned Chromium; None where it does not run."""
    program = CHROMIUM / "chromium"
    with installer.installed_once(CHROMIUM, CHROMIUM_PACKAGE, FONTS, proof=program) as needed:
        if needed:
            with installer.step("Chromium 153 (70 MB)"):
                fetch(CHROMIUM_PACKAGE, CHROMIUM, "bin/")
                for name in ("chromium", "fonts.tar", "al2023.tar"):
                    packed = CHROMIUM / (name + ".br")
                    installer.run([node(), "-e", UNPACK, packed, CHROMIUM / name], "%s could not be unpacked" % packed)
                program.chmod(0o755)
                for name in ("fonts.tar", "al2023.tar"):
                    with tarfile.open(CHROMIUM / name) as tar:
                        tar.extraction_filter = getattr(tarfile, "data_filter", lambda member, _path: member)
                        tar.extractall(CHROMIUM)
                    (CHROMIUM / name).unlink()
                for packed in CHROMIUM.glob("*.br"):
                    packed.unlink()
                (CHROMIUM / "fonts.conf").write_text(FONTS % (CHROMIUM, CHROMIUM))
    fonts = {"FONTCONFIG_PATH": str(CHROMIUM)}
    # libraries of the machine come first: those of the package are for machines that have none
    for environment in (fonts, {**fonts, "LD_LIBRARY_PATH": str(CHROMIUM / "lib")}):
        browser = Browser(program, environment)
        if browser.starts():
            return browser
    return None


def candidates():
    """Programs of this machine that may be one."""
    if os.environ.get("CHROMIUM"):
        yield os.environ["CHROMIUM"]
        return
    for name in NAMES:
        found = shutil.which(name)
        if found:
            yield found
    if Path(MAC).exists():
        yield MAC


def find():
    """A browser that starts, or why there is none: exactly one of the two is not None."""
    setup_tools()
    for program in candidates():
        browser = Browser(program)
        if browser.starts():
            return browser, None
    if os.environ.get("CHROMIUM"):
        return None, "%s, which CHROMIUM names, does not start" % os.environ["CHROMIUM"]
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        return None, "this machine has no Chromium, and npm has none for %s on %s" % (platform.system(), platform.machine())
    try:
        browser = setup_chromium()
    except installer.SetupError as error:
        return None, str(error)
    return (browser, None) if browser else (None, "the Chromium of npm does not start here: %s" % (CHROMIUM / "chromium"))


def entry(arguments):
    if arguments:
        raise installer.SetupError("it takes no arguments")
    browser, why = find()
    print("chromium: %s" % (browser.executable if browser else "none. %s. %s" % (why, HOW)))
    return 0


if __name__ == "__main__":
    installer.main(entry)
