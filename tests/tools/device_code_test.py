#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tests/tools/device_code.py sees spills, stack and narrow accesses; and the ops that changed last have none."""
import os
import subprocess
import sys
import unittest

from device_code import accesses_16_bytes, find_nvcc, frames, wide_violations

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
REPORT = """ptxas info    : Compiling entry function '_Z1aIfE' for 'sm_90a'
ptxas info    : Function properties for _Z1aIfE
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Compiling entry function '_Z1bIfE' for 'sm_90a'
ptxas info    : Function properties for _Z1bIfE
    16 bytes stack frame, 4 bytes spill stores, 8 bytes spill loads
"""
WIDE_PTX = """.visible .entry _Z12apply_kernelIfEvv(
ld.global.v4.f32 {%f1, %f2, %f3, %f4}, [%rd1];
st.global.v4.f32 [%rd2], {%f1, %f2, %f3, %f4};
"""


class DeviceCode(unittest.TestCase):
    def test_reads_stack_and_spills_of_each_kernel(self):
        self.assertEqual(list(frames(REPORT)), [("_Z1aIfE", 0, 0, 0), ("_Z1bIfE", 16, 4, 8)])

    def test_knows_an_access_of_16_bytes(self):
        for text in ("ld.global.v4.f32 {", "ld.global.nc.v4.f32 {", "ld.global.v2.u64 {", "ld.global.v2.f64 {"):
            self.assertTrue(accesses_16_bytes(text, "ld"), text)
        for text in ("ld.global.f32 %f1", "ld.global.v2.f32 {", "ld.shared.v4.f32 {", "st.global.v4.f32 ["):
            self.assertFalse(accesses_16_bytes(text, "ld"), text)

    def test_names_the_kernel_that_loads_element_by_element(self):
        self.assertEqual(list(wide_violations("dropout", WIDE_PTX)), [])
        narrow = WIDE_PTX.replace("ld.global.v4.f32", "ld.global.f32")
        self.assertEqual(list(wide_violations("dropout", narrow)),
                         ["dropout: apply_kernel<float> has no ld.global of 16 bytes"])
        self.assertEqual(list(wide_violations("dropout", "")), ["dropout: apply_kernel<float> is not in the PTX"])

    @unittest.skipUnless(find_nvcc(), "no nvcc")
    def test_the_kernels_neither_spill_nor_load_element_by_element(self):
        chosen = os.environ.get("GENEXX_DEVICE_CODE_OPS", "activation_dropout batch_norm").split()  # "": all, minutes
        only = ["--only", *chosen] if chosen else []
        run = subprocess.run([sys.executable, os.path.join(ROOT, "tests", "tools", "device_code.py"), ROOT, *only],
                             capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)


if __name__ == "__main__":
    unittest.main()
