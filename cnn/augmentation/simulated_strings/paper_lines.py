"""Numbers on paper: scanned, photographed, slanted, above a dotted line, beside print.

Every line is a function of a random generator, of the characters and of a number of
digits, or None for any number.
"""

import cv2
import numpy as np

from cnn.augmentation.simulated_pages.compositing import (
    Layer,
    composite_layers,
)
from cnn.augmentation.simulated_strings.character_pool import CharacterPool
from cnn.augmentation.simulated_strings.hands import WRITING_HEIGHT, sample_hand
from cnn.augmentation.simulated_strings.number_texts import sample_text_with_separators
from cnn.augmentation.simulated_strings.printed_text import print_text, sample_label
from cnn.augmentation.simulated_strings.scanning import (
    add_margins,
    make_uneven,
    photograph_line,
    render_gray_paper,
    sample_log_uniform,
    scan_line,
)
from cnn.augmentation.simulated_strings.simulated_line import (
    SimulatedLine,
    WrittenLine,
    pad_line,
    resize_line,
    warp_line,
)
from cnn.augmentation.simulated_strings.strips import sample_length
from cnn.augmentation.simulated_strings.writing import write_line

# Heights of a digit in scans, in pixels.
_HEIGHTS = (14, 80)

# Share of lines that are light on dark, as chalk on a board.
_CHALK_SHARE = 0.12

# Longer sides of photographs, in pixels.
_LONG_SIDES = (160, 1400)
# Least height of a digit in them, in pixels.
_MIN_PHOTO_HEIGHT = 12

# Largest slope of a slanted line, in degrees.
_MAX_DEGREES = 8

# Colors of pens, in RGB order.
_INK_COLORS = ((0.05, 0.1, 0.55), (0.1, 0.1, 0.12), (0.1, 0.1, 0.35), (0.6, 0.1, 0.1))


def _write_number(
    rng: np.random.Generator, pool: CharacterPool, length: int | None
) -> WrittenLine:
    text = pool.draw_text(rng, sample_length(rng, length))
    return write_line(rng, pool, text, sample_hand(rng))


def _reduce(rng: np.random.Generator, line: WrittenLine) -> WrittenLine:
    """Reduces a line to a random height of its digits."""
    return resize_line(line, sample_log_uniform(rng, *_HEIGHTS) / WRITING_HEIGHT)


def _scan(rng: np.random.Generator, line: WrittenLine) -> SimulatedLine:
    """Scans a number in ink or in pencil, or light on dark."""
    coverage = make_uneven(rng, line.coverage, rng.uniform(0, 0.4))
    line = line._replace(coverage=coverage)
    scanned = scan_line(rng, line, rng.uniform(0.35, 0.95))
    if rng.random() > _CHALK_SHARE:
        return scanned
    return scanned._replace(image=255 - scanned.image)


def scan_on_paper(
    rng: np.random.Generator, pool: CharacterPool, length: int | None
) -> SimulatedLine:
    """Scans a number on paper with a grain, shading and JPEG artifacts."""
    line = _reduce(rng, _write_number(rng, pool, length))
    return _scan(rng, add_margins(rng, line, 0.05, 1.2))


def scan_slanted(
    rng: np.random.Generator, pool: CharacterPool, length: int | None
) -> SimulatedLine:
    """Scans a number whose line rises or falls by up to 8 degrees."""
    line = _write_number(rng, pool, length)
    height, width = line.coverage.shape
    angle = np.deg2rad(rng.uniform(-_MAX_DEGREES, _MAX_DEGREES))
    rise = int(abs(np.sin(angle)) * width / 2 + height * 0.1) + 2
    line = pad_line(line, rise // 4 + 4, rise, rise // 4 + 4, rise)
    height, width = line.coverage.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), np.rad2deg(angle), 1)
    line = warp_line(line, np.vstack([turn, [0, 0, 1]]), (width, height))
    return _scan(rng, add_margins(rng, _reduce(rng, line), 0.03, 0.5))


def scan_separators(
    rng: np.random.Generator, pool: CharacterPool, length: int | None
) -> SimulatedLine:
    """Scans a date, an amount, a time or a negative number. The length is ignored."""
    del length
    hand = sample_hand(rng)._replace(joins=0.0)
    line = write_line(rng, pool, sample_text_with_separators(rng, pool), hand)
    return _scan(rng, add_margins(rng, _reduce(rng, line), 0.1, 1))


def scan_dotted_line(
    rng: np.random.Generator, pool: CharacterPool, length: int | None
) -> SimulatedLine:
    """Scans a number above a dotted line, which it may touch."""
    line = _write_number(rng, pool, length)
    margins = (rng.uniform(0.1, 1.5, 4) * WRITING_HEIGHT).astype(int).tolist()
    bottom = margins[1] + line.coverage.shape[0]
    line = pad_line(line, *margins)
    shape = line.coverage.shape
    y = min(bottom + rng.uniform(-0.12, 0.2) * WRITING_HEIGHT, shape[0] - 3)
    dots = _draw_dots(rng, shape, y)
    coverage = np.maximum(line.coverage, rng.uniform(0.4, 1) * dots)
    line = _reduce(rng, line._replace(coverage=coverage))
    return scan_line(rng, line, rng.uniform(0.5, 0.95))


def _draw_dots(
    rng: np.random.Generator, shape: tuple[int, int], y: float
) -> np.ndarray:
    """Draws a dotted line across a page."""
    radius = rng.uniform(0.015, 0.04) * WRITING_HEIGHT
    pitch = radius * rng.uniform(3, 7)
    canvas = np.zeros(shape, np.uint8)
    slope = rng.uniform(-0.01, 0.01)
    for x in np.arange(rng.uniform(0, pitch), shape[1], pitch):
        center = np.rint(np.array([x, y + slope * x]) * 16).astype(int).tolist()
        size = max(16, round(radius * 16))
        cv2.circle(canvas, center, size, 255, -1, cv2.LINE_AA, shift=4)
    return canvas.astype(np.float32) / np.float32(255)


def scan_labelled(
    rng: np.random.Generator, pool: CharacterPool, length: int | None
) -> SimulatedLine:
    """Scans a number behind a printed word, such as "No."."""
    line = _write_number(rng, pool, length)
    word = print_text(rng, sample_label(rng), rng.uniform(0.3, 0.7) * WRITING_HEIGHT)
    gap = int(rng.uniform(0.3, 1.2) * WRITING_HEIGHT)
    left = word.shape[1] + gap
    extra = max(0, word.shape[0] - line.coverage.shape[0])
    line = pad_line(line, left, extra, 0, 0)
    top = line.coverage.shape[0] - word.shape[0]
    top -= min(top, int(rng.uniform(0, 0.15) * WRITING_HEIGHT))
    print_ = composite_layers(line.coverage.shape, [Layer(word, top, 0)])
    line = line._replace(coverage=np.maximum(line.coverage, print_))
    return _scan(rng, add_margins(rng, _reduce(rng, line), 0.08, 0.8))


def photograph_on_paper(
    rng: np.random.Generator, pool: CharacterPool, length: int | None
) -> SimulatedLine:
    """Photographs a number on plain, ruled or squared paper."""
    line = add_margins(rng, _write_number(rng, pool, length), 0.25, 2.5)
    paper = str(rng.choice(["plain", "plain", "ruled", "squared"]))
    color = np.array(_INK_COLORS[rng.integers(len(_INK_COLORS))])
    ink = make_uneven(rng, line.coverage, rng.uniform(0, 0.4)) * rng.uniform(0.55, 1)
    least = max(line.coverage.shape) * _MIN_PHOTO_HEIGHT / WRITING_HEIGHT
    long_side_px = int(max(sample_log_uniform(rng, *_LONG_SIDES), least))
    return photograph_line(rng, line, [(color, ink)], long_side_px, paper)


def scan_no_number(
    rng: np.random.Generator, pool: CharacterPool, length: int | None
) -> SimulatedLine:
    """Scans paper without a number: blank, specks, rules, a scribble or a word."""
    del pool, length
    shape = tuple(rng.integers([28, 40], [120, 400]).tolist())
    draw = (_draw_nothing, _draw_specks, _draw_rules, _draw_scribble, _draw_word)
    coverage = draw[rng.integers(len(draw))](rng, shape)
    line = WrittenLine(coverage, "", [], [])
    paper = render_gray_paper(rng, shape)
    return scan_line(rng, line, rng.uniform(0.3, 0.9), paper)


def _draw_nothing(_: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    return np.zeros(shape, np.float32)


def _draw_specks(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Draws dust of one to four pixels."""
    coverage = _draw_nothing(rng, shape)
    for _ in range(int(rng.integers(1, 30))):
        row, column = rng.integers(0, np.array(shape) - 2).tolist()
        coverage[row : row + 2, column : column + 2] = rng.uniform(0, 1, (2, 2))
    return coverage


def _draw_rules(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Draws one to three lines across the page."""
    coverage = _draw_nothing(rng, shape)
    thickness = int(rng.integers(1, 3))
    for _ in range(int(rng.integers(1, 4))):
        if rng.random() < 0.6:
            row = int(rng.integers(0, shape[0] - 2))
            coverage[row : row + thickness] = rng.uniform(0.3, 1)
        else:
            column = int(rng.integers(0, shape[1] - 2))
            coverage[:, column : column + thickness] = rng.uniform(0.3, 1)
    return coverage


def _draw_scribble(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Draws a zigzag, as when something is crossed out."""
    canvas = np.zeros(shape, np.uint8)
    height, width = shape
    num_points = int(rng.integers(6, 24))
    x = np.sort(rng.uniform(0.1, 0.9, num_points)) * width
    y = rng.uniform(0.15, 0.85, num_points) * height
    points = np.rint(np.stack([x, y], axis=1)).astype(np.int32)
    thickness = int(rng.integers(1, 4))
    cv2.polylines(canvas, [points], False, 255, thickness, cv2.LINE_AA)
    return canvas.astype(np.float32) / np.float32(255)


def _draw_word(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Prints a word."""
    word = print_text(rng, sample_label(rng), rng.uniform(0.2, 0.5) * shape[0])
    free = np.maximum(np.subtract(shape, word.shape), 1)
    top, left = rng.integers(0, free).tolist()
    return composite_layers(shape, [Layer(word, top, left)])


PAPER_KINDS = {
    "paper": scan_on_paper,
    "photo": photograph_on_paper,
    "slanted": scan_slanted,
    "separators": scan_separators,
    "dotted": scan_dotted_line,
    "labelled": scan_labelled,
    "no_number": scan_no_number,
}
