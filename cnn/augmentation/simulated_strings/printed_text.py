"""Printed words and numbers, in the fonts of matplotlib and of OpenCV."""

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

_FONTS = (
    "DejaVuSans",
    "DejaVuSans-Bold",
    "DejaVuSans-Oblique",
    "DejaVuSerif",
    "DejaVuSerif-Bold",
    "DejaVuSerif-Italic",
    "DejaVuSansMono",
    "STIXGeneral",
    "STIXGeneralItalic",
    "cmr10",
)
# Fonts of OpenCV, which consist of lines.
_LINE_FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
)
_LINE_FONT_SHARE = 0.15

_VOCABULARY = """
    the number of each page name date total field sheet class signature course first
    student exam last room street please write inside box only office use points grade
    account amount paid balance forward received register volume folio entry born died
    parish county remarks Nummer Datum Betrag Blatt Seite Summe Herr Frau und der die
"""
_WORDS = tuple(_VOCABULARY.split())
# Words before a number, on a form.
_LABELS = ("No.", "Nr.", "N.", "Total", "ID", "Date:", "Page", "Folio", "Amount", "#")


def sample_label(rng: np.random.Generator) -> str:
    """Samples a word that stands before a number."""
    return _LABELS[rng.integers(len(_LABELS))]


def sample_words(
    rng: np.random.Generator, count: int, has_numbers: bool = False
) -> str:
    """Samples words, some of them capitalized, and some numbers."""
    words = [_WORDS[i] for i in rng.integers(len(_WORDS), size=count)]
    for i in range(count):
        if rng.random() < 0.2:
            words[i] = words[i].capitalize()
        if has_numbers and rng.random() < 0.2:
            words[i] = str(rng.integers(1, 10 ** rng.integers(1, 6)))
    return " ".join(words)


def print_text(rng: np.random.Generator, text: str, size: float) -> np.ndarray:
    """Prints a line of text in a random font.

    Args:
      rng: a random generator.
      text: one line.
      size: height of a capital letter, in pixels.

    Returns:
      Coverage, `float32 (height, width)` in [0, 1], cropped to the ink.
    """
    if rng.random() < _LINE_FONT_SHARE and text.isascii():
        font = _LINE_FONTS[rng.integers(len(_LINE_FONTS))]
        return _print_lines(text, size, font)
    return print_in_font(text, size, _FONTS[rng.integers(len(_FONTS))])


def print_in_font(text: str, size: float, name: str) -> np.ndarray:
    """Prints a line of text in a font of matplotlib. See `print_text`."""
    # Capitals of these fonts are about 0.72 of the font's size.
    font = _load_font(name, max(4, round(size / 0.72)))
    left, top, right, bottom = map(int, font.getbbox(text))
    image = Image.new("L", (right - left + 2, bottom - top + 2))
    ImageDraw.Draw(image).text((1 - left, 1 - top), text, 255, font)
    return _crop(np.asarray(image, np.float32) / np.float32(255))


def _print_lines(text: str, size: float, font: int) -> np.ndarray:
    """Prints a line of text in a font of OpenCV."""
    scale = size / 21  # Capitals of these fonts have 21 pixels at scale 1.
    thickness = max(1, round(size / 10))
    (width, height), descent = cv2.getTextSize(text, font, scale, thickness)
    margin = thickness + 2
    canvas = np.zeros((height + descent + 2 * margin, width + 2 * margin), np.uint8)
    origin = (margin, height + margin)
    cv2.putText(canvas, text, origin, font, scale, 255, thickness, cv2.LINE_AA)
    return _crop(canvas.astype(np.float32) / np.float32(255))


@lru_cache(maxsize=128)
def _load_font(name: str, size: int) -> ImageFont.FreeTypeFont:
    # Imported late: it takes a tenth of a second, and only print needs it.
    import matplotlib

    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf"
    return ImageFont.truetype(path, size)


def _crop(coverage: np.ndarray) -> np.ndarray:
    """Crops to all pixels above 0."""
    rows = np.flatnonzero(coverage.any(axis=1))
    columns = np.flatnonzero(coverage.any(axis=0))
    return coverage[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
