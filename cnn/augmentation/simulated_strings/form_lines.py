"""Numbers in printed boxes and combs, one digit a cell.

Every line is a function of a random generator, of the characters and of a number of
digits, or None for any number.
"""

import cv2
import numpy as np

from cnn.augmentation.simulated_strings.character_pool import CharacterPool
from cnn.augmentation.simulated_strings.hands import WRITING_HEIGHT, Hand, sample_hand
from cnn.augmentation.simulated_strings.scanning import (
    make_uneven,
    photograph_line,
    render_gray_paper,
    sample_log_uniform,
    scan_page,
)
from cnn.augmentation.simulated_strings.simulated_line import (
    SimulatedLine,
    WrittenLine,
    finish_line,
    pad_line,
    resize_line,
)
from cnn.augmentation.simulated_strings.writing import write_line

# Width of a cell and height of the frame, in heights of a digit.
_PITCHES = (0.85, 1.5)
_FRAME_HEIGHTS = (1.15, 1.9)
# Gap between separate boxes, as a fraction of the width of a cell.
_BOX_GAPS = (0.05, 0.25)
# Length of the ticks of a comb, as a fraction of its height. 1 divides it into boxes.
_TICK_LENGTHS = (0.12, 0.5)
# Width of the printed lines, in heights of a digit.
_LINE_WIDTHS = (0.015, 0.06)
# Reflectance of the printed lines. Colored ones are light in gray.
_LINE_GRAYS = (0.05, 0.7)
# Heights of a digit in scans, in pixels, and longer sides of photographs.
_HEIGHTS = (16, 80)
_LONG_SIDES = (250, 1600)
# Least height of a digit in a photograph, in pixels.
_MIN_HEIGHT = 14


def scan_comb(
    rng: np.random.Generator, pool: CharacterPool, length: int | None
) -> SimulatedLine:
    """Scans a number of 6 to 10 digits in a comb: a frame with ticks between digits."""
    num_digits = int(rng.integers(6, 11)) if length is None else length
    hand = _sample_form_hand(rng)
    line, print_ = _write_in_cells(rng, pool, num_digits, hand, is_comb=True)
    scale = sample_log_uniform(rng, *_HEIGHTS) / WRITING_HEIGHT
    line, print_ = resize_line(line, scale), _resize(print_, scale)
    paper = render_gray_paper(rng, line.coverage.shape, (0.8, 0.99), 0.01)
    page = paper * (1 - print_) + rng.uniform(*_LINE_GRAYS) * paper * print_
    ink = make_uneven(rng, line.coverage, rng.uniform(0, 0.3))
    page = page * (1 - rng.uniform(0.5, 0.97) * ink)
    return finish_line(scan_page(rng, page.astype(np.float32)), line)


def photograph_boxes(
    rng: np.random.Generator, pool: CharacterPool, length: int | None
) -> SimulatedLine:
    """Photographs digits in pencil or ink in printed boxes, in perspective."""
    num_digits = int(rng.integers(2, 11)) if length is None else length
    hand = _sample_form_hand(rng)
    line, print_ = _write_in_cells(rng, pool, num_digits, hand, is_comb=False)
    is_pencil = rng.random() < 0.7
    uneven = rng.uniform(0.2, 0.55) if is_pencil else rng.uniform(0, 0.3)
    opacity = rng.uniform(0.45, 0.85) if is_pencil else rng.uniform(0.7, 1)
    ink = opacity * make_uneven(rng, line.coverage, uneven)
    grays = (rng.uniform(*_LINE_GRAYS), rng.uniform(0.05, 0.35))
    layers = [(np.full(3, grays[0]), print_), (np.full(3, grays[1]), ink)]
    least = max(line.coverage.shape) * _MIN_HEIGHT / WRITING_HEIGHT
    long_side_px = int(max(sample_log_uniform(rng, *_LONG_SIDES), least))
    return photograph_line(rng, line, layers, long_side_px, max_degrees=6)


def _sample_form_hand(rng: np.random.Generator) -> Hand:
    """Samples a careful hand."""
    return sample_hand(rng)._replace(slant=rng.uniform(-0.1, 0.3), joins=0.0)


def _resize(image: np.ndarray, scale: float) -> np.ndarray:
    height, width = image.shape
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _write_in_cells(
    rng: np.random.Generator,
    pool: CharacterPool,
    num_digits: int,
    hand: Hand,
    is_comb: bool,
) -> tuple[WrittenLine, np.ndarray]:
    """Writes a number into printed cells.

    Returns:
      The number with its margins, and the coverage of the print, of the same shape.
    """
    pitch = rng.uniform(*_PITCHES) * max(hand.stretch, 0.9) * WRITING_HEIGHT
    frame_height = rng.uniform(*_FRAME_HEIGHTS) * WRITING_HEIGHT
    text = pool.draw_text(rng, num_digits)
    line = write_line(rng, pool, text, hand, pitch=pitch)
    # Cells may stay empty at either end.
    before, after = (rng.integers(0, 3, 2) * (rng.random(2) < 0.2)).tolist()
    free = frame_height - line.coverage.shape[0]
    top = int(free * np.clip(rng.normal(0.5, 0.2), -0.1, 1.1))
    margin = WRITING_HEIGHT // 2
    frame = np.array([margin, margin, margin + frame_height], float)
    left = margin + round(before * pitch)
    line = pad_line(line, left, margin + top, margin + round(after * pitch), margin)
    bottom = int(frame[2]) + margin
    line = pad_line(line, 0, 0, 0, bottom - line.coverage.shape[0])
    num_cells = before + num_digits + after
    draw = _draw_comb if is_comb else _draw_boxes
    print_ = draw(rng, line.coverage.shape, frame, pitch, num_cells)
    return _crop_margins(rng, line, print_)


def _crop_margins(
    rng: np.random.Generator, line: WrittenLine, print_: np.ndarray
) -> tuple[WrittenLine, np.ndarray]:
    """Widens the margins, or crops into them, up to near the frame."""
    most = WRITING_HEIGHT // 2 - 4
    sides = rng.integers(-most, WRITING_HEIGHT, 4).tolist()
    printed = WrittenLine(print_, "", [], [])
    return pad_line(line, *sides), pad_line(printed, *sides).coverage


def _sample_line_width(rng: np.random.Generator) -> int:
    return max(1, round(rng.uniform(*_LINE_WIDTHS) * WRITING_HEIGHT))


def _draw_comb(
    rng: np.random.Generator,
    shape: tuple[int, int],
    frame: np.ndarray,
    pitch: float,
    num_cells: int,
) -> np.ndarray:
    """Draws a frame with ticks between the cells, or without its upper edge.

    Args:
      rng: a random generator.
      shape: height and width of the page, in pixels.
      frame: left, top and bottom of the frame, in pixels.
      pitch: width of a cell, in pixels.
      num_cells: number of cells.
    """
    left, top, bottom = np.rint(frame).astype(int).tolist()
    right = round(left + num_cells * pitch)
    width = _sample_line_width(rng)
    canvas = np.zeros(shape, np.uint8)
    is_open = rng.random() < 0.3
    length = 1.0 if rng.random() < 0.4 else rng.uniform(*_TICK_LENGTHS)
    cv2.line(canvas, (left, bottom), (right, bottom), 1, width)
    if not is_open:
        cv2.rectangle(canvas, (left, top), (right, bottom), 1, width)
    tick_top = round(bottom - length * (bottom - top))
    tick_width = max(1, round(width * rng.uniform(0.5, 1)))
    for cell in range(num_cells + 1):
        x = round(left + cell * pitch)
        cv2.line(canvas, (x, tick_top), (x, bottom), 1, tick_width)
    return canvas.astype(np.float32)


def _draw_boxes(
    rng: np.random.Generator,
    shape: tuple[int, int],
    frame: np.ndarray,
    pitch: float,
    num_cells: int,
) -> np.ndarray:
    """Draws a box per cell, apart from each other or side by side."""
    left, top, bottom = np.rint(frame).astype(int).tolist()
    width = _sample_line_width(rng)
    gap = rng.uniform(*_BOX_GAPS) * pitch if rng.random() < 0.5 else 0
    canvas = np.zeros(shape, np.uint8)
    for cell in range(num_cells):
        first = round(left + cell * pitch + gap / 2)
        last = round(left + (cell + 1) * pitch - gap / 2)
        cv2.rectangle(canvas, (first, top), (last, bottom), 1, width)
    return canvas.astype(np.float32)


FORM_KINDS = {"comb": scan_comb, "boxes": photograph_boxes}
