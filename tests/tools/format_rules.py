#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every source file is as clang-format 14 would write it. Other versions write differently, so only that one counts.

    format_rules.py ROOT [--mend]     names the files that differ, or mends them; exit status 77: no clang-format 14
"""
import shutil
import subprocess
import sys

from source_tree import source_files


def main(root, mend):
    formatter = shutil.which("clang-format-14")
    if not formatter:
        print("SKIPPED needs clang-format-14")
        return 77
    mode = ["-i"] if mend else ["--dry-run", "-Werror"]
    done = subprocess.run([formatter, "--style=file", *mode, *source_files(root)], cwd=root, capture_output=True, text=True)
    differing = sorted({line.split(":")[0] for line in done.stderr.splitlines() if "error:" in line})
    for path in differing:
        print(f"{path}: not formatted; run python3 tests/tools/format_rules.py . --mend")
    if done.returncode and not differing:
        print(done.stderr)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], "--mend" in sys.argv[2:]))
