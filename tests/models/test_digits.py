"""The shipped model: held to its report and to its card."""

import hashlib
import json
import os
import tomllib

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
import pytest

from cnn.augmentation.simulated_pages import PAGE_KINDS
from cnn.classifier import Classifier
from cnn.config import PRESETS
from cnn.decoding import PathWeights
from cnn.models import DIGITS
from tests.benchmarks import pages
from tests.conftest import ROOT
from tests.make_models import SEED, write_command
from tests.model_card import make_tables

REPORT = json.loads(DIGITS.with_suffix(".json").read_text())
CARD = DIGITS.with_name("README.md")
# Other processors round otherwise, and may read a few digits otherwise.
ROUNDING = 5
# Simulated pages of each kind that are read here: the first of the report's.
SAMPLE = 8


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load(DIGITS)


def test_the_file_is_the_one_that_the_report_is_about():
    assert hashlib.sha256(DIGITS.read_bytes()).hexdigest() == REPORT["sha256"]


def test_the_report_says_how_to_make_the_model_again():
    assert REPORT["command"] == "bin/train --preset best --seed 0"
    for name, value in PRESETS["best"].items():
        # It was made before there was another optimizer than Adam.
        made_with = REPORT["settings"].get(name, "adam")
        assert made_with == value
    training = REPORT["training"]
    assert training["epochs"] == PRESETS["best"]["epochs"]
    assert {"cnn", "python", "jax", "flax", "optax"} < set(training["versions"])
    assert training["device"]["cores"] >= 1


def test_the_accuracy_on_the_test_digits_is_that_of_the_report(classifier, mnist_test):
    num_right = (classifier.predict(mnist_test.images) == mnist_test.labels).sum()
    reported = round(REPORT["training"]["test"]["accuracy"] * len(mnist_test.labels))
    assert abs(num_right - reported) <= ROUNDING
    assert reported >= 9950


def test_simulated_pages_are_read_as_well_as_in_the_report(
    classifier, data_dir, tmp_path
):
    images, labels = pages.load_digits("validation", SEED, SAMPLE)
    num_right = 0
    for kind in PAGE_KINDS:
        paths = pages.render_pages(kind, images, labels, SEED, tmp_path / kind)
        num_right += pages.read_files(classifier, paths, labels).is_correct.sum()
    counts = REPORT["pages"].values()
    reported = sum(c["correct"] for c in counts) / sum(c["count"] for c in counts)
    count = SAMPLE * len(PAGE_KINDS)
    deviation = np.sqrt(count * reported * (1 - reported))  # Of a binomial.
    assert set(REPORT["pages"]) == set(PAGE_KINDS)
    assert num_right >= count * reported - 3 * deviation


def test_the_file_has_all_that_reading_needs(classifier):
    metadata, training = classifier.metadata, REPORT["training"]
    assert metadata["class_names"] == list("0123456789")
    assert (metadata["dataset"], metadata["preprocessing"]) == ("mnist", "mnist")
    assert metadata["versions"] == training["versions"]
    assert metadata["string_weights"] == training["string_weights"]
    assert set(metadata["string_weights"]) == set(PathWeights._fields)
    for name in ("unsure_below", "string_unsure_below"):
        assert metadata[name] == training[name]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_keras_opens_it_and_gives_the_same_probabilities(classifier, mnist_test):
    images = mnist_test.images[:100] / np.float32(255)
    expected = classifier.predict_proba(images)
    model = keras.models.load_model(DIGITS)
    np.testing.assert_allclose(model.predict(images, verbose=0), expected, atol=1e-5)


def test_the_samples_are_read_without_training_and_without_a_model(run, tmp_path):
    done = run("infer", "--input", ROOT / "tests" / "samples", "--format", "jsonl")
    assert done.returncode == 0, done.stderr
    assert "model: digits, shipped with cnn\n" in done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == 25
    assert [r["path"] for r in rows if r["prediction"] != r["label"]] == []


def test_the_card_shows_the_numbers_of_the_report():
    text = CARD.read_text()
    for name, lines in make_tables(REPORT).items():
        marked = [f"<!-- table: {name} -->", *lines, "<!-- end table -->"]
        assert "\n".join(marked) in text, "run python -m tests.make_models"


def test_the_package_holds_the_model_with_its_report_and_its_card():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    patterns = settings["tool"]["setuptools"]["package-data"]["cnn.models"]
    packed = {path.name for x in patterns for path in DIGITS.parent.glob(x)}
    assert packed == {"digits.h5", "digits.json", "README.md"}


def test_a_command_names_what_differs_from_its_preset():
    settings = {"preset": "best", "epochs": 60, "seed": 0, "workdir": "runs/a"}
    assert write_command(settings) == "bin/train --preset best --seed 0"
    settings |= {"epochs": 70, "elastic_sigma": 0.4}
    assert write_command(settings) == (
        "bin/train --preset best --epochs 70 --seed 0 --elastic-sigma 0.4"
    )
