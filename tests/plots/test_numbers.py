import numpy as np
import pytest
from matplotlib.patches import Rectangle

from cnn import plots
from cnn.plots.figures import BLUE, GREEN, ORANGE, RED
from tests.plots.conftest import read_pixels

BOXES = np.array([[10.0, 5, 20, 25], [22, 5, 30, 24]])
CONFIDENCES = np.array([0, 3, 0, 120])


def make_picture(i, is_correct=None, is_sure=True):
    image = np.full((30 + 20 * i, 60, 3), 200, np.uint8)
    return image, (BOXES, ["4", "$"], is_sure, ""), f"{i}$\nread as 4$", is_correct


@pytest.mark.parametrize("count", [0, 1, 7])
def test_numbers_show_pictures_characters_and_confidence(
    tmp_path, figures, texts, count
):
    pictures = [make_picture(i) for i in range(count)]
    path = tmp_path / "p.png"
    plots.plot_numbers(pictures, CONFIDENCES, 0 * CONFIDENCES, {}, "title $", path)
    sheet, confidence = figures[0].axes
    assert len(sheet.images) == count
    words = texts()
    assert {"title $", *(picture[2] for picture in pictures)} <= set(words)
    assert words.count("4") == words.count("$") == count
    assert confidence.get_title() == "Confidence"
    assert min(read_pixels(path).shape[:2]) > 400


def test_labels_color_the_captions_and_add_the_accuracy_by_length(
    tmp_path, figures, texts
):
    pictures = [make_picture(0, False), make_picture(1, True)]
    by_length = {2: (4, 1), 10: (2000, 2000)}
    plots.plot_numbers(
        pictures, CONFIDENCES, CONFIDENCES // 2, by_length, "t", tmp_path / "p.png"
    )
    sheet, accuracy, _ = figures[0].axes
    colors = {text.get_text(): text.get_color() for text in sheet.texts}
    assert colors["0$\nread as 4$"] == RED
    assert colors["1$\nread as 4$"] == GREEN
    assert {"25%\nof 4", "100%\nof 2,000"} <= set(texts())
    assert [bar.get_height() for bar in accuracy.patches] == [0.25, 1.0]


def test_boxes_lie_in_the_picture_and_tell_who_is_sure(tmp_path, figures, texts):
    image = np.full((40, 100, 3), 255, np.uint8)
    numbers = [
        (BOXES, ["1", "2"], True, ""),
        (BOXES + 40, ["3", "4"], False, "61%"),
        (np.zeros((0, 4)), [], True, ""),
    ]
    plots.plot_number_boxes(image, numbers, "a.png: 3 numbers", tmp_path / "p.png")
    (axes,) = figures[0].axes
    boxes = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    found = [[*box.get_xy(), box.get_width(), box.get_height()] for box in boxes]
    np.testing.assert_allclose(
        found,
        [[10, 5, 10, 20], [22, 5, 8, 19], [50, 45, 10, 20], [62, 45, 8, 19]],
    )
    words = {text.get_text(): text.get_color() for text in axes.texts}
    assert words == {"1": BLUE, "2": BLUE, "3": ORANGE, "4": ORANGE, "61%": ORANGE}
    assert "a.png: 3 numbers" in texts()
