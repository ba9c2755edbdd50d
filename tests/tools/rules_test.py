#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each rule check reports a planted violation and is silent about the same tree without it."""
import os
import tempfile
import unittest

import file_rules
import include_rules

SPDX = "// SPDX-License-Identifier: Apache-2.0\n"


def check(rules, files):
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(text)
        return rules.violations(root)


class IncludeRules(unittest.TestCase):
    def reports(self, path, line, words):
        found = check(include_rules, {path: f"{SPDX}#include {line}\n"})
        self.assertEqual(len(found), 1, found)
        self.assertIn(f"{path}:2: ", found[0])
        self.assertIn(words, found[0])

    def test_silent_about_allowed_includes(self):
        files = {
            "models/graph.cc": '#include "models/graph.h"\n#include "kernels/gemm.h"\n#include <Eigen/Core>\n',
            "kernels/gate_cuda.cu": "#include <cuda_runtime.h>\n",
            "kernels/launch.h": '#include "tests/simt/simt.h"\n',
            "io/h5ad.cc": "#include <hdf5.h>\n",
            "tools/genexx.cc": '#include "io/h5ad.h"\n#include "models/graph.h"\n',
        }
        self.assertEqual(check(include_rules, files), [])

    def test_engine_must_not_know_kernels(self):
        self.reports("engine/arena.h", '"kernels/gemm.h"', "engine may include only engine")

    def test_models_and_io_meet_only_through_engine(self):
        self.reports("models/trainer.cc", '"io/h5ad.h"', "models may include only")
        self.reports("io/report.cc", '"models/metrics.h"', "io may include only")

    def test_no_room_includes_tests_or_tools(self):
        self.reports("kernels/gemm.cc", '"tests/oracle/gemm_oracle.h"', "kernels may include only")
        self.reports("io/h5ad.cc", '"tools/train.h"', "io may include only")

    def test_cuda_headers_stay_in_their_places(self):
        self.reports("models/plan.cc", "<cuda_runtime.h>", "CUDA header")
        self.reports("kernels/gate_cpu.cc", "<cublasLt.h>", "CUDA header")

    def test_device_code_never_includes_eigen(self):
        self.reports("kernels/gate_cuda.cu", "<Eigen/Core>", "never includes Eigen")

    def test_only_io_knows_file_formats(self):
        self.reports("models/trainer.cc", "<hdf5.h>", "only io knows")

    def test_includes_name_the_folder(self):
        self.reports("io/h5ad.cc", '"h5ad.h"', "without its folder")

    def test_headers_in_a_circle_are_named(self):
        files = {"engine/a.h": '#include "engine/b.h"\n', "engine/b.h": '#include "engine/a.h"\n'}
        self.assertEqual(check(include_rules, files),
                         ["engine/a.h -> engine/b.h -> engine/a.h: headers include each other in a circle"])


class FileRules(unittest.TestCase):
    def test_silent_about_a_good_file(self):
        self.assertEqual(check(file_rules, {"io/csv.cc": SPDX + "int x;\n" * 499}), [])

    def test_counts_the_lines_of_a_file(self):
        self.assertIn("501 lines, the limit is 500", check(file_rules, {"io/csv.cc": SPDX + "int x;\n" * 500})[0])

    def test_tests_may_be_longer(self):
        files = {"tests/io/csv_test.cc": SPDX + "int x;\n" * 799, "tests/io/npy_test.cc": SPDX + "int x;\n" * 800}
        self.assertEqual(len(check(file_rules, files)), 1)

    def test_misses_the_licence_line(self):
        self.assertIn("lacks", check(file_rules, {"engine/error.h": "#pragma once\n"})[0])

    def test_accepts_the_licence_line_after_an_interpreter_line(self):
        self.assertEqual(check(file_rules, {"bench/plot.py": "#!/usr/bin/env python3\n#" + SPDX[2:]}), [])

    def test_refuses_names_that_say_nothing(self):
        self.assertIn("says nothing", check(file_rules, {"io/string_utils.cc": SPDX})[0])

    def test_leaves_vendored_files_alone(self):
        self.assertEqual(check(file_rules, {"tools/report/vendor/chart.h": "x\n" * 900}), [])


if __name__ == "__main__":
    unittest.main()
