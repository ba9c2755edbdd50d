#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rules about whole files: length, licence line, names.

    file_rules.py ROOT          prints each violation; exit status 1 when there is one
"""
import os
import re
import sys

from source_tree import CODE, read_lines, source_files

MOST_LINES = 500
MOST_TEST_LINES = 800
LICENCE = "SPDX-License-Identifier: Apache-2.0"
VAGUE = re.compile(r"(^|_)(utils?|helpers?|common|misc|manager)(_|$)")
LICENSED = CODE + (".py", ".cmake", ".sh", "CMakeLists.txt")


def violations(root):
    """Lines 'path: what is wrong' in path order."""
    found = []
    for path in source_files(root, LICENSED):
        lines = read_lines(root, path)
        if not any(LICENCE in line for line in lines[:2]):
            found.append(f"{path}: its first line (second after #!) lacks '{LICENCE}'")
        limit = MOST_TEST_LINES if path.startswith("tests/") else MOST_LINES
        if len(lines) > limit:
            found.append(f"{path}: {len(lines)} lines, the limit is {limit}; does it hold more than one concept?")
        if VAGUE.search(os.path.splitext(os.path.basename(path))[0]):
            found.append(f"{path}: the name says nothing about what is in it")
    return found


if __name__ == "__main__":
    problems = violations(sys.argv[1])
    print("\n".join(problems) if problems else "all files keep the rules for files")
    sys.exit(1 if problems else 0)
