#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts test cases over all test programs of ./check and ends with one line: N passed, N failed, N skipped.

    check_summary.py [--junit FILE]... [--failed LINE]... [--skipped LINE]...

A JUnit file is one that ctest wrote. Where the output of a test holds a doctest or unittest summary, its cases are
counted; any other test counts as one. A case that printed "SKIPPED [case] reason" counts as skipped. The exit status
is 1 when anything failed or nothing ran.
"""
import argparse
import os
import re
import sys
import xml.etree.ElementTree as ElementTree

DOCTEST = re.compile(r"^\[doctest\] test cases:\s*(\d+) \|\s*(\d+) passed \|\s*(\d+) failed", re.M)
UNITTEST = re.compile(r"^Ran (\d+) tests? in .*\n\n(?:OK|FAILED)(?: \((.*)\))?$", re.M)
UNITTEST_SKIP = re.compile(r"^(\w+) \(.*\)(?:\n.*)? \.\.\. skipped (['\"])(.*)\2$", re.M)
SKIPPED = re.compile(r"^SKIPPED (?:\[(?P<case>[^\]]*)\] )?(?P<reason>.*)$", re.M)


class Count:
    def __init__(self):
        self.passed = 0
        self.failures = []  # lines for people
        self.skips = []
        self.failed = 0


def cases_of(output):
    """(passed, failed) over all summaries in `output`, or None when it holds none."""
    found = [(int(p), int(f)) for _, p, f in DOCTEST.findall(output)]
    for ran, notes in UNITTEST.findall(output):
        bad = sum(int(n) for n in re.findall(r"(?:failures|errors|unexpected successes)=(\d+)", notes))
        skipped = sum(int(n) for n in re.findall(r"skipped=(\d+)", notes))
        found.append((int(ran) - bad - skipped, bad))
    return (sum(p for p, _ in found), sum(f for _, f in found)) if found else None


def add_test(count, where, case):
    """Adds one <testcase> of ctest."""
    name = f"{where}: {case.get('name')}"
    output = case.findtext("system-out") or ""
    skips = {(m["case"] or m["reason"]): m["reason"] for m in SKIPPED.finditer(output)}
    skips.update({who: why for who, _, why in UNITTEST_SKIP.findall(output)})
    count.skips += [f"{name}: {who}: {why}" if who != why else f"{name}: {why}" for who, why in skips.items()]
    if case.get("status") in ("notrun", "disabled") or case.find("skipped") is not None:
        if not skips:
            count.skips.append(f"{name}: not run")
        return
    failed = case.get("status") == "fail" or case.find("failure") is not None
    cases = cases_of(output)
    if cases is None:
        passed, bad = (0, 1) if failed else (0 if skips else 1, 0)
    else:
        passed, bad = cases
        passed -= len({m["case"] for m in SKIPPED.finditer(output) if m["case"]})  # doctest calls them passed
        bad = max(bad, 1) if failed else bad  # a crash or a sanitizer's report after the summary
    count.passed += max(passed, 0)
    count.failed += bad
    if bad:
        count.failures.append(f"{name}\n{tail(output)}")


def tail(output, lines=60):
    return "\n".join("    " + line for line in output.rstrip().splitlines()[-lines:])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option in ("--junit", "--failed", "--skipped"):
        parser.add_argument(option, action="append", default=[])
    options = parser.parse_args()
    count = Count()
    for path in options.junit:
        where = os.path.basename(os.path.dirname(path)) or path
        try:
            cases = ElementTree.parse(path).getroot().findall("testcase")
        except (OSError, ElementTree.ParseError) as error:
            options.failed.append(f"{where}: no readable test results: {error}")
            continue
        for case in cases:
            add_test(count, where, case)
    count.failed += len(options.failed)
    count.failures += options.failed
    count.skips += options.skipped
    for line in sorted(count.skips):
        print(f"SKIPPED {line}")
    for line in count.failures:
        print(f"FAILED {line}")
    print(f"{count.passed} passed, {count.failed} failed, {len(count.skips)} skipped")
    return 1 if count.failed or not count.passed else 0


if __name__ == "__main__":
    sys.exit(main())
