#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Opens the report in headless Chromium: every section and chart is drawn, names stay text, nothing is loaded."""
import http.server
import os
import re
import shutil
import subprocess
import tempfile
import threading
import unittest

from report_sample import homology_sample, page, sample, tuning_sample

BUILD = os.environ.get("GENEXX_BUILD_DIR", os.path.join(os.path.dirname(__file__), "..", "..", "build"))
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def is_snap_stub(program):
    """Ubuntu's chromium is a script that asks for a snap, which containers cannot run."""
    with open(program, "rb") as file:
        return b"snap" in file.read(4096)


class Browser:
    """One throw-away profile; `open` returns (document after the scripts, lines of the console)."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="genexx-report-")

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def open(self, html):
        path = os.path.join(self.folder, "report.html")
        with open(path, "w", encoding="utf-8") as file:
            file.write(html)
        done = subprocess.run(
            [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", f"--user-data-dir={self.folder}/profile",
             "--enable-logging=stderr", "--virtual-time-budget=3000", "--window-size=1280,1000", "--dump-dom",
             "file://" + path], capture_output=True, text=True, timeout=240)
        return done.stdout, re.findall(r"CONSOLE[:(]\d+\)?\] (.*)", done.stderr)


@unittest.skipIf(CHROMIUM is None or is_snap_stub(CHROMIUM), "needs chromium")
class Render(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = Browser()

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()

    def test_every_section_and_chart_is_drawn_without_complaint(self):
        document, console = self.browser.open(page(BUILD, sample()))

        self.assertEqual(console, [])
        sections = re.findall(r'<section id="(\w+)"', document)
        self.assertEqual(sections, ["warnings", "metrics", "classes", "confusion", "calibration", "loss", "genes", "selection",
                                    "gates", "attributions", "resources", "configuration"])
        self.assertEqual(document.count("<canvas"), 16)  # ten of them one for each class
        self.assertEqual(document.count('data-drawn="yes"'), 16)
        self.assertIn("8,990 to 9,105", document)
        self.assertIn("least 0.235, lower quartile 0.714, median 0.871, upper quartile 0.942, greatest 1.000", document)
        self.assertIn("<option value=\"3\">Fold 3</option>", document)
        self.assertIn("On 692 held-out cells the accuracy is 0.853 ± 0.008 and the macro F1 0.812 ± 0.008.", document)

    def test_sections_without_data_are_left_out(self):
        data = sample()
        for field in ("warnings", "gates", "attributions", "calibration", "genes", "selection", "memory", "seconds"):
            del data[field]

        document, console = self.browser.open(page(BUILD, data))

        self.assertEqual(console, [])
        self.assertEqual(re.findall(r'<section id="(\w+)"', document),
                         ["metrics", "classes", "confusion", "loss", "configuration"])

    def test_a_regression_shows_its_genes_beside_the_baseline(self):
        data = {"format": 1, "task": "regression", "model": {"name": "D-GEX", "replicas": 1},
                "data": {"split": {"train": 80, "test": 20}}, "metrics": {"test": {"mae": 0.4, "sd": {"mae": 0.0}}},
                "per_gene": {"mae": 0.4, "mae_sd": 0.1, "mae_histogram": {"edges": [0, 0.3, 0.6], "counts": [1, 2]},
                             "errors": [0.2, 0.4, 0.6],
                             "baseline": {"name": "ridge regression", "mae": 0.5, "mae_sd": 0.1, "relative_improvement": 0.2,
                                          "genes_improved": 0.667, "errors": [0.4, 0.6, 0.5]}}}

        document, console = self.browser.open(page(BUILD, data))

        self.assertEqual(console, [])
        self.assertEqual(re.findall(r'<section id="(\w+)"', document), ["metrics", "errors"])
        self.assertEqual(document.count('data-drawn="yes"'), 2)
        self.assertIn("By ridge regression the mean error is 0.500", document)
        self.assertIn("20.0 % lower, and lower in 66.7", document)

    def test_a_regression_that_loses_says_so_and_shows_the_sets_it_was_not_trained_on(self):
        data = {"format": 1, "task": "regression", "model": {"name": "D-GEX", "replicas": 1, "genes": 943, "targets": 9520},
                "data": {"split": {"train": 80, "test": 20}}, "curve": "Mean absolute error, in deviations",
                "metrics": {"test": {"mae": 0.6, "mae_sd": 0.1}, "1000G": {"mae": 0.71}, "GTEx": {"mae": 0.82}},
                "history": [{"replica": 0, "phase": "train", "epoch": [1, 2], "train_loss": [0.8, 0.7], "validation_loss": [0.9, 0.8],
                             "validation_accuracy": [None, None], "chosen_epoch": 2}],
                "per_gene": {"mae": 0.6, "mae_sd": 0.1, "mae_histogram": {"edges": [0, 0.6], "counts": [1]}, "errors": [0.6],
                             "baseline": {"name": "ridge regression", "mae": 0.5, "mae_sd": 0.1, "relative_improvement": -0.2,
                                          "genes_improved": 0, "errors": [0.5]}}}

        document, console = self.browser.open(page(BUILD, data))

        self.assertEqual(console, [])
        self.assertIn("20.0 % higher, and lower in 0.0", document)
        for text in ("1000 Genomes", "0.710", "GTEx", "0.820", "Targets", "9,520", "Landmarks", "Test profiles",
                     "By the error on the validation profiles"):
            self.assertIn(text, document)
        self.assertNotIn("Error of the mean prediction", document.split("<script", 1)[0])

    def test_a_homology_is_a_heat_table_ranks_and_components(self):
        document, console = self.browser.open(page(BUILD, homology_sample()))

        self.assertEqual(console, [])
        self.assertEqual(re.findall(r'<section id="(\w+)"', document), ["homology", "ranks", "components"])
        self.assertEqual(document.count('data-drawn="yes"'), 2)
        self.assertIn("Ranks 3.10 of 30 on average.", document)
        matrix = re.search(r'<table class="confusion many">.*?</table>', document, re.S).group(0)
        self.assertEqual(matrix.count('<td class="right"'), 12)
        self.assertEqual(matrix.count("<tr>"), 31)
        self.assertIn("A3/&lt;b&gt;", document)

    def test_a_random_search_is_a_figure_and_a_table_of_its_trials(self):
        search = tuning_sample()
        best = next(row["trial"] for row in search["trials"] if row["rank"] == 1)

        document, console = self.browser.open(page(BUILD, {"tuning": search}))

        self.assertEqual(console, [])
        self.assertEqual(re.findall(r'<section id="(\w+)"', document), ["search"])
        self.assertEqual(document.count('data-drawn="yes"'), 1)
        self.assertIn("20 trials of at most 15 epochs, in 5 groups", document)
        self.assertIn(f"Best is trial {best}.", document)
        rows = re.search(r"<tbody>(.*?)</tbody>", document, re.S).group(1)
        self.assertEqual(rows.count("<tr>"), 20)
        self.assertIn("diverged", rows)

    def test_an_empty_report_still_opens(self):
        document, console = self.browser.open(page(BUILD, {}))

        self.assertEqual(console, [])
        self.assertIn("A model was trained.", document)

    def test_more_classes_than_fit_become_one(self):
        document, console = self.browser.open(page(BUILD, sample(classes=70)))

        self.assertEqual(console, [])
        self.assertIn("10 smaller classes", document)
        matrix = re.search(r'<table class="confusion many">.*?</table>', document, re.S).group(0)
        self.assertEqual(matrix.count("<tr>"), 62)

    def test_markup_in_names_stays_text(self):
        data = sample()
        data["per_class"][0]["class"] = "<b id=planted>bold</b>"
        data["warnings"] = ["<img src=x onerror=\"console.error('planted')\">"]

        document, console = self.browser.open(page(BUILD, data))

        self.assertEqual(console, [])
        self.assertNotIn("<b id=", document)
        self.assertIn("&lt;b id=planted&gt;", document)

    def test_the_page_cannot_load_anything(self):
        asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                self.send_response(404)
                self.end_headers()

            def log_message(self, *_):
                pass

        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        planted = f'<img src="http://127.0.0.1:{server.server_port}/planted"></body>'
        with_image = page(BUILD, sample()).replace("</body>", planted)

        self.browser.open(with_image)
        guarded = list(asked)
        self.browser.open(re.sub(r"<meta http-equiv=[^>]*>", "", with_image))
        server.shutdown()
        server.server_close()

        self.assertEqual(guarded, [])
        self.assertIn("/planted", asked)  # without the policy it would have been asked for: the test can fail


if __name__ == "__main__":
    unittest.main()
