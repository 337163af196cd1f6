"""People look at figures. The tests check their words, lines and colors."""

# Before Matplotlib, which the environment may give a backend that does not exist.
import cnn.plots  # isort: skip  # noqa: F401

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """Collects each figure that is saved."""
    saved: list[Figure] = []
    draw = FigureCanvasAgg.draw

    def collect(canvas: FigureCanvasAgg) -> None:
        draw(canvas)
        saved.append(canvas.figure)

    monkeypatch.setattr(FigureCanvasAgg, "draw", collect)
    return saved


@pytest.fixture
def texts(figures: list[Figure]) -> Callable[[], list[str]]:
    """Returns all texts of the saved figures."""

    def collect() -> list[str]:
        return [
            text.get_text()
            for figure in figures
            for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))
        ]

    return collect


def read_pixels(path: Path) -> np.ndarray:
    """Reads a whole PNG as `int (height, width, 3)`."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)
