#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kernel_rules.py reports a planted violation of each rule and is silent about code that keeps them."""
import os
import tempfile
import unittest

import kernel_rules

GOOD = """// A comment may say __shared__, <<<grid>>> and asm.
#include "kernels/launch.h"
__global__ void gate_kernel(float* x) {
  GENEXX_SHARED(float, s, [32]);
  s[threadIdx.x] = 0.0f;
  if (__any_sync(0xFFFFFFFFu, 1)) x[0] = s[0];
}
void forward(float* x) {
  launch({.grid = blocks_for(3, 1), .block = 32}, gate_kernel, x);
  check_launch("gate::forward");
}
"""


def check(files):
    with tempfile.TemporaryDirectory() as root:
        for name, text in files.items():
            path = os.path.join(root, "kernels", name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        return kernel_rules.violations(root)


class KernelRules(unittest.TestCase):
    def reports(self, line, words, place="gate_cuda.cu"):
        found = check({place: GOOD + line + "\n"})
        self.assertEqual(len(found), 1, found)
        self.assertIn(f":{GOOD.count(chr(10)) + 1}: ", found[0])
        self.assertIn(words, found[0])

    def test_silent_about_good_code(self):
        self.assertEqual(check({"gate_cuda.cu": GOOD}), [])

    def test_shared_memory_only_by_the_macros(self):
        self.reports("__device__ void f() { __shared__ float s[32]; }", "GENEXX_SHARED")

    def test_launches_only_by_the_wrapper(self):
        self.reports("void f() { gate_kernel<<<1, 32>>>(nullptr); }", "genexx::launch only")

    def test_every_launch_is_checked(self):
        self.reports("void f() { launch({.grid = 1}, gate_kernel, g(x)); g(x); }", "not followed by check_launch")
        self.reports("void f() { genexx::launch_cooperative({.grid = 1}, gate_kernel, x); }", "not followed")

    def test_a_check_names_its_op(self):
        self.reports('void f() { launch({.grid = 1}, gate_kernel, x); check_launch("relu::forward"); }',
                     'expected a name that begins with "gate::"')

    def test_nothing_of_the_host_program_is_changed(self):
        for call in ("cudaDeviceReset()", "cudaSetDeviceFlags(4)", "cudaDeviceSynchronize()", "cublasLtLoggerSetLevel(1)"):
            self.reports(f"void f() {{ {call}; }}", "belongs to the host program", "gate_cuda.cc")
        self.reports("void f() { cudaSetDevice(1); }", "DeviceGuard", "gate_cuda.cc")

    def test_no_assembly_outside_a_wrapper(self):
        self.reports('__device__ void f() { asm volatile("bar.sync 0;"); }', "twin for GENEXX_SIMT")
        self.reports('__device__ void f() { asm volatile("bar.sync 0;"); }', "twin for GENEXX_SIMT", "device/barrier.h")
        self.assertEqual(check({"device/barrier.h": '#if defined(GENEXX_SIMT)\n#else\nasm("bar;");\n#endif\n'}), [])

    def test_no_mask_of_whoever_is_active(self):
        self.reports("__device__ unsigned f() { return __activemask(); }", "name the mask")

    def test_no_warp_functions_without_sync(self):
        self.reports("__device__ int f(int v) { return __shfl_down(v, 1); }", "without _sync")

    def test_no_calls_of_the_runtime(self):
        self.reports("void f() { cudaGetLastError(); }", "engine/cuda")

    def test_large_blocks_only_by_block_threads(self):
        self.reports("LaunchConfig a{.grid = 1, .block = 256};", "block_threads")
        self.reports("void f(LaunchConfig a) { a.block = dim3(1024); }", "block_threads")
        self.assertEqual(check({"gate_cuda.cu": GOOD + "LaunchConfig a{.block = 128}, b{.block = kThreads};\n"}), [])

    def test_no_cuda_headers(self):
        self.reports("#include <cuda_fp16.h>", "include kernels/launch.h instead")

    def test_no_eigen_by_any_way(self):
        found = check({"gate_cuda.cu": '#include "kernels/matrix.h"\n', "matrix.h": "#include <Eigen/Core>\n"})
        self.assertEqual(found, ["kernels/gate_cuda.cu: device code never includes Eigen: "
                                 "kernels/gate_cuda.cu -> kernels/matrix.h -> Eigen/Core"])


if __name__ == "__main__":
    unittest.main()
