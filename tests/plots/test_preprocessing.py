import numpy as np
import pytest

from cnn import plots
from tests.plots.conftest import read_pixels


@pytest.mark.parametrize("shape", [(40, 300), (28, 28)])
def test_a_file_is_shown_with_its_ink_in_a_box(tmp_path, texts, shape):
    foreground = np.zeros(shape, np.float32)
    foreground[5:20, 8:12] = 1
    original = np.full((*shape, 3), 200, np.uint8)
    image = np.zeros((28, 28, 1))
    path = tmp_path / "s.png"
    plots.plot_preprocessing(original, foreground, image, "a $ 7", path)
    titles = {"original", "segmented ink", "network input"}
    assert titles | {"a $ 7"} <= set(texts())
    pixels = read_pixels(path)
    red = (pixels[..., 0] > 150) & (pixels[..., 1:] < 100).all(-1)
    blue = (pixels[..., 2] > 130) & (pixels[..., 0] < 80)
    assert red.sum() > 50  # The ink, and a box around it.
    assert blue.sum() > 50


def test_a_blank_file_has_no_box(tmp_path, figures):
    original = np.full((28, 28, 3), 200, np.uint8)
    foreground = np.zeros((28, 28), np.float32)
    image = np.zeros((28, 28, 1))
    plots.plot_preprocessing(original, foreground, image, "blank", tmp_path / "s.png")
    assert [list(axes.patches) for axes in figures[0].axes] == [[], [], []]
