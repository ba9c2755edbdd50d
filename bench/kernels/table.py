#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The results of `genexx bench --json FILE` as a Markdown table on stdout.

    bench/kernels/table.py FILE [--products FILE.jsonl]

--products: what bench_epilogues printed; products get a column with cuBLASLt's best algorithm for the product alone. Where the
densities of break_even were measured, the density from which dense is faster follows.
"""
import argparse
import json
import re


def products(path):
    """{(n, in, out, pass, precision): microseconds} of cuBLASLt's plain products."""
    found = {}
    if path:
        with open(path, encoding="utf-8") as file:
            for line in map(json.loads, file):
                fits = re.fullmatch(r"\S+ (.*) n=(\d+) \((\d+),(\d+)\) (\w+)", line["case"]) if line["bench"] == "gemm" else None
                if fits and "median_us" in line:
                    found[fits[2], fits[4], fits[3], fits[1], fits[5]] = line["median_us"]
    return found


def product_of(case, plain):
    fits = re.fullmatch(r"n=(\d+) in=(\d+) out=(\d+) (.*)", case["shape"])
    return plain.get((*fits.groups(), case.get("precision"))) if fits and case["op"] == "linear" else None


def row(case, plain):
    rate = f"{1e-9 * case['bytes'] / case['median_s']:.1f} GB/s"
    if case["flop"] / case["median_s"] > 1e9:
        rate += f", {1e-9 * case['flop'] / case['median_s']:.0f} GFLOP/s"
    cells = [case["op"], case["shape"] + "".join(f", {case[key]}" for key in ("precision", "cache") if key in case),
             f"{1e6 * case['median_s']:.1f}", f"{1e6 * case['p10_s']:.1f} .. {1e6 * case['p90_s']:.1f}", rate,
             f"{case['percent_of_ceiling']:.0f}"]
    if plain:
        of = product_of(case, plain)
        cells.append("" if of is None else f"{1e6 * case['median_s'] / of:.2f}")
    return f"| {' | '.join(cells)} |"


def crossing(stored, dense):
    """The density where stored cells become as slow as dense ones, on a straight line between those measured; None: never."""
    shared = sorted(set(stored) & set(dense))
    for low, high in zip(shared, shared[1:]):
        below, above = stored[low] - dense[low], stored[high] - dense[high]
        if below <= 0 < above:
            return low + (high - low) * -below / (above - below)
    return shared[0] if shared and stored[shared[0]] > dense[shared[0]] else None


def break_even(results):
    times = {}
    for case in results:
        fits = re.fullmatch(r"density ([\d.]+)% (\w+)", case["shape"]) if case["op"] == "break_even" else None
        if fits:
            times.setdefault((fits[2], case.get("precision", "fp32")), {})[float(fits[1])] = case["median_s"]
    lines = []
    for (form, precision), dense in times.items():
        if form == "dense":
            found = crossing(times.get(("stored", "fp32"), {}), dense)
            lines.append(f"- {precision}: " + ("stored cells are faster at every density measured" if found is None else
                                               f"dense is faster from {found:.2g} % on"))
    return ["", "Where the first layer on stored cells stops paying:", *lines] if lines else []


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--products")
    options = parser.parse_args()
    with open(options.file, encoding="utf-8") as file:
        result = json.load(file)
    plain = products(options.products)
    more = "".join(f", {name} {1e-12 * result[key]:.0f} TFLOP/s" for name, key in (("tf32", "tf32_flop_per_s"), ("bf16", "bf16_flop_per_s"))
                   if result.get(key))
    last = " | time / cuBLASLt's product |" if plain else " |"
    print(f"""# Kernels on {result['device']}

{'; '.join(result['devices'])}. {result['threads']} threads, {result['date']}, genexx {result['genexx']}, `{result['command']}`.
Ceilings of the same run: copy {1e-9 * result['copy_bytes_per_s']:.1f} GB/s, matrix product
{1e-9 * result['gemm_flop_per_s']:.0f} GFLOP/s{more}. The % column is the larger share of the two; over 100: the data were in the caches.

| op | shape | median us | p10 .. p90 | rate | % of ceiling{last}
| --- | --- | --- | --- | --- | --- |{' --- |' if plain else ''}""")
    for case in result["results"]:
        print(row(case, plain))
    for line in break_even(result["results"]):
        print(line)


if __name__ == "__main__":
    main()
