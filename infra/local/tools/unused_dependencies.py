#!/usr/bin/env python3
"""Names each dependency that no line of its crate uses, and each of the workspace's that no crate has.

Every unused one is compiled all the same. A crate that is there for its features alone is listed, with the reason beside it, in the
crate's `[package.metadata.unused] ignored`.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
INCLUDED = re.compile(r'#\[path = "(?P<path>[^"]+)"\]')


def metadata():
    command = [os.environ.get("CARGO", "cargo"), "metadata", "--locked", "--no-deps", "--format-version", "1"]
    return json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)


def source_of(folder):
    """The text of every Rust file of a crate, and of those that it includes from elsewhere."""
    files = sorted(folder.rglob("*.rs"))
    texts = {file: file.read_text() for file in files}
    for file, text in list(texts.items()):
        for match in INCLUDED.finditer(text):
            included = (file.parent / match["path"]).resolve()
            if included.is_file():
                texts[included] = included.read_text()
    return "\n".join(texts.values())


def uses(source, crate):
    return re.search(r"(?<!\w)(?<!\w::)%s\s*::|\buse (::)?%s\b" % (crate, crate), source) is not None


def unused_of(package):
    source = source_of(Path(package["manifest_path"]).parent)
    ignored = ((package["metadata"] or {}).get("unused") or {}).get("ignored", [])
    for dependency in package["dependencies"]:
        name = dependency["rename"] or dependency["name"]
        # a library's name may differ from its package's (`md-5` is `md5`, `dynoxide-rs` is `dynoxide`)
        names = {name.replace("-", "_"), name.replace("-", ""), name.removesuffix("-rs").replace("-", "_")}
        if name not in ignored and not any(uses(source, each) for each in names):
            yield name


def unused_of_workspace(packages):
    wanted = {dependency["name"] for package in packages for dependency in package["dependencies"]}
    manifest = (ROOT / "Cargo.toml").read_text()
    table = manifest.split("[workspace.dependencies]\n", 1)[1].split("\n[", 1)[0]
    return [name for name in re.findall(r"^([\w-]+) = ", table, re.MULTILINE) if name not in wanted]


def main():
    packages = metadata()["packages"]
    found = ["%s: %s" % (package["name"], name) for package in packages for name in unused_of(package)]
    found += ["the workspace: %s" % name for name in unused_of_workspace(packages)]
    for line in found:
        print("unused dependency of %s" % line, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
