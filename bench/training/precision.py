#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What classes of precision do to final metrics: whole trainings of every system on the CPU, emulated numerics.

    precision.py DATA_FOLDER [--seeds 5] [--program build/genexx] [--threads 1] [--only SYSTEM] [--out FILE_WITHOUT_EXTENSION]

The CPU rounds what tensor cores round; sums are f32 in the CPU's order. Every class trains from the same seeds (split,
first weights, order of cells). Differences are those of the means over seeds, with the 95 % interval of Welch's test.
"""
import argparse
import gzip
import json
import math
import pathlib
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from results import default_out, origin, write_result  # noqa: E402

CLASSES = (("fp32", "fp32", "fp32"), ("3xtf32", "3xtf32", "fp32"), ("tf32", "tf32", "fp32"), ("bf16", "bf16", "fp32"),
           ("fp32, bf16 moments", "fp32", "bf16"), ("bf16, bf16 moments", "bf16", "bf16"))
# Two-sided 95 % points of Student's t for 1, 2, ... degrees of freedom.
STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
           2.120, 2.110, 2.101, 2.093, 2.086)
LANDMARK_EVERY = 4  # of the genes of the TCGA table


def landmarks_of(table, path):
    """Every fourth gene of a table of genes by samples."""
    with gzip.open(table, "rt") as text:
        genes = [line.split("\t", 1)[0] for line in text][1:]
    path.write_text("".join(gene + "\n" for gene in genes[::LANDMARK_EVERY]))
    return path


def systems(data, work, program):
    """Name, what it is trained on, arguments of `genexx train`, names of the metrics in metrics.json."""
    landmarks = landmarks_of(data / "tcga_brca_520x2598.tsv.gz", work / "landmarks.txt")
    regions = work / "regions"
    subprocess.run([program, "simulate", "--kind", "regions", "--out", regions, "--seed", "1", "--quiet"], check=True)
    one = ["--replicas", "1"]
    return [
        ("scannonet", "Zheng 68K, 692 cells", [data / "zheng68k_counts_csr_int32.h5ad", "--label", "bulk_labels", *one],
         ("accuracy", "macro_f1")),
        ("scannonet", "islets, Wang, 496 cells", [data / "islet_wang_log.h5ad", "--label", "cell_type", *one],
         ("accuracy", "macro_f1")),
        ("fly", "Baron mouse 1, 796 cells", [data / "baron_mouse1_csc.h5ad", "--label", "cell_type", *one],
         ("accuracy", "macro_f1")),
        ("dgex", "TCGA BRCA, 520 samples, 650 landmarks",
         [data / "tcga_brca_520x2598.tsv.gz", "--landmarks", landmarks, "--set", "network.hidden=300", "--set",
          "train.epochs=40", *one], ("mae",)),
        ("transbrain", "simulated regions", [regions, "--set", "train.epochs=10", *one], ("accuracy", "macro_f1")),
    ]


def train(program, system, arguments, kind, seed, threads, out):
    _, precision, moments = kind
    command = [program, "train", *arguments, "--model", system, "--precision", precision, "--set",
               f"train.moments={moments}", "--seed", str(seed), "--device", "cpu", "--threads", str(threads), "--out",
               out, "--quiet"]
    done = subprocess.run([str(word) for word in command], stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(str(word) for word in command)}\n{done.stderr}")
    return json.loads((out / "metrics.json").read_text())


def welch(a, b):
    """Half the 95 % interval of mean(b) - mean(a)."""
    spread = [statistics.variance(x) / len(x) for x in (a, b)]
    if sum(spread) == 0:
        return 0.0
    freedom = sum(spread) ** 2 / sum(s * s / (len(x) - 1) for s, x in zip(spread, (a, b)))
    return STUDENT[min(len(STUDENT), int(freedom)) - 1] * math.sqrt(sum(spread))


def measure(options, work):
    rows = []
    for system, text, arguments, metrics in systems(options.data, work, options.program):
        if options.only and system != options.only:
            continue
        values = {}
        for kind in CLASSES:
            runs = [train(options.program, system, arguments, kind, seed, options.threads,
                          work / f"{system}-{len(rows)}-{kind[0]}-{seed}") for seed in range(options.seeds)]
            values[kind[0]] = {m: [run["test"][m] for run in runs] for m in metrics}
            print(system, text, kind[0], values[kind[0]], file=sys.stderr, flush=True)
        for m in metrics:
            exact = values["fp32"][m]
            for name, found in values.items():
                rows.append({"system": system, "data": text, "metric": m, "class": name, "values": found[m],
                             "mean": statistics.mean(found[m]), "sd": statistics.stdev(found[m]),
                             "difference": statistics.mean(found[m]) - statistics.mean(exact),
                             "welch95": welch(exact, found[m])})
    return rows


def table(rows):
    lines = ["| system, data | metric | class | mean | sd over seeds | minus fp32 (95 % of Welch's test) |",
             "| --- | --- | --- | --- | --- | --- |"]
    for row in rows:
        difference = "" if row["class"] == "fp32" else f"{row['difference']:+.4f} ± {row['welch95']:.4f}"
        lines.append(f"| {row['system']}, {row['data']} | {row['metric']} | {row['class']} | {row['mean']:.4f} | "
                     f"{row['sd']:.4f} | {difference} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--program", default="build/genexx")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", choices=("scannonet", "fly", "dgex", "transbrain"))
    parser.add_argument("--out", default=default_out("precision_accuracy"))
    options = parser.parse_args()
    if options.seeds < 2:
        parser.error(f"--seeds is {options.seeds}, expected at least 2: a spread needs two")
    with tempfile.TemporaryDirectory() as work:
        rows = measure(options, pathlib.Path(work))
    where = origin(f"bench/training/precision.py DATA --seeds {options.seeds}", False)
    report = (f"# Final metrics by class of precision: emulated numerics\n\n`{where['command']}`, "
              f"{where['machine']['Model name']}, commit {where['commit']}, {where['date']}.\n\n{table(rows)}\n")
    write_result(options.out, {**where, "numerics": "emulated", "rows": rows}, report)


if __name__ == "__main__":
    main()
