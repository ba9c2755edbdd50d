#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Five-fold accuracy and macro F1 of scAnnoNet on the files of a data folder, mean of three seeds; a table on stdout.
#   bench/training/accuracy.sh DATA_FOLDER [genexx train options...]
set -euo pipefail
data=$1
shift
program=$(dirname "$0")/../../build/genexx
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf '| data | accuracy | macro F1 | sd over seeds | seconds |\n|---|---|---|---|---|\n'
while read -r file label more; do
  for seed in 0 1 2; do
    # shellcheck disable=SC2086
    "$program" train "$data/$file" --label "$label" $more --folds 5 --seed "$seed" --out "$work/$file.$seed" --quiet "$@" 2> /dev/null
  done
  python3 - "$work/$file" << 'PYTHON'
import json, statistics, sys
runs = [json.load(open(f"{sys.argv[1]}.{seed}/metrics.json")) for seed in (0, 1, 2)]
accuracy = [run["test"]["accuracy"] for run in runs]
f1 = [run["test"]["macro_f1"] for run in runs]
seconds = [run["seconds"]["train"] for run in runs]
print(f"| {sys.argv[1].split('/')[-1]} | {statistics.mean(accuracy):.3f} | {statistics.mean(f1):.3f} | "
      f"{statistics.stdev(accuracy):.3f} / {statistics.stdev(f1):.3f} | {statistics.mean(seconds):.1f} |", flush=True)
PYTHON
done << 'DATA'
zheng68k_counts_csr_int32.h5ad bulk_labels
tabula_muris_immune_1000.h5ad cell_type
baron_mouse1_csc.h5ad cell_type
darmanis_brain_466_v07layout.h5ad cell_type
islet_xin_log.h5ad cell_type
islet_wang_log.h5ad cell_type
fca_drosophila_gut_dense.h5ad annotation
mouse_bladder_2100_xy.h5 Y
starmap_mouse_mpfc.loom Clusters --exclude-label NA
DATA
