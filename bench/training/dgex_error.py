#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Test error of D-GEX and of its ridge baseline on the two small real data sets.

    dgex_error.py DATA_FOLDER [--program build/genexx] [--seeds 0 1 2 3 4]

tcga: breast tumours, the 303 landmarks among 2598 genes to the other 2295. l1000: z-scores, the first 300 genes to the other
678. A seed draws split (70, 10 and 20 percent), weights and batches; the epoch is chosen on the validation profiles; the
baseline is fitted on the same training profiles. Prints a table of means over the seeds.
"""
import argparse
import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile

NETWORK = ["--set", "network.hidden=1000"]


def tcga_landmarks(folder):
    with open(os.path.join(folder, "tcga_brca_520x2598_genes.tsv"), encoding="utf-8") as file:
        header, *genes = [line.rstrip("\n").split("\t") for line in file]
    told = header.index("is_l1000_landmark")
    with gzip.open(os.path.join(folder, "tcga_brca_520x2598.tsv.gz"), "rt", encoding="utf-8") as file:
        next(file)
        names = {line.split("\t", 1)[0] for line in file}
    id_column = next(i for i in range(len(header)) if {gene[i] for gene in genes} == names)
    return [gene[id_column] for gene in genes if gene[told].lower() in ("1", "true", "yes")]


def l1000_landmarks(folder):
    with open(os.path.join(folder, "l1000_ljp_level3_qnorm_377x978.gct"), encoding="utf-8") as file:
        next(file)
        _, _, _, column_fields = map(int, next(file).split())
        rows = [line.split("\t", 1)[0] for line in file]
    return rows[1 + column_fields:][:300]  # the .gctx has the same genes in the same order


CASES = {
    "tcga": ("tcga_brca_520x2598.tsv.gz", tcga_landmarks, []),
    "l1000": ("l1000_ljp_level4_zscore_377x978.gctx", l1000_landmarks, ["--set", "train.epochs=150"]),
}


def run(program, folder, case, seed, scratch):
    file, landmarks, more = CASES[case]
    listed = os.path.join(scratch, case + ".landmarks.txt")
    with open(listed, "w", encoding="utf-8") as out:
        out.write("\n".join(landmarks(folder)) + "\n")
    directory = os.path.join(scratch, f"{case}.{seed}")
    words = [program, "train", os.path.join(folder, file), "--model", "dgex", "--landmarks", listed, "--seed", str(seed), "--out",
             directory, "--quiet", "--threads", "1", *NETWORK, *more]
    done = subprocess.run(words, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(words)}: {done.stderr}")
    with open(os.path.join(directory, "metrics.json"), encoding="utf-8") as metrics:
        return json.load(metrics)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--program", default=os.path.join(os.path.dirname(__file__), "..", "..", "build", "genexx"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    options = parser.parse_args()
    print("| data | test error of each seed | mean | ridge, mean | genes better than ridge | seconds a run |")
    print("|---|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        for case in CASES:
            runs = [run(options.program, options.data, case, seed, scratch) for seed in options.seeds]
            errors = [metrics["test"]["mae"] for metrics in runs]
            ridge = statistics.mean(metrics["baseline"]["mae"] for metrics in runs)
            better = statistics.mean(metrics["baseline"]["genes_improved"] for metrics in runs)
            seconds = statistics.mean(metrics["seconds"]["train"] for metrics in runs)
            print(f"| {case} | {', '.join(f'{error:.4f}' for error in errors)} | {statistics.mean(errors):.4f} | {ridge:.4f} | "
                  f"{100 * better:.1f} % | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
