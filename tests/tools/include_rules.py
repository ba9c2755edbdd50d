#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads the #include lines of the whole project and proves that dependencies point one way.

    include_rules.py ROOT       prints each violation; exit status 1 when there is one

    tools, python, tests, bench   may include anything; the rooms below include none of them
    models -> kernels, engine     kernels -> engine     io -> engine     engine -> engine
"""
import re
import sys

from source_tree import read_lines, source_files

ALLOWED = {
    "engine": {"engine"},
    "kernels": {"kernels", "engine"},
    "models": {"models", "kernels", "engine"},
    "io": {"io", "engine"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
CUDA_HEADER = re.compile(r"^(cuda|cublas|cudnn|nccl|curand|cusparse|cooperative_groups|cub/|nvtx|mma\.h|driver_types)")
CUDA_PLACES = re.compile(r"^(engine/cuda/|engine/comm/|kernels/launch\.h$|kernels/[^/]*_cuda\.|kernels/device/)")
FILE_FORMAT_HEADER = re.compile(r"^(hdf5|H5|zlib|lzf|liblzf)")
EMULATOR = "tests/simt/"  # what stands in for the CUDA headers when kernels run on the CPU


def violations(root):
    """Lines 'path:line: what is wrong' in path order; also reports cycles between our headers."""
    found, edges = [], {}
    for path in source_files(root):
        room = path.split("/")[0]
        for number, line in enumerate(read_lines(root, path), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            header = match.group(2)
            if match.group(1) == '"':
                edges.setdefault(path, set()).add(header)
            problem = problem_of(path, room, header, match.group(1) == '"')
            if problem:
                found.append(f"{path}:{number}: {problem}")
    return found + cycles(edges)


def problem_of(path, room, header, quoted):
    target = header.split("/")[0]
    if quoted and "/" not in header:
        return f'includes "{header}" without its folder; write the path from the top of the project'
    if CUDA_HEADER.match(header) and room not in ("tests", "bench", "tools") and not CUDA_PLACES.match(path):
        return f"includes the CUDA header {header}; only engine/cuda, engine/comm and the CUDA files of kernels may"
    if path.endswith((".cu", ".cuh")) and header.startswith(("Eigen/", "unsupported/Eigen")):
        return f"includes {header}; device code never includes Eigen"
    if room not in ALLOWED:
        return None
    if FILE_FORMAT_HEADER.match(header) and room != "io":
        return f"includes {header}; only io knows file formats"
    if header.startswith(("CLI/", "doctest/", "benchmark/")):
        return f"includes {header}; the library knows neither command line nor tests"
    if header.startswith(EMULATOR) and CUDA_PLACES.match(path):
        return None
    if quoted and target not in ALLOWED[room]:
        return f"includes {header}; {room} may include only {', '.join(sorted(ALLOWED[room]))}"
    return None


def cycles(edges):
    found, done, active = [], set(), []

    def visit(node):
        if node in active:
            found.append(" -> ".join(active[active.index(node):] + [node]) + ": headers include each other in a circle")
            return
        if node in done:
            return
        active.append(node)
        for target in sorted(edges.get(node, ())):
            visit(target)
        active.pop()
        done.add(node)

    for start in sorted(edges):
        visit(start)
    return found


if __name__ == "__main__":
    problems = violations(sys.argv[1])
    print("\n".join(problems) if problems else "all #include lines keep the dependency rules")
    sys.exit(1 if problems else 0)
