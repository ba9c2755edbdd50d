#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What nvcc makes of the kernels: no spilled registers, no stack, and accesses of 16 bytes where they are meant.

    device_code.py ROOT [--only NAME ...] [--jobs N]

Compiles every kernels/*_cuda.cu for sm_90a and reads what ptxas says; then reads the PTX of the ops in WIDE. Prints each
violation; exit status 1 when there is one, 77 without nvcc.
"""
import argparse
import concurrent.futures
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

ARCHITECTURE = "sm_90a"
# Kernels bound by memory, whose f32 form moves whole quads: by op, which of them load and store 16 bytes at once.
WIDE = {
    "activation": ("forward_kernel", "backward_kernel"),
    "dropout": ("apply_kernel",),
    "activation_dropout": ("forward_kernel", "backward_kernel"),
    "batch_norm": ("forward_kernel", "backward_kernel"),
    "gate": ("forward_kernel", "backward_kernel"),
    "ingest": ("ingest_kernel",),
}
STORES_ONLY = {"ingest"}  # reads what a cell stores, which lies anywhere

KERNEL = re.compile(r"Compiling entry function '([^']+)'")
FRAME = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
ENTRY = re.compile(r"^(?:\.(?:visible|weak) )*\.entry (\w+)", re.MULTILINE)


def find_nvcc():
    return shutil.which("nvcc") or shutil.which("/usr/local/cuda/bin/nvcc")


def nvcc_command(nvcc, root, source, target, mode):
    return [nvcc, "-std=c++20", "--expt-relaxed-constexpr", f"-arch={ARCHITECTURE}", "-Xptxas", "-v", "-I", root, mode,
            source, "-o", target]


def frames(report):
    """(kernel, stack, spill stores, spill loads) of every entry that ptxas names."""
    kernel = ""
    for line in report.splitlines():
        found = KERNEL.search(line)
        if found:
            kernel = found.group(1)
        found = FRAME.search(line)
        if found and kernel:
            yield (kernel, *map(int, found.groups()))


def entries(ptx):
    """Name and text of every kernel."""
    starts = list(ENTRY.finditer(ptx))
    for i, start in enumerate(starts):
        end = starts[i + 1].start() if i + 1 < len(starts) else len(ptx)
        yield start.group(1), ptx[start.start():end]


def accesses_16_bytes(text, kind):
    """Whether there is a load or store of global memory that moves 16 bytes at once."""
    return bool(re.search(rf"\b{kind}\.global[.\w:]*\.v(4\.[fbus]32|2\.[fbus]64)", text))


def wide_violations(op, ptx):
    found = dict.fromkeys(WIDE[op], False)
    for name, text in entries(ptx):
        for kernel in found:
            # The template argument float is mangled as f in I...E behind the name.
            if not re.search(rf"\d{kernel}If", name):
                continue
            found[kernel] = True
            for kind in ("st",) if op in STORES_ONLY else ("ld", "st"):
                if not accesses_16_bytes(text, kind):
                    yield f"{op}: {kernel}<float> has no {kind}.global of 16 bytes"
    for kernel, seen in found.items():
        if not seen:
            yield f"{op}: {kernel}<float> is not in the PTX"


def examine(nvcc, root, source):
    """The violations of one file."""
    op = os.path.basename(source)[:-len("_cuda.cu")]
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(nvcc_command(nvcc, root, source, os.path.join(folder, "x.o"), "-c"), capture_output=True,
                             text=True, check=False)
        if run.returncode != 0:
            return [f"{op}: does not compile\n{run.stderr}"]
        kernels = list(frames(run.stdout + run.stderr))
        violations = [f"{op}: {kernel} has {stack} bytes of stack, {stores} of spill stores, {loads} of spill loads"
                      for kernel, stack, stores, loads in kernels if stack or stores or loads]
        if not kernels:
            violations.append(f"{op}: ptxas names no kernel")
        if op in WIDE:
            target = os.path.join(folder, "x.ptx")
            subprocess.run(nvcc_command(nvcc, root, source, target, "-ptx"), capture_output=True, check=True)
            with open(target, encoding="utf-8") as file:
                violations += wide_violations(op, file.read())
        return violations


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("root")
    parser.add_argument("--only", nargs="*", default=[], help="ops; all without it")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    nvcc = find_nvcc()
    if not nvcc:
        print("no nvcc on PATH or in /usr/local/cuda/bin")
        return 77
    sources = sorted(glob.glob(os.path.join(options.root, "kernels", "*_cuda.cu")))
    if options.only:
        sources = [s for s in sources if os.path.basename(s)[:-len("_cuda.cu")] in options.only]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        violations = sum(pool.map(lambda s: examine(nvcc, options.root, s), sources), [])
    for violation in violations:
        print(violation)
    print(f"{len(sources)} files compiled for {ARCHITECTURE}, {len(violations)} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
