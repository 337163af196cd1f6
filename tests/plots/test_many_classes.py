"""Plots of 2 to 300 classes: their texts can be read and lie beside one another."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.text import Text

from cnn import plots
from tests.plots.conftest import read_pixels

CONFIDENCES = np.array([1, 0, 3])
WORDS = ("at", "ampersand", "handwritten_left_curly_brackets", "W" * 30)
NAMES: dict[str, Callable[[int], str]] = {
    "letters": lambda i: chr(ord("A") + i) if i < 26 else chr(0x100 + i),
    "words": lambda i: f"{i}{WORDS[i % 4]}"[:30],
}


@pytest.fixture
def boxes(monkeypatch: pytest.MonkeyPatch) -> dict[str, np.ndarray]:
    """Collects each text that is drawn and its box: left, bottom, right, top.

    The boxes are relative to the figure.
    """
    drawn: dict[str, np.ndarray] = {}
    draw = Text.draw

    def collect(text: Text, renderer: RendererAgg) -> None:
        draw(text, renderer)
        if text.get_visible() and text.get_text():
            box = text.get_window_extent(renderer).extents
            size = [renderer.width, renderer.height]
            drawn[f"{text.get_text()} {id(text)}"] = box / np.tile(size, 2)

    monkeypatch.setattr(Text, "draw", collect)
    return drawn


def find_overlaps(boxes: dict[str, np.ndarray]) -> list[tuple[str, str]]:
    """Compares each text with all others."""
    names = list(boxes)
    left, bottom, right, top = np.array(list(boxes.values())).T
    overlaps = (
        (left[:, None] < right)
        & (left < right[:, None])
        & (bottom[:, None] < top)
        & (bottom < top[:, None])
    )
    return [(names[i], names[j]) for i, j in np.argwhere(np.triu(overlaps, 1))]


def make_labels(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels of 30 images of each class, of which 6 are read as others."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(count), 30)
    predictions = labels.copy()
    predictions[::5] = rng.integers(0, count, len(labels[::5]))
    return labels, predictions


def plot_training(names: list[str], folder: Path) -> None:
    labels, predictions = make_labels(len(names))
    plots.plot_confusion_matrix(labels, predictions, names, folder / "c.png")


def plot_mistakes(names: list[str], folder: Path) -> None:
    labels = np.arange(24) % len(names)
    images = np.zeros((24, 28, 28, 1), np.uint8)
    probabilities = np.full((24, len(names)), 0.1)
    probabilities[np.arange(24), labels - 1] = 0.9
    plots.plot_top_losses(images, labels, probabilities, names, folder / "m.png")


def make_files(names: list[str]) -> tuple[list[np.ndarray], np.ndarray, list[str]]:
    captions = [f"…ong_file_name_.png\nread as {names[-1 - i]}?, 50%" for i in range(8)]
    return [np.zeros((9, 9, 3), np.uint8)] * 8, np.zeros((8, 28, 28, 1)), captions


def plot_labeled(names: list[str], folder: Path) -> None:
    confusion = np.zeros((len(names), len(names) + 1), int)
    np.add.at(confusion, make_labels(len(names)), 1)
    *files, captions = make_files(names)
    marked = [(caption, False) for caption in captions]
    plots.plot_labeled_predictions(
        confusion, names, *files, marked, "t", folder / "p.png"
    )


def plot_unlabeled(names: list[str], folder: Path) -> None:
    confidences = dict.fromkeys(names, CONFIDENCES)
    plots.plot_predictions(*make_files(names), confidences, "t", folder / "p.png")


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("count", [10, 26, 47, 62, 300])
@pytest.mark.parametrize(
    "plot", [plot_training, plot_mistakes, plot_labeled, plot_unlabeled]
)
def test_texts_lie_inside_a_bounded_figure_and_beside_one_another(
    tmp_path, boxes, plot, count, kind
):
    plot([NAMES[kind](i) for i in range(count)], tmp_path)
    assert find_overlaps(boxes) == []
    edges = np.array(list(boxes.values()))
    assert edges.min() >= 0
    assert edges.max() <= 1
    (path,) = tmp_path.iterdir()
    assert max(read_pixels(path).shape) <= 3000


def test_texts_that_overlap_are_found():
    square = np.array([0, 0, 2, 2])
    boxes = {"a": square, "b": square + 1, "c": square + 2}
    assert find_overlaps(boxes) == [("a", "b"), ("b", "c")]


@pytest.mark.parametrize("count", [26, 47, 62])
def test_up_to_62_characters_are_all_named_upright(tmp_path, figures, count):
    names = [NAMES["letters"](i) for i in range(count)]
    plot_training(names, tmp_path)
    axes = figures[0].axes[0]
    for axis in (axes.xaxis, axes.yaxis):
        labels = axis.get_ticklabels()
        assert [label.get_text() for label in labels] == names
        assert {label.get_rotation() for label in labels} == {0}
    # Every count is written.
    pairs = set(zip(*make_labels(count), strict=True))
    assert len(axes.texts) == len(pairs)


def test_of_300_classes_some_are_named_and_every_figure_says_how_many(
    tmp_path, figures
):
    names = [f"<{i}>" for i in range(300)]
    for plot in (plot_training, plot_labeled, plot_unlabeled):
        plot(names, tmp_path)
    charts = [axes for figure in figures for axes in figure.axes if axes.get_title()]
    assert len(charts) == 4
    for axes in charts:
        note = axes.get_title().rpartition("\n")[2]
        words = note.split()
        step = int(words.pop(3))
        assert words == ["1", "class", "in", "is", "named"]
        shown = [label.get_text().split()[0] for label in axes.get_yticklabels()]
        assert shown == names[::step]
        assert step <= 4


def test_the_most_confused_classes_are_listed_by_count(tmp_path, figures):
    names = [NAMES["letters"](i) for i in range(26)]
    matrix = 5 * np.eye(26, dtype=int)
    matrix[14, 16], matrix[8, 11], matrix[0, 1] = 2, 31, 12
    labels, predictions = np.repeat(np.argwhere(matrix), matrix[matrix > 0], 0).T
    plots.plot_confusion_matrix(labels, predictions, names, tmp_path / "c.png")
    _, line = figures[0].axes[0].get_title().split("\n")
    assert line == "most confused: I as L (31), A as B (12), O as Q (2)"


def test_a_count_that_does_not_fit_is_left_to_its_color(tmp_path, figures):
    names = [NAMES["letters"](i) for i in range(62)]
    labels = np.append(np.zeros(1_000_000, int), np.arange(62))
    plots.plot_confusion_matrix(labels, labels, names, tmp_path / "c.png")
    axes = figures[0].axes[0]
    assert [text.get_text() for text in axes.texts] == 61 * ["1"]
    assert np.array_equal(axes.images[0].get_array(), np.eye(62))


def test_of_many_classes_only_those_of_the_files_are_shown(tmp_path, figures):
    names = [f"<{i}>" for i in range(300)]
    confusion = np.zeros((300, 301), int)
    confusion[7, 7] = confusion[7, 200] = confusion[299, 300] = 4
    plots.plot_labeled_predictions(
        confusion, names, *make_files(names)[:2], 8 * [("a\nb", True)], "t",
        tmp_path / "p.png",
    )  # fmt: skip
    _, accuracy, matrix, _ = figures[0].axes
    shown = [
        [label.get_text() for label in axis.get_ticklabels()]
        for axis in (accuracy.yaxis, matrix.yaxis, matrix.xaxis)
    ]
    # A file without a prediction is no image of the matrix.
    assert shown == [["<7>", "<299>"], ["<7>", "<200>"], ["<7>", "<200>"]]


def test_captions_of_long_names_have_a_line_for_each_name(tmp_path, figures):
    names = ["ampersand", "b", "left_curly_bracket", "d"]
    probabilities = np.eye(4)[[1, 2]]
    labels = np.array([3, 0])
    images = np.zeros((2, 28, 28, 1), np.uint8)
    plots.plot_top_losses(images, labels, probabilities, names, tmp_path / "m.png")
    first, second = [text.get_text() for text in figures[0].axes[0].texts]
    assert first == "d read as b\n100.0% sure"
    truth, prediction, sure = second.split("\n")
    assert (truth, sure) == ("ampersand", "100.0% sure")
    start, end = prediction.split("…")
    assert f"as {names[2]}".startswith(start)
    assert names[2].endswith(end)
