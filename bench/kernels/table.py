#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The results of `genexx bench --json FILE` as a Markdown table on stdout: bench/kernels/table.py FILE"""
import json
import sys


def row(case):
    rate = f"{1e-9 * case['bytes'] / case['median_s']:.1f} GB/s"
    if case["flop"] / case["median_s"] > 1e9:
        rate += f", {1e-9 * case['flop'] / case['median_s']:.0f} GFLOP/s"
    return (f"| {case['op']} | {case['shape']} | {1e6 * case['median_s']:.1f} | {1e6 * case['p10_s']:.1f} .. "
            f"{1e6 * case['p90_s']:.1f} | {rate} | {case['percent_of_ceiling']:.0f} |")


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        result = json.load(file)
    print(f"""# Kernels on {result['device']}

{'; '.join(result['devices'])}. {result['threads']} threads, {result['date']}, genexx {result['genexx']}, `{result['command']}`.
Ceilings of the same run: copy {1e-9 * result['copy_bytes_per_s']:.1f} GB/s, matrix product
{1e-9 * result['gemm_flop_per_s']:.0f} GFLOP/s. The last column is the larger share of the two; over 100: the data were in the caches.

| op | shape | median us | p10 .. p90 | rate | % of ceiling |
| --- | --- | --- | --- | --- | --- |""")
    for case in result["results"]:
        print(row(case))


if __name__ == "__main__":
    main()
