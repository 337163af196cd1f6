"""Plots of a run: the report plot and the images of --debug-dir."""

import numpy as np
import pytest
from PIL import Image

from cnn import plots
from cnn.classifier import Prediction
from cnn.image_files.listing import InputFile
from cnn.inference import report
from cnn.inference.run_statistics import RunStatistics
from tests.inference.conftest import read_folder


@pytest.mark.parametrize("labeled", [False, True])
def test_the_plot_is_drawn_and_not_read_the_next_time(digits, model, tmp_path, labeled):
    if labeled:
        (digits / "a").rename(digits / "5")
    for _ in range(2):
        rows, _ = read_folder(digits, model, digits / "o.csv", plot=digits / "p.png")
        assert len(rows) == 30
    with Image.open(digits / "p.png") as plot:
        assert min(plot.size) > 800


def test_debug_images_are_drawn_under_the_names_of_their_files(digits, model, tmp_path):
    (digits / "text.png").write_text("hello")
    Image.new("L", (30, 30), 255).save(digits / "blank.png")
    rows, _ = read_folder(
        digits, model, tmp_path / "o.csv", debug_dir=tmp_path / "shown"
    )
    for row in rows:
        with Image.open(tmp_path / "shown" / (row["path"] + ".png")) as shown:
            assert shown.width > 800
    assert len(rows) == 32


def test_debug_images_are_not_read_the_next_time(digits, model, tmp_path):
    for _ in range(2):
        rows, _ = read_folder(
            digits, model, tmp_path / "o.csv", debug_dir=digits / "shown"
        )
        assert len(rows) == 30


def test_a_name_too_long_for_a_debug_image_has_its_row_and_a_warning(
    digits, model, tmp_path, capfd
):
    name = "x" * 251 + ".png"
    (digits / "a" / "scan0.png").rename(digits / name)
    rows, _ = read_folder(
        digits, model, tmp_path / "o.csv", debug_dir=tmp_path / "shown"
    )
    assert name in [row["path"] for row in rows]
    assert "not drawn: File name too long" in capfd.readouterr().err


class FakeClassifier:
    """Predicts every file as the same class, and counts the files."""

    preprocessing = "mnist"

    def __init__(self):
        self.paths = []

    def predict_files(self, path):
        self.paths.append(path)
        image = np.ones((28, 28, 1), np.float32)
        return [Prediction(path, "1", 0.5, "ok", "", image=image)]


@pytest.mark.parametrize("label", ["", "1"])
def test_the_plot_reads_again_only_the_files_of_resumed_rows(tmp_path, label):
    image = np.full((28, 28, 1), 0.5, np.float32)
    statistics = RunStatistics("01")
    new = Prediction(str(tmp_path / "a.png"), "0", 0.6, "unsure", "", image=image)
    resumed = Prediction(str(tmp_path / "b.png"), "1", 0.7, "ok", "")
    statistics.add(InputFile(new.path, "a.png"), new, label)
    statistics.add(InputFile(resumed.path, "b.png"), resumed, label)
    calls = []
    classifier = FakeClassifier()
    report.save_report_plot(
        statistics,
        "title",
        classifier,
        tmp_path / "p.png",
        lambda *a, path: calls.append(a),
    )
    assert classifier.paths == [resumed.path]
    [(name, *arguments)] = calls
    getattr(plots, name)(*arguments, tmp_path / "p.png")
    assert (tmp_path / "p.png").exists()
    captions = arguments[4] if label else arguments[2]
    texts = ["a.png\nread as 0?, 60.0%", "b.png\nread as 1, 70.0%"]
    if label:
        assert captions == list(zip(texts, [False, True], strict=True))
    else:
        assert captions == texts
    images = arguments[3] if label else arguments[1]
    np.testing.assert_array_equal(images[0], image)
    np.testing.assert_array_equal(images[1], np.ones((28, 28, 1)))
