#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What changed between new results of a bench and the last committed ones.

    bench/changes.py NEW.json [OLD.json] [--least 0.02] [--other-machine] [--fail-on-slower]

NEW and OLD are results of `genexx bench --json`, of bench/training/compare.py, of bench/training/race.py or of a program of
bench/device. Without OLD it is bench/results/NAME.json as last committed (as it lies there where this is no repository).
Every time has a median and the 10th and 90th percentile of its runs. The verdict:

    FASTER, SLOWER   the intervals of 10th to 90th percentile lie apart, and the medians by more than --least
    SAME             the medians are at most --least apart, or the intervals are narrow and each holds the other's median
    UNCLEAR          anything else: the intervals overlap, and the noise hides whether something changed

Results of different machines are refused without --other-machine. Exit code: 0; 1 with --fail-on-slower where something is
SLOWER; 2 where the results cannot be compared.
"""
import argparse
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NARROW = 0.1  # (p90 - p10) / median up to which an interval can say that nothing changed


def leave(message):
    print(f"changes: {message}", file=sys.stderr)
    sys.exit(2)


def times(result):
    """{name: (median, p10, p90)} in milliseconds."""
    if "results" in result:  # of kernels: seconds
        return {" ".join(filter(None, (r["op"], r["shape"], r.get("precision"), r.get("cache")))):
                tuple(1e3 * r[key] for key in ("median_s", "p10_s", "p90_s")) for r in result["results"]}
    found = {}
    for name, phases in result.get("contenders", {}).items():
        for phase, time in phases.items():
            if isinstance(time, dict) and {"median", "p10", "p90"} <= time.keys():
                found[f"{name}, {phase}"] = (time["median"], time["p10"], time["p90"])
    return found


def machine(result):
    """What must agree for times to be comparable."""
    if "machine" in result:
        return {key: value for key, value in result["machine"].items() if key != "system"}
    return {"devices": result.get("devices"), "threads": result.get("threads")}


def verdict(new, old, least):
    ratio = new[0] / old[0]
    apart = new[2] < old[1] or new[1] > old[2]
    if abs(ratio - 1) <= least:
        return "SAME"
    if apart:
        return "FASTER" if ratio < 1 else "SLOWER"
    narrow = all((high - low) / median <= NARROW for median, low, high in (new, old))
    if narrow and old[1] <= new[0] <= old[2] and new[1] <= old[0] <= new[2]:
        return "SAME"
    return "UNCLEAR"


def committed(path):
    """The last committed result of this file's name."""
    name = "bench/results/" + os.path.basename(path)
    done = subprocess.run(["git", "-C", ROOT, "show", "HEAD:" + name], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return json.loads(done.stdout)
    if os.path.exists(os.path.join(ROOT, name)):
        return read(os.path.join(ROOT, name))
    return leave(f"{name} was never committed: there is nothing to compare {path} with; name an older result as second file")


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError) as error:
        return leave(f"{path}: {error}; expected JSON that a bench wrote")


def table(new, old, least):
    """The lines of a Markdown table, and every verdict."""
    after, before = times(new), times(old)
    if not after or not before:
        leave("no times in " + ("the new" if not after else "the old") + " result; expected `results` or `contenders`")
    lines, verdicts = ["| what | before, ms | after, ms | after / before | |", "| --- | --- | --- | --- | --- |"], []
    for name in [name for name in after if name in before]:
        a, b = after[name], before[name]
        verdicts.append(verdict(a, b, least))
        shown = [f"{median:.4g} ({low:.4g} .. {high:.4g})" for median, low, high in (b, a)]
        lines.append(f"| {name} | {shown[0]} | {shown[1]} | {a[0] / b[0]:.3f} | {verdicts[-1]} |")
    lines += [f"| {name} | | {after[name][0]:.4g} | | new |" for name in after if name not in before]
    lines += [f"| {name} | {before[name][0]:.4g} | | | gone |" for name in before if name not in after]
    return lines, verdicts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("new")
    parser.add_argument("old", nargs="?")
    parser.add_argument("--least", type=float, default=0.02, help="smallest change of the median that counts")
    parser.add_argument("--other-machine", action="store_true", help="compare although the machines differ")
    parser.add_argument("--fail-on-slower", action="store_true")
    options = parser.parse_args()
    new = read(options.new)
    old = read(options.old) if options.old else committed(options.new)
    if machine(new) != machine(old) and not options.other_machine:
        leave(f"the results are of different machines: {machine(old)} before, {machine(new)} after; --other-machine compares them "
              "all the same")
    lines, verdicts = table(new, old, options.least)
    print("\n".join(lines))
    counts = ", ".join(f"{verdicts.count(word)} {word}" for word in ("FASTER", "SLOWER", "SAME", "UNCLEAR"))
    print(f"\nBefore: {old.get('date')}, {old.get('commit', old.get('genexx'))}; after: {new.get('date')}, "
          f"{new.get('commit', new.get('genexx'))}. {counts}.")
    sys.exit(1 if options.fail_on_slower and "SLOWER" in verdicts else 0)


if __name__ == "__main__":
    main()
