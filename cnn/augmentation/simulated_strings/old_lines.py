"""Numbers in old registers: narrow cells, notaries' margins, faint joined years.

Every line is a function of a random generator, of the characters and of a number of
digits, or None for any number.
"""

import cv2
import numpy as np

from cnn.augmentation.simulated_pages.compositing import Layer, composite_layers
from cnn.augmentation.simulated_pages.printed_lines import blacken_edges
from cnn.augmentation.simulated_strings.character_pool import CharacterPool
from cnn.augmentation.simulated_strings.hands import (
    WRITING_HEIGHT,
    Hand,
    sample_old_hand,
)
from cnn.augmentation.simulated_strings.number_texts import sample_year
from cnn.augmentation.simulated_strings.register_marks import (
    draw_bleed_through,
    draw_blot,
    draw_cell,
    draw_cross,
    draw_full_stop,
    draw_margin_lines,
    draw_rule_below,
    draw_underline,
)
from cnn.augmentation.simulated_strings.scanning import (
    make_uneven,
    render_gray_paper,
    sample_log_uniform,
    scan_line,
)
from cnn.augmentation.simulated_strings.simulated_line import (
    SimulatedLine,
    WrittenLine,
    pad_line,
    resize_line,
)
from cnn.augmentation.simulated_strings.writing import write_line

# Heights of a digit, in pixels.
_REGISTER_HEIGHTS = (15, 45)
_NOTARY_HEIGHTS = (17, 36)
_YEAR_HEIGHTS = (13, 26)

# Mean reflectance of old paper.
_OLD_PAPER = (0.55, 0.9)


def _write_old_number(
    rng: np.random.Generator,
    pool: CharacterPool,
    text: str,
    hand: Hand,
    heights: tuple[float, float],
) -> tuple[WrittenLine, float]:
    """Writes a number and reduces it to a height of its digits, which is returned."""
    height = sample_log_uniform(rng, *heights)
    line = write_line(rng, pool, text, hand)
    return resize_line(line, height / WRITING_HEIGHT), height


def _pad(
    rng: np.random.Generator,
    line: WrittenLine,
    height: float,
    sides: tuple[float, float],
    ends: tuple[float, float],
) -> WrittenLine:
    """Adds margins left and right, above and below, in heights of a digit."""
    left, right = (rng.uniform(*sides, 2) * height).astype(int).tolist()
    top, bottom = (rng.uniform(*ends, 2) * height).astype(int).tolist()
    return pad_line(line, left + 1, top + 1, right + 1, bottom + 1)


def _add_ink(line: WrittenLine, *others: np.ndarray) -> WrittenLine:
    """Adds ink that belongs to no character."""
    coverage = line.coverage
    for other in others:
        coverage = np.maximum(coverage, other)
    return line._replace(coverage=coverage.astype(np.float32))


def scan_register(
    rng: np.random.Generator, pool: CharacterPool, length: int | None
) -> SimulatedLine:
    """Scans a number in a narrow cell with lines, and often with a black margin.

    The cell has vertical lines, rules, parts of the next rows, perhaps an underline, a
    cross, a full stop and ink of the other side of the paper. The length is 2 or 3,
    unless one is given.
    """
    text = pool.draw_text(rng, int(rng.integers(2, 4)) if length is None else length)
    hand = sample_old_hand(rng)
    line, height = _write_old_number(rng, pool, text, hand, _REGISTER_HEIGHTS)
    line = _pad(rng, line, height, (0.1, 0.9), (0.2, 1.3))
    line = line._replace(coverage=make_uneven(rng, line.coverage, rng.uniform(0, 0.4)))
    box = _bounding_box(line)
    extras = [draw_cell(rng, line.coverage.shape, box, height)]
    for draw, share in _REGISTER_MARKS:
        if rng.random() < share:
            extras.append(draw(rng, line.coverage.shape, box, height))
    if rng.random() < 0.5:
        extras.append(_write_next_rows(rng, pool, hand, line, height))
    paper = render_gray_paper(rng, line.coverage.shape, _OLD_PAPER, 0.05)
    if rng.random() < 0.3:
        paper = paper * (1 - draw_bleed_through(rng, line))
    line = _add_ink(line, *extras)
    darkness = rng.uniform(0.45, 0.95)
    if rng.random() < 0.5:
        paper = _blacken_margin(rng, paper, box)
    return scan_line(rng, line, darkness, paper, max_blur=0.7)


def _bounding_box(line: WrittenLine) -> np.ndarray:
    """Returns left, top, right and bottom of all characters."""
    points = np.concatenate(line.hulls)
    return np.array([*points.min(axis=0), *points.max(axis=0)])


def _write_next_rows(
    rng: np.random.Generator,
    pool: CharacterPool,
    hand: Hand,
    line: WrittenLine,
    height: float,
) -> np.ndarray:
    """Writes parts of the numbers above and below, cut off by the image's edge."""
    shape = line.coverage.shape
    layers = []
    for is_below in (False, True):
        text = pool.draw_text(rng, len(line.text))
        other = resize_line(
            write_line(rng, pool, text, hand), height / WRITING_HEIGHT
        ).coverage
        visible = int(rng.uniform(0.08, 0.4) * height)
        top = shape[0] - visible if is_below else visible - other.shape[0]
        left = int(_bounding_box(line)[0] + rng.uniform(-0.3, 0.3) * height)
        if _is_free(line, top, other.shape[0]):
            layers.append(Layer(other, top, left))
    return composite_layers(shape, layers)


def _is_free(line: WrittenLine, top: int, num_rows: int) -> bool:
    """Tells whether rows are clear of the number."""
    box = _bounding_box(line)
    return bool(top > box[3] + 1 or top + num_rows < box[1] - 1)


def _blacken_margin(
    rng: np.random.Generator, paper: np.ndarray, box: np.ndarray
) -> np.ndarray:
    """Blackens one or two edges of the page, where they are clear of the number."""
    black = blacken_edges(rng, paper)
    left, top, right, bottom = np.rint(box).astype(int).tolist()
    covered = black[max(top, 0) : bottom, max(left, 0) : right] < 0.2
    return paper if covered.mean() > 0.02 else black


_REGISTER_MARKS = (
    (draw_underline, 0.25),
    (draw_cross, 0.2),
    (draw_full_stop, 0.25),
    (draw_blot, 0.05),
)


def scan_notary_number(
    rng: np.random.Generator, pool: CharacterPool, length: int | None
) -> SimulatedLine:
    """Scans a number of 2 to 4 digits in old ink, often beside a line of the margin."""
    text = pool.draw_text(rng, int(rng.integers(2, 5)) if length is None else length)
    hand = sample_old_hand(rng)
    line, height = _write_old_number(rng, pool, text, hand, _NOTARY_HEIGHTS)
    line = _pad(rng, line, height, (0.1, 1.4), (0.3, 2.0))
    line = line._replace(coverage=make_uneven(rng, line.coverage, rng.uniform(0, 0.35)))
    shape = line.coverage.shape
    box = _bounding_box(line)
    extras = []
    if rng.random() < 0.6:
        extras.append(draw_margin_lines(rng, shape, box, height))
    if rng.random() < 0.15:
        extras.append(draw_rule_below(rng, shape, box, height))
    for draw, share in ((draw_full_stop, 0.1), (draw_blot, 0.1)):
        if rng.random() < share:
            extras.append(draw(rng, shape, box, height))
    paper = render_gray_paper(rng, shape, _OLD_PAPER, 0.03)
    if rng.random() < 0.3:
        paper = paper * (1 - draw_bleed_through(rng, line))
    line = _add_ink(line, *extras)
    darkness = rng.uniform(0.85, 1) if rng.random() < 0.5 else rng.uniform(0.45, 0.85)
    scanned = scan_line(rng, line, darkness, paper)
    return _cut_out(rng, scanned, box, height) if rng.random() < 0.5 else scanned


def _cut_out(
    rng: np.random.Generator, line: SimulatedLine, box: np.ndarray, height: float
) -> SimulatedLine:
    """Keeps an irregular polygon around the number, and fills the rest with gray."""
    angles = np.linspace(0, 2 * np.pi, int(rng.integers(7, 16)), endpoint=False)
    center = (box[:2] + box[2:]) / 2
    # The polygon is near an ellipse through the corners of the box.
    reach = (box[2:] - box[:2]) / np.sqrt(2) + rng.uniform(0, 0.5) * height
    reach = reach * rng.uniform(1.0, 1.3, (len(angles), 1))
    points = center + reach * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    kept = np.zeros(line.image.shape, np.uint8)
    cv2.fillPoly(kept, [np.rint(points).astype(np.int32)], 1)
    paper = np.uint8(np.quantile(line.image, 0.7))
    return line._replace(image=np.where(kept > 0, line.image, paper))


def scan_faint_year(
    rng: np.random.Generator, pool: CharacterPool, length: int | None
) -> SimulatedLine:
    """Scans a faint year, whose digits are joined. A given length is ignored."""
    del length
    hand = sample_old_hand(rng)._replace(
        gap=rng.uniform(-0.1, 0.12),
        joins=float(rng.choice([0.3, 1.0])),
        stroke=rng.uniform(0.055, 0.085),
    )
    line, height = _write_old_number(rng, pool, sample_year(rng), hand, _YEAR_HEIGHTS)
    line = _pad(rng, line, height, (0.05, 0.5), (0.0, 0.5))
    uneven = make_uneven(rng, line.coverage, rng.uniform(0.1, 0.38))
    line = line._replace(coverage=uneven)
    shape = line.coverage.shape
    if rng.random() < 0.3:
        line = _add_ink(line, draw_rule_below(rng, shape, _bounding_box(line), height))
    paper = render_gray_paper(rng, shape, _OLD_PAPER, 0.04)
    if rng.random() < 0.4:
        paper = paper * (1 - draw_bleed_through(rng, line))
    return scan_line(rng, line, rng.uniform(0.28, 0.65), paper, max_blur=0.9)


OLD_KINDS = {
    "register": scan_register,
    "notary": scan_notary_number,
    "faint_year": scan_faint_year,
}
