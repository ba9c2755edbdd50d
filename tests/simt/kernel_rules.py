#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rules about device code, so that one source runs under nvcc and in the emulator, and no launch goes unchecked.

    kernel_rules.py ROOT        prints each violation; exit status 1 when there is one
"""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))
from source_tree import read_lines, source_files  # noqa: E402

LAUNCH = "kernels/launch.h"  # the one place that knows two compilers
CUDA_WRAPPERS = (LAUNCH, "kernels/device/bfloat16.h")  # may include CUDA's headers

FORBIDDEN = (
    (r"\b__shared__\b", "shared memory only by GENEXX_SHARED and GENEXX_DYNAMIC_SHARED"),
    (r"<<<", "kernels are launched by genexx::launch only"),
    (r"\b__activemask\b", "the active threads are whatever the compiler made of a branch; name the mask"),
    (r"\b__(shfl|shfl_up|shfl_down|shfl_xor|ballot|any|all)\s*\(", "warp functions without _sync are gone"),
    (r"\bcuda[A-Z]\w*\s*\(", "calls of the CUDA runtime belong to engine/cuda; device code launches kernels"),
    (r"\bprintf\s*\(", "no printing from kernels"),
    (r"\bblock\s*=\s*(?:dim3\s*[({]\s*)?(?!128\b)(?:[2-9]\d\d|1[3-9]\d|12[89]|\d{4,})",
     "more than 128 threads by block_threads(...) only, or the search for races cannot run the kernel"),
)
# Nothing of the host program is changed: neither settings of the device or its context, nor the default stream, nor a
# library's handle that is not ours. The current device is changed for a scope only.
HOST_PROGRAM = re.compile(r"\b(cudaDeviceReset|cudaDeviceSynchronize|cudaSetDeviceFlags|cudaSetValidDevices|cudaInitDevice|"
                          r"cudaDeviceSetLimit|cudaDeviceSetCacheConfig|cudaDeviceSetSharedMemConfig|cudaDeviceSetMemPool|"
                          r"cudaDeviceEnablePeerAccess|cudaProfilerStart|cudaStreamLegacy|cudaStreamPerThread|"
                          r"cudaCtxResetPersistingL2Cache|cublasSetStream|cublasSetMathMode|cublasLoggerConfigure|"
                          r"cublasLtLogger\w+|cublasLtHeuristicsCacheSetCapacity|setenv|putenv)\b")
CURRENT_DEVICE = re.compile(r"\bcudaSetDevice\s*\(")
CURRENT_DEVICE_PLACES = ("engine/cuda/device_guard.h", "engine/cuda/cuda_context.cc")  # each puts the caller's back
ASM = re.compile(r"\b(asm|__asm__)\b")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
CUDA_HEADER = re.compile(r"^(cuda|cooperative_groups|device_launch_parameters|vector_types)")
CALL = re.compile(r"(?<![\w.>])(?:genexx::)?launch(?:_cooperative)?\s*\(")
CHECK = re.compile(r'\s*(?:genexx::)?check_launch\s*\(\s*"([^"]*)"')
COMMENT_OR_STRING = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.DOTALL)


def without_comments(text, keep_strings):
    def blank(match):
        if keep_strings and match.group(0).startswith('"'):
            return match.group(0)
        return re.sub(r"[^\n]", " ", match.group(0))
    return COMMENT_OR_STRING.sub(blank, text)


def closing(text, opening):
    """Index behind the parenthesis that closes the one before `opening`."""
    depth, i = 1, opening
    while i < len(text) and depth:
        depth += {"(": 1, ")": -1}.get(text[i], 0)
        i += 1
    return i


def unchecked_launches(path, text):
    """Offset and message of every launch whose next statement is not check_launch("op::...")."""
    op = re.sub(r"_cuda$", "", os.path.splitext(os.path.basename(path))[0])
    plain = without_comments(text, keep_strings=True)
    for call in CALL.finditer(plain):
        behind = plain[closing(plain, call.end()):]
        if not behind.lstrip().startswith(";"):
            continue  # a declaration, or a call inside an expression
        check = CHECK.match(behind.lstrip()[1:])
        if not check:
            yield call.start(), "the launch is not followed by check_launch"
        elif path.endswith("_cuda.cu") and not check.group(1).startswith(op + "::"):
            yield call.start(), f'check_launch says "{check.group(1)}", expected a name that begins with "{op}::"'


def reaches_eigen(root, path, texts, trail=()):
    """The chain of includes from `path` to an Eigen header, or None."""
    if path in trail or path not in texts:
        return None
    for quote, header in INCLUDE.findall(texts[path]):
        if header.startswith(("Eigen/", "unsupported/Eigen")):
            return trail + (path, header)
        chain = reaches_eigen(root, header, texts, trail + (path,)) if quote == '"' else None
        if chain:
            return chain
    return None


def violations(root):
    texts = {path: "\n".join(read_lines(root, path)) + "\n" for path in source_files(root)}
    found = []

    def report(path, offset, message):
        found.append(f"{path}:{texts[path].count(chr(10), 0, offset) + 1}: {message}")

    for path, text in texts.items():
        if not path.startswith(("engine/", "kernels/", "models/", "io/")):
            continue
        code = without_comments(text, keep_strings=False)
        for match in HOST_PROGRAM.finditer(code):
            report(path, match.start(), f"{match.group(1)} changes what belongs to the host program")
        if path not in CURRENT_DEVICE_PLACES:
            for match in CURRENT_DEVICE.finditer(code):
                report(path, match.start(), "the current device is the host program's; change it with DeviceGuard")

    for path, text in texts.items():
        if not path.startswith("kernels/") or path.endswith(".cc") or path == LAUNCH:
            continue
        code = without_comments(text, keep_strings=False)
        for pattern, message in FORBIDDEN:
            for match in re.finditer(pattern, code):
                report(path, match.start(), message)
        for match in ASM.finditer(code):
            if not path.startswith("kernels/device/") or "GENEXX_SIMT" not in code:
                report(path, match.start(), "assembly only in a wrapper of kernels/device/ with a twin for GENEXX_SIMT")
        for offset, message in unchecked_launches(path, text):
            report(path, offset, message)
        for match in INCLUDE.finditer(text):
            if CUDA_HEADER.match(match.group(2)) and path not in CUDA_WRAPPERS:
                report(path, match.start(), f"includes {match.group(2)}; include kernels/launch.h instead")
        chain = reaches_eigen(root, path, texts) if path.endswith((".cu", ".cuh")) else None
        if chain:
            found.append(f"{path}: device code never includes Eigen: {' -> '.join(chain)}")
    return found


if __name__ == "__main__":
    problems = violations(sys.argv[1])
    print("\n".join(problems) if problems else "all device code keeps the rules for kernels")
    sys.exit(1 if problems else 0)
