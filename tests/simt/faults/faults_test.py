#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs genexx_emulated_faults case by case: a build must notice the seeded faults it is meant for, and no right kernel.

    faults_test.py PROGRAM MODE [CASE]       MODE: plain, address, thread; without CASE all of them
"""
import os
import subprocess
import sys

ORDERS = ("forward", "reverse", "random:1", "random:2,large")

# Who must notice. "result": wrong in at least one order; "rule": named by the emulator; "bounds", "undefined", "race": a
# report of the sanitizer. A build without an entry for a case need not notice it.
CASES = {
    "no_barrier_before_read": {"plain": "result", "thread": "race"},
    "warp_barrier_for_block": {"plain": "result", "thread": "race"},
    "no_barrier_before_next_write": {"plain": "result", "thread": "race"},
    "lock_step_assumed": {"plain": "result", "thread": "race"},
    "sum_without_atomic": {"thread": "race"},
    "sum_without_atomic_after_barrier": {"thread": "race"},
    "last_block_without_fence": {"thread": "race"},
    "reads_unwritten": {"plain": "result", "address": "result", "thread": "result"},
    "index_past_shared": {"address": "undefined"},
    "pointer_past_shared": {"address": "bounds"},
    "past_dynamic_shared": {"address": "bounds"},
    "vector_past_end": {"address": "bounds"},
    "label_is_class_count": {"address": "bounds"},
    "misaligned_vector": {"address": "undefined"},
    "index_overflow": {"address": "undefined"},
    "barrier_in_both_branches": {"plain": "rule", "address": "rule", "thread": "rule"},
}
RIGHT = ("block_reduction", "lock_step_made", "last_block_with_fence")
SIGNS = {
    "result": "the results are wrong",
    "rule": "divergent barrier",
    "bounds": "ERROR: AddressSanitizer",
    "undefined": "runtime error:",
    "race": "WARNING: ThreadSanitizer: data race",
}


def run(program, case, order):
    environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=0", TSAN_OPTIONS="exitcode=66:halt_on_error=1:atexit_sleep_ms=0")
    done = subprocess.run([program, case, order], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment,
                          timeout=120, check=False)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def complaint(program, mode, case):
    """What is wrong with how this build takes the case; empty when nothing is."""
    wanted = None if case in RIGHT else CASES[case].get(mode)
    if case not in RIGHT and not wanted:
        return ""
    statuses = []
    for order in ORDERS:
        status, text = run(program, case, order)
        statuses.append(status)
        if case in RIGHT and status != 0:
            return f"{order}: exit status {status}: {text[:500]}"
        if wanted and status != 0 and SIGNS[wanted] in text:
            return ""
    return f"no order brought '{SIGNS[wanted]}'; exit statuses {statuses}" if wanted else ""


def main():
    program, mode = sys.argv[1:3]
    names = sys.argv[3:] or list(CASES) + list(RIGHT)
    listed = subprocess.run([program], stdout=subprocess.PIPE, check=True).stdout.decode().split()
    failed = [f"not in faults_test.py: {name}" for name in listed if name not in CASES and name not in RIGHT]
    noticed = 0
    for name in names:
        wrong = complaint(program, mode, name)
        if wrong:
            failed.append(f"{name}: {wrong}")
        elif name in RIGHT or mode in CASES[name]:
            noticed += 1
    print("\n".join(failed))
    print(f"{mode}: {noticed} of {sum(n in RIGHT or mode in CASES[n] for n in names)} cases as they should be")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
