#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Installs to a fresh prefix, then builds and runs an outside program against it: by CMake and by pkg-config."""
import os
import shutil
import subprocess
import tempfile
import unittest

SOURCE = os.environ.get("GENEXX_SOURCE_DIR", os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.environ.get("GENEXX_BUILD_DIR", os.path.join(SOURCE, "build"))
CONSUMER = os.path.join(SOURCE, "tests", "consumer")
EXPECTED = r"^stored values: 3\nlibrary \d+\.\d+\.\d+\nexit code 1\n$"


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode:
        raise AssertionError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done.stdout


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="genexx-install-")
        cls.prefix = os.path.join(cls.folder, "prefix")
        run("cmake", "--install", BUILD, "--prefix", cls.prefix)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def headers(self):
        root = os.path.join(self.prefix, "include", "genexx")
        return sorted(os.path.relpath(os.path.join(folder, name), root)
                      for folder, _, names in os.walk(root) for name in names)

    def test_an_outside_program_finds_the_package_and_every_header_compiles(self):
        build = os.path.join(self.folder, "by-cmake")
        os.mkdir(build)
        with open(os.path.join(build, "headers.cc"), "w", encoding="utf-8") as file:
            file.writelines(f'#include "{header}"\n' for header in self.headers())

        run("cmake", "-S", CONSUMER, "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={self.prefix}",
            "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror")
        run("cmake", "--build", build)

        self.assertRegex(run(os.path.join(build, "consumer"), os.path.join(build, "out.txt")), EXPECTED)

    def test_an_outside_program_builds_with_the_words_of_pkg_config(self):
        if not shutil.which("pkg-config"):
            self.skipTest("needs pkg-config")
        found = [os.path.join(folder, "") for folder, _, names in os.walk(self.prefix) if "genexx.pc" in names]
        words = run("pkg-config", "--static", "--cflags", "--libs", "genexx",
                    env={**os.environ, "PKG_CONFIG_PATH": found[0]}).split()
        program = os.path.join(self.folder, "by-pkg-config")

        run("c++", os.path.join(CONSUMER, "consumer.cc"), "-o", program, *words)

        self.assertRegex(run(program, os.path.join(self.folder, "out.txt")), EXPECTED)

    def test_another_minor_version_is_refused_before_1_0(self):
        build = os.path.join(self.folder, "other-version")
        os.mkdir(build)
        with open(os.path.join(build, "CMakeLists.txt"), "w", encoding="utf-8") as file:
            file.write("cmake_minimum_required(VERSION 3.25)\nproject(other LANGUAGES CXX)\n"
                       "find_package(genexx 0.0)\nfile(WRITE ${CMAKE_BINARY_DIR}/found \"${genexx_FOUND}\")\n")

        run("cmake", "-S", build, "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={self.prefix}")

        with open(os.path.join(build, "found"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "0")

    def test_the_installed_program_says_its_version(self):
        self.assertRegex(run(os.path.join(self.prefix, "bin", "genexx"), "--version"), r"^genexx \d+\.\d+\.\d+")

    def test_no_device_header_is_installed(self):
        for header in self.headers():
            self.assertNotRegex(header, r"cuda|nccl|device/|launch\.h|simd/")


if __name__ == "__main__":
    unittest.main()
