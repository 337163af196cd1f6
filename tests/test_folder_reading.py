"""Folders read from Python, beside the rows of bin/infer."""

import os
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
from PIL import Image

from cnn.classifier import Classifier
from cnn.config import InferConfig
from cnn.errors import Error, UsageError
from cnn.inference.local_engine import predict_folder
from tests.conftest import ROOT
from tests.training.processes import children

NUMBERS = ROOT / "tests" / "number_samples"


@pytest.fixture(scope="module")
def classifier():
    return Classifier.load("digits")


@pytest.fixture
def mixed(tmp_path):
    """A folder of images of several formats, pages and sub-folders, and other files."""
    folder = tmp_path / "mixed"
    shutil.copytree(ROOT / "tests" / "samples", folder / "samples")
    shutil.copytree(NUMBERS, folder / "numbers")
    for name in ("10.png", "9.png", "2.png"):
        shutil.copy(ROOT / "tests" / "samples" / "large_3.png", folder / name)
    (folder / "notes.txt").write_text("no image")
    (folder / ".hidden.png").write_text("hidden")
    return folder


def infer(folder, tmp_path, **settings):
    """Reads a folder by bin/infer, and returns the rows."""
    output = tmp_path / "rows.parquet"
    predict_folder(
        InferConfig(
            folder, Path("digits"), output=output, plot=Path("none"), **settings
        )
    )
    return pyarrow.parquet.read_table(output).to_pylist()


def cells(prediction):
    """What the columns of a row have of any prediction."""
    return {
        "prediction": prediction.prediction,
        "confidence": round(prediction.confidence, 6),
        "status": prediction.status,
        "detail": prediction.detail,
    }


def assert_rows(found, rows, folder):
    assert [p.path for p in found] == [str(folder / row["path"]) for row in rows]
    for prediction, row in zip(found, rows, strict=True):
        expected = {name: row[name] for name in cells(prediction)}
        expected["prediction"] = expected["prediction"] or ""
        expected["detail"] = expected["detail"] or ""
        expected["confidence"] = round(expected["confidence"] or 0, 6)
        assert cells(prediction) == expected, row["path"]


def test_characters_are_the_rows_of_bin_infer(classifier, mixed, tmp_path):
    rows = infer(mixed, tmp_path, labels=Path("none"))
    found = list(classifier.read_folder(mixed))
    assert_rows(found, rows, mixed)
    assert [row["path"] for row in rows][:4] == [
        "2.png", "9.png", "10.png", "notes.txt",
    ]  # fmt: skip
    # The two pages of a PDF, and the three of a TIFF.
    assert len(found) == len({p.path for p in found}) + 3


def test_characters_are_those_of_the_files_bit_for_bit(classifier):
    folder = ROOT / "tests" / "samples"
    found = list(classifier.read_folder(folder))
    for prediction in found:
        (expected,) = classifier.predict_files(prediction.path)
        assert prediction.confidence == expected.confidence
        np.testing.assert_array_equal(prediction.probabilities, expected.probabilities)
        np.testing.assert_array_equal(prediction.image, expected.image)
    assert len(found) == len(list(folder.iterdir()))


def test_numbers_are_the_rows_of_bin_infer(classifier, mixed, tmp_path):
    rows = infer(mixed / "numbers", tmp_path, layout="line", labels=Path("none"))
    found = list(classifier.read_folder(mixed / "numbers", "line"))
    assert_rows(found, rows, mixed / "numbers")
    assert [p.page for p in found] == [row["page"] or 1 for row in rows]


def test_pages_are_lists_of_the_rows_of_bin_infer(classifier, mixed, tmp_path):
    shutil.copy(ROOT / "tests" / "samples" / "mnist_7.png", mixed / "numbers")
    Image.new("L", (300, 300), 255).save(mixed / "numbers" / "blank.png")
    rows = infer(mixed / "numbers", tmp_path, layout="page", pages="1-2")
    found = list(classifier.read_folder(mixed / "numbers", "page", pages="1-2"))
    assert_rows([n for page in found for n in page], rows, mixed / "numbers")
    for page in found:
        assert len({(number.path, number.page) for number in page}) == 1
    assert [number.status for number in found[0]] == ["blank"]


def test_what_is_known_of_numbers_is_used(classifier, tmp_path):
    settings = {"length": "4", "pages": "1", "region": "0,0,1,1"}
    rows = infer(NUMBERS, tmp_path, layout="line", labels=Path("none"), **settings)
    settings["length"] = 4
    found = list(classifier.read_folder(NUMBERS, "line", **settings))
    assert_rows(found, rows, NUMBERS)
    other = classifier.read_folder(NUMBERS, "line", pages="1")
    assert [cells(number) for number in other] != [cells(number) for number in found]


@pytest.mark.parametrize("workers", [0, 2])
def test_any_number_of_processes_gives_the_same(classifier, mixed, workers):
    expected = [cells(p) for p in classifier.read_folder(mixed)]
    found = classifier.read_folder(mixed, workers=workers)
    assert [cells(p) for p in found] == expected


def test_sub_folders_may_be_left_out_and_one_file_be_read(classifier, mixed):
    found = classifier.read_folder(mixed, recursive=False)
    names = ["2.png", "9.png", "10.png", "notes.txt"]
    assert [p.path for p in found] == [str(mixed / name) for name in names]
    (alone,) = classifier.read_folder(str(mixed / "2.png"))
    assert (alone.path, alone.prediction) == (str(mixed / "2.png"), "3")


def test_a_file_that_takes_too_long_is_unreadable(classifier, large_path):
    (found,) = classifier.read_folder(Path(large_path), decode_timeout=0.2)
    assert (found.status, found.detail) == ("unreadable", "took longer than 0.2 s")


def test_processes_end_with_the_results_or_when_these_are_dropped(classifier, mixed):
    before = set(children(os.getpid()))
    results = classifier.read_folder(mixed, workers=2)
    assert set(children(os.getpid())) == before
    next(results)
    assert len(set(children(os.getpid())) - before) == 2
    results.close()
    assert set(children(os.getpid())) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"layout": "lines"}, "layout: expected one of character, line, page, got"),
        ({"length": 3}, "length, pattern and separators: go with the layouts line"),
        ({"layout": "line", "pattern": "99"}, "--pattern"),
        ({"pages": "0"}, "--pages"),
        ({"workers": -1}, "workers: expected 0 or more, got -1"),
        ({"decode_timeout": 0}, "decode_timeout: expected 0.001 or more, got 0"),
        ({"region": "0,0,2,1"}, "--region"),
    ],
)
def test_wrong_settings_are_refused_at_once(classifier, arguments, words):
    with pytest.raises(UsageError, match=words):
        classifier.read_folder(NUMBERS, **arguments)


def test_a_folder_that_is_missing_or_empty_is_refused_at_once(classifier, tmp_path):
    with pytest.raises(Error, match="no such folder or image"):
        classifier.read_folder(tmp_path / "none")
    with pytest.raises(Error, match="nothing to read in this folder"):
        classifier.read_folder(tmp_path)


def test_a_model_of_whole_pictures_reads_no_numbers(classifier):
    metadata = {**classifier.metadata, "preprocessing": "resize"}
    other = Classifier(classifier.params, metadata)
    with pytest.raises(UsageError, match="expected a model of handwritten characters"):
        other.read_folder(NUMBERS, "line")
