# SPDX-License-Identifier: Apache-2.0
"""The files of the project that the rules are about."""
import os

ROOMS = ("engine", "kernels", "models", "io", "tools", "python", "tests", "bench")
CODE = (".h", ".cc", ".cu", ".cuh")


def source_files(root, endings=CODE):
    """Paths, relative to `root`, of our own files in the rooms with one of `endings`; vendored ones are not ours."""
    found = []
    for room in ROOMS:
        for folder, folders, names in os.walk(os.path.join(root, room)):
            folders[:] = sorted(f for f in folders if "vendor" not in f and f != "__pycache__")
            for name in sorted(names):
                if name.endswith(endings):
                    found.append(os.path.relpath(os.path.join(folder, name), root))
    return found


def read_lines(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read().splitlines()
