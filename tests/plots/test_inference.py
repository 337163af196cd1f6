import numpy as np
import pytest

from cnn import plots
from cnn.plots.figures import GREEN, RED
from tests.plots.conftest import read_pixels

RNG = np.random.default_rng(0)
NAMES = ["$a", "b_{", "ж"]


def make_examples(count):
    images = RNG.random((count, 28, 28, 1))
    shapes = [(20 + 3 * i, 90, 3) for i in range(count)]
    originals = [RNG.integers(0, 255, shape, np.uint8) for shape in shapes]
    captions = [f"{i}$\nread as b" for i in range(count)]
    return originals, images, captions


@pytest.mark.parametrize("count", [0, 1, 40])
def test_predictions_show_files_inputs_and_confidence(tmp_path, figures, texts, count):
    originals, images, captions = make_examples(count)
    confidences = {
        "$a": np.array([0, count]),
        "b_{": np.full(1000, 2),
        "ж": np.zeros(10, int),
    }
    path = tmp_path / "p.png"
    plots.plot_predictions(originals, images, captions, confidences, "title $", path)
    assert {"title $", *captions} <= set(texts())
    sheet, confidence = figures[0].axes
    assert len(sheet.images) == 2 * count
    ticks = [label.get_text() for label in confidence.get_yticklabels()]
    # A class without predictions has no row.
    expected = [f"$a  ({count})", "b_{  (2,000)"] if count else ["b_{  (2,000)"]
    assert ticks == expected
    assert min(read_pixels(path).shape[:2]) > 400


@pytest.mark.parametrize("count", [0, 1, 40])
def test_labeled_predictions_add_accuracy_and_confusion(
    tmp_path, figures, texts, count
):
    originals, images, captions = make_examples(count)
    confusion = np.array([[3, 0, 0, 1], [0, 0, 0, 0], [1, 0, 4, 0]]) * (count > 0)
    marked = [(caption, True) for caption in captions]
    path = tmp_path / "p.png"
    plots.plot_labeled_predictions(
        confusion, NAMES, originals, images, marked, "t", path
    )
    _, accuracy, *_ = figures[0].axes
    bars = [text.get_text().strip() for text in accuracy.texts]
    # A file without a prediction counts as an error: 3 of 4 for the first class.
    assert bars == (["75.0% of 4", "80.0% of 5"] if count else [])
    images_right = "8 images, 87.50% right" if count else "0 images, 0.00% right"
    assert f"Confusion matrix: {images_right}" in texts()
    assert min(read_pixels(path).shape[:2]) > 400


def test_captions_are_green_when_right_and_red_when_wrong(tmp_path, figures):
    originals, images, captions = make_examples(3)
    marked = list(zip(captions, [True, False, None], strict=True))
    confusion = np.zeros((3, 4), int)
    path = tmp_path / "p.png"
    plots.plot_labeled_predictions(
        confusion, NAMES, originals, images, marked, "t", path
    )
    colors = [text.get_color() for text in figures[0].axes[0].texts]
    assert colors == [GREEN, RED, "black"]
