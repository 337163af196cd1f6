"""Pages in the making: ink, print and the numbers that were written so far."""

from typing import NamedTuple

import cv2
import numpy as np

from cnn.augmentation.simulated_strings.character_pool import CharacterPool
from cnn.augmentation.simulated_strings.hands import WRITING_HEIGHT, Hand
from cnn.augmentation.simulated_strings.printed_text import print_text
from cnn.augmentation.simulated_strings.scanning import (
    make_uneven,
    render_gray_paper,
    scan_page,
)
from cnn.augmentation.simulated_strings.simulated_line import (
    WrittenLine,
    find_boxes,
    map_hulls,
    resize_line,
    warp_image,
)
from cnn.augmentation.simulated_strings.writing import write_line

# Width and height of A4, in millimeters.
A4 = (210, 297)
_MILLIMETERS_PER_INCH = 25.4

# Reflectance of print. Colored rules are light in gray.
_PRINT_GRAYS = (0.0, 0.45)


class PageNumber(NamedTuple):
    """A number on a page.

    Attributes:
      text: its digits.
      box: `float32 (4,)`, left, top, right and bottom of its ink, in pixels.
      line: number of its line on the page, counted from 1.
    """

    text: str
    box: np.ndarray
    line: int


class SimulatedNumberPage(NamedTuple):
    """An image of a page.

    Attributes:
      image: `uint8 (height, width)`.
      numbers: the handwritten numbers, from top to bottom and from left to right.
    """

    image: np.ndarray
    numbers: list[PageNumber]


class PageDraft:
    """A page in the making. Its units are millimeters from the upper left corner.

    Attributes:
      scale: pixels per millimeter.
      ink: `float32 (height, width)` in [0, 1], coverage of handwriting.
      print_: `float32 (height, width)` in [0, 1], coverage of print.
    """

    def __init__(self, dpi: float, size: tuple[float, float] = A4) -> None:
        """Takes an empty sheet.

        Args:
          dpi: resolution, in pixels per inch.
          size: width and height.
        """
        self.scale = dpi / _MILLIMETERS_PER_INCH
        self.width, self.height = size
        shape = (round(self.height * self.scale), round(self.width * self.scale))
        self.ink = np.zeros(shape, np.float32)
        self.print_ = np.zeros(shape, np.float32)
        self._numbers: list[tuple[str, np.ndarray, int]] = []

    def write(
        self,
        rng: np.random.Generator,
        pool: CharacterPool,
        hand: Hand,
        text: str,
        height: float,
        x: float,
        y: float,
        row: int,
        pitch: float | None = None,
        is_right_aligned: bool = False,
    ) -> float:
        """Writes a number.

        Args:
          rng: a random generator.
          pool: the characters.
          hand: the hand.
          text: the digits.
          height: height of a digit.
          x: its left edge, or its right edge if `is_right_aligned`.
          y: its lower edge, about.
          row: number of its line on the page. Lines are numbered again by order.
          pitch: width of a cell per digit, or None.
          is_right_aligned: whether the number ends at `x`.

        Returns:
          The width of the number.
        """
        zoom = height * self.scale / WRITING_HEIGHT
        cell = None if pitch is None else pitch * self.scale / zoom
        line = write_line(rng, pool, text, hand, pitch=cell)
        line = resize_line(line, zoom)
        rows, columns = line.coverage.shape
        left = round(x * self.scale) - (columns if is_right_aligned else 0)
        top = round(y * self.scale) - rows
        if self._fits(line, left, top):
            paste(self.ink, line.coverage, left, top)
            hull = np.concatenate(line.hulls) + np.array([left, top], np.float32)
            self._numbers.append((text, hull, row))
        return columns / self.scale

    def _fits(self, line: WrittenLine, left: int, top: int) -> bool:
        rows, columns = line.coverage.shape
        height, width = self.ink.shape
        return left >= 0 and top >= 0 and left + columns < width and top + rows < height

    def print_words(
        self, rng: np.random.Generator, text: str, height: float, x: float, y: float
    ) -> float:
        """Prints text whose capitals have a height, and returns its width."""
        mark = print_text(rng, text, height * self.scale)
        bottom = round(y * self.scale)
        paste(self.print_, mark, round(x * self.scale), bottom - mark.shape[0])
        return mark.shape[1] / self.scale

    def draw_lines(self, segments: list[list[float]], width: float) -> None:
        """Draws printed lines, each by the x and y of both ends."""
        thickness = max(1, round(width * self.scale))
        canvas = np.zeros(self.print_.shape, np.uint8)
        for segment in segments:
            ends = np.rint(np.array(segment) * self.scale).astype(int)
            cv2.line(canvas, ends[:2].tolist(), ends[2:].tolist(), 1, thickness)
        np.maximum(self.print_, canvas, out=self.print_)

    def scan(
        self, rng: np.random.Generator, max_degrees: float = 0.7
    ) -> SimulatedNumberPage:
        """Scans the page, slightly turned."""
        shape = self.ink.shape
        matrix = _turn(rng, shape, max_degrees)
        ink, print_ = (
            warp_image(layer, matrix, shape[::-1]) for layer in (self.ink, self.print_)
        )
        paper = render_gray_paper(rng, shape, (0.8, 0.99), 0.012)
        page = paper * (1 - (1 - rng.uniform(*_PRINT_GRAYS)) * print_)
        ink = make_uneven(rng, ink, rng.uniform(0, 0.3))
        page = page * (1 - rng.uniform(0.5, 0.95) * ink)
        image = scan_page(rng, page.astype(np.float32), 0.6, 0.015)
        return SimulatedNumberPage(image, self._list_numbers(matrix))

    def _list_numbers(self, matrix: np.ndarray) -> list[PageNumber]:
        """Numbers the lines from 1, and sorts by line and from the left."""
        rows = sorted({row for _, _, row in self._numbers})
        boxes = find_boxes(map_hulls([hull for _, hull, _ in self._numbers], matrix))
        numbers = [
            PageNumber(text, box, rows.index(row) + 1)
            for (text, _, row), box in zip(self._numbers, boxes, strict=True)
        ]
        return sorted(numbers, key=lambda number: (number.line, float(number.box[0])))


def paste(page: np.ndarray, mark: np.ndarray, left: int, top: int) -> None:
    """Lays a mark over a page in place, by the maximum. Parts outside are cropped."""
    height, width = page.shape
    first_row, first_column = max(-top, 0), max(-left, 0)
    visible = mark[
        first_row : max(height - top, 0), first_column : max(width - left, 0)
    ]
    rows = slice(top + first_row, top + first_row + visible.shape[0])
    columns = slice(left + first_column, left + first_column + visible.shape[1])
    part = page[rows, columns]
    np.maximum(part, visible, out=part)


def _turn(
    rng: np.random.Generator, shape: tuple[int, ...], max_degrees: float
) -> np.ndarray:
    """Turns a page around its middle, `float64 (3, 3)`."""
    height, width = shape
    degrees = rng.uniform(-max_degrees, max_degrees)
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    return np.vstack([turn, [0, 0, 1]])
