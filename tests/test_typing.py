"""The types that a user's type checker sees, as py.typed promises."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

USER = """
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

import cnn
from cnn import Classifier, NumberPrediction, Prediction

classifier: Classifier = Classifier.load("digits")
path: Prediction = classifier.read_character(Path("a.png"), page=1, region="0,0,1,1")
content: Prediction = classifier.read_character(b"")
picture: Prediction = classifier.read_character(Image.new("L", (28, 28)))
pixels: Prediction = classifier.read_character(np.zeros((28, 28), np.uint8))
number: NumberPrediction = classifier.read_line("a.png", length=4)
numbers: list[NumberPrediction] = classifier.read_page(b"", pattern="dd")
characters: Iterator[Prediction] = classifier.read_folder("scans")
lines: Iterator[NumberPrediction] = classifier.read_folder("a", "line", length=4)
pages: Iterator[list[NumberPrediction]] = classifier.read_folder("a", "page", pages="1")
files: list[Prediction] = classifier.predict_files(["a.png"])
probabilities: np.ndarray = classifier.predict_proba(np.zeros((1, 28, 28)))
name: str = path.prediction
confidence: float = number.confidence
box: tuple[float, float, float, float] | None = number.box
try:
    pass
except cnn.Error as error:
    print(error)
"""


MISTAKES = """
classifier.read_character(["a.png"])
classifier.read_folder("a", "lines")
classifier.read_folder("a", length=4)
classifier.read_folder("a", "line", lenght=4)
next(classifier.read_folder("a", "page")).prediction
number.predictions
whole: int = path.confidence
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("types")


def check(program: str, folder: Path) -> subprocess.CompletedProcess:
    (folder / "program.py").write_text(program)
    return subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "program.py"],
        cwd=folder,
        env={**os.environ, "MYPYPATH": str(ROOT), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_a_users_program_has_strict_types(folder):
    done = check(USER, folder)
    assert done.returncode == 0, done.stdout


def test_each_mistake_is_found(folder):
    done = check(USER + MISTAKES, folder)
    found = {
        int(line) for line in re.findall(r"^program.py:(\d+): error", done.stdout, re.M)
    }
    lines = (USER + MISTAKES).splitlines()
    wrong = {lines.index(line) + 1 for line in MISTAKES.split("\n") if line}
    assert found == wrong, done.stdout
