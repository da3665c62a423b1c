#!/usr/bin/env python3
"""The console's libraries: files of npm packages, pinned, below console/vendor.

    python3 spec/browser/vendor.py            checks the files against vendor.json
    python3 spec/browser/vendor.py --fetch    also gets the packages again (npm) and compares

vendor.json names for each file its package, the path in it, and the SHA-256 of what stands here.
The only change to a file is the one named in `replace`: modules find each other by a relative
path, because a browser knows no package names, and what is published as a script exports its name.
"""

import base64
import hashlib
import json
import os
import subprocess
import sys
import tarfile
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, "..", "..", "console", "vendor")


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def read(path):
    with open(path, "rb") as file:
        return file.read()


def verify(index):
    """Problems as sentences."""
    listed = {"vendor.json"}
    for package in index["packages"]:
        for name, about in package["files"].items():
            listed.add(name)
            path = os.path.join(FOLDER, name)
            if not os.path.exists(path):
                yield f"{name}: missing"
            elif sha256(read(path)) != about["sha256"]:
                yield f"{name}: is not the pinned file of {package['name']} {package['version']}"
    for name in sorted(set(os.listdir(FOLDER)) - listed):
        yield f"{name}: not in vendor.json"


def fetched(package, folder):
    """The package's files by their path in it."""
    name = f"{package['name']}@{package['version']}"
    made = subprocess.run(["npm", "pack", "--json", "--pack-destination", folder, name],
                          stdout=subprocess.PIPE, check=True)
    path = os.path.join(folder, json.loads(made.stdout)[0]["filename"])
    digest = base64.b64encode(hashlib.sha512(read(path)).digest()).decode()
    if "sha512-" + digest != package["integrity"]:
        raise SystemExit(f"{name}: what npm gave is not what was pinned")
    with tarfile.open(path) as archive:
        return {member.name.split("/", 1)[1]: archive.extractfile(member).read()
                for member in archive if member.isfile()}


def compare(index):
    with tempfile.TemporaryDirectory() as folder:
        for package in index["packages"]:
            files = fetched(package, folder)
            for name, about in package["files"].items():
                data = files[about["path"]]
                for old, new in about.get("replace", {}).items():
                    data = data.replace(old.encode(), new.encode())
                if sha256(data) != about["sha256"]:
                    yield f"{name}: differs from {package['name']} {package['version']}"


def main(arguments):
    index = json.loads(read(os.path.join(FOLDER, "vendor.json")))
    problems = list(verify(index))
    if "--fetch" in arguments:
        problems += compare(index)
    for problem in problems:
        print(f"vendor: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
