"""Pictures are looked at by people; here, that they are whole, of a good size, and say what they must."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from cnn import plots

DRAW = np.random.default_rng(0)


@pytest.fixture
def texts(monkeypatch):
    """Collects the words of each figure that is saved."""
    found: list[str] = []
    draw = FigureCanvasAgg.draw

    def collect(canvas):
        draw(canvas)
        found.extend(
            t.get_text()
            for t in canvas.figure.findobj(lambda o: hasattr(o, "get_text"))
        )

    monkeypatch.setattr(FigureCanvasAgg, "draw", collect)
    return found


def size(path):
    with Image.open(path) as image:
        image.load()
        return image.size


def test_curves_show_both_splits_with_units(tmp_path, texts):
    history = [
        {
            "epoch": e,
            "loss": 1 / e,
            "accuracy": 1 - 0.1 / e,
            "val_loss": 0.9 / e,
            "val_accuracy": 1 - 0.05 / e,
        }
        for e in range(1, 13)
    ]
    plots.plot_training_curves(history, tmp_path / "c.png")
    assert min(size(tmp_path / "c.png")) > 400
    assert {
        "Accuracy",
        "Loss",
        "epoch",
        "accuracy (%)",
        "cross-entropy (nats)",
        "validation",
    } <= set(texts)


def test_confusion_counts_by_hand(tmp_path, texts):
    labels, predictions = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 1, 0])
    plots.plot_confusion_matrix(
        labels, predictions, ["a", "b", "c"], tmp_path / "c.png"
    )
    assert "Confusion matrix: 6 images, 66.67% right" in texts
    assert sorted(text for text in texts if text.isdigit()) == sorted(
        ["2", "1", "2", "1"]
    )
    size(tmp_path / "c.png")


def test_many_classes_are_drawn_too(tmp_path):
    labels = DRAW.integers(0, 62, 500)
    plots.plot_confusion_matrix(
        labels, labels, [chr(65 + i) for i in range(62)], tmp_path / "c.png"
    )
    size(tmp_path / "c.png")


def test_mistakes_are_sorted_by_loss_with_truth_guess_and_confidence(tmp_path, texts):
    probabilities = np.array(
        [[0.9, 0.1], [0.2, 0.8], [0.95, 0.05], [0.6, 0.4]], np.float32
    )
    images = DRAW.integers(0, 255, (4, 28, 28, 1), np.uint8)
    plots.plot_top_losses(
        images,
        np.array([0, 0, 1, 1]),
        probabilities,
        ["left", "right"],
        tmp_path / "m.png",
    )
    captions = [text for text in texts if "read as" in text]
    assert captions == [
        "right read as left\n95.0% sure",
        "left read as right\n80.0% sure",
        "right read as left\n60.0% sure",
    ]
    assert "3 of 4 test images were read wrong (75.00%); highest loss first" in texts


def test_no_mistakes_can_be_drawn(tmp_path):
    plots.plot_top_losses(
        np.zeros((1, 28, 28, 1)),
        np.array([0]),
        np.array([[0.9, 0.1]]),
        ["a", "b"],
        tmp_path / "m.png",
    )
    size(tmp_path / "m.png")


@pytest.mark.parametrize("count", [0, 1, 40])
def test_readings_with_and_without_labels(tmp_path, count):
    pictures, names = DRAW.random((count, 28, 28, 1)), ["$a", "b_{", "ж"]
    originals = [
        DRAW.integers(0, 255, (20 + 3 * i, 90, 3), np.uint8) for i in range(count)
    ]
    captions = [f"{i}$\nread as b" for i in range(count)]
    confidences = {
        "$a": np.array([0, count]),
        "b_{": DRAW.integers(0, 9, 1000),
        "ж": np.zeros(10, int),
    }
    plots.plot_predictions(
        originals, pictures, captions, confidences, "title $", tmp_path / "1.png"
    )
    confusion = DRAW.integers(0, 9, (3, 4)) * (count > 0)
    plots.plot_labeled_predictions(
        confusion,
        names,
        originals,
        pictures,
        [(c, True) for c in captions],
        "t",
        tmp_path / "2.png",
    )
    assert min(*size(tmp_path / "1.png"), *size(tmp_path / "2.png")) > 400


@pytest.mark.parametrize("shape", [(40, 300), (28, 28)])
def test_a_file_is_shown_with_what_was_found_in_it(tmp_path, texts, shape):
    found = np.zeros(shape, np.float32)
    found[5:20, 8:12] = 1
    plots.plot_preprocessing(
        np.full((*shape, 3), 200, np.uint8),
        found,
        np.zeros((28, 28, 1)),
        "a $ 7",
        tmp_path / "s.png",
    )
    assert {"a $ 7", "the picture", "what was found", "what the network saw"} <= set(
        texts
    )
    with Image.open(tmp_path / "s.png") as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    red = (pixels[..., 0] > 150) & (pixels[..., 1:] < 100).all(-1)
    blue = (pixels[..., 2] > 130) & (pixels[..., 0] < 80)
    assert red.sum() > 50  # The ink that was found, and a box around it.
    assert blue.sum() > 50


def test_reliability_says_the_calibration_error(tmp_path, texts):
    confidence, accuracy, counts = (
        np.array([0.8, 0.99]),
        np.array([0.7, 1.0]),
        np.array([100, 300]),
    )
    plots.plot_reliability_diagram(confidence, accuracy, counts, tmp_path / "r.png")
    assert (
        "Reliability: 400 images, expected calibration error 3.25%" in texts
    )  # (0.1 + 3 · 0.01) / 4
    assert {"confidence (%)", "accuracy (%)", "as right as it is sure"} <= set(texts)
    assert min(size(tmp_path / "r.png")) > 400


def test_the_augmentation_sheet_names_its_rows(tmp_path, texts):
    rows = {"as it is": DRAW.random((5, 28, 28)), "blurred": DRAW.random((5, 28, 28))}
    plots.plot_image_rows(rows, tmp_path / "a.png")
    assert {"as it is", "blurred"} <= set(texts)
    size(tmp_path / "a.png")
