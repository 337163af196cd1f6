"""Pages with handwritten numbers: columns, tables, forms, remarks beside print.

Every page is a function of a random generator, of the characters, of a resolution in
pixels per inch and of a number of numbers, or None for any. Lengths are in millimeters.
"""

import itertools
from collections.abc import Callable

import numpy as np

from cnn.augmentation.simulated_strings.character_pool import CharacterPool
from cnn.augmentation.simulated_strings.hands import Hand, sample_hand
from cnn.augmentation.simulated_strings.page_drafts import (
    PageDraft,
    SimulatedNumberPage,
)
from cnn.augmentation.simulated_strings.printed_text import sample_label, sample_words

# Heights of handwritten digits and of printed capitals.
_HEIGHTS = (3.5, 8)
_PRINT_HEIGHTS = (1.7, 3.5)
# Distance of lines, in heights of a digit.
_LINE_PITCHES = (1.7, 2.8)
# Margins of a page.
_MARGINS = (10, 30)
# Most digits of a number in a column.
_MAX_DIGITS = 6
# Largest slope of a slanted page, in degrees.
_MAX_DEGREES = 6

_Page = Callable[
    [np.random.Generator, CharacterPool, float, int | None], SimulatedNumberPage
]


def _sample_number(rng: np.random.Generator, pool: CharacterPool, most: int) -> str:
    return pool.draw_text(rng, int(rng.integers(1, most + 1)))


def _sample_page_hand(rng: np.random.Generator) -> Hand:
    """Samples a hand whose lines stay level, and whose digits stay apart."""
    hand = sample_hand(rng)
    return hand._replace(gap=max(hand.gap, 0.02), drift=hand.drift / 3)


def scan_columns(
    rng: np.random.Generator, pool: CharacterPool, dpi: float, count: int | None
) -> SimulatedNumberPage:
    """Scans numbers in columns on plain paper."""
    draft = PageDraft(dpi)
    _fill_columns(rng, pool, draft, count)
    return draft.scan(rng)


def scan_slanted_columns(
    rng: np.random.Generator, pool: CharacterPool, dpi: float, count: int | None
) -> SimulatedNumberPage:
    """Scans numbers in columns on paper that lies askew."""
    draft = PageDraft(dpi)
    _fill_columns(rng, pool, draft, count)
    return draft.scan(rng, _MAX_DEGREES)


def _fill_columns(
    rng: np.random.Generator,
    pool: CharacterPool,
    draft: PageDraft,
    count: int | None,
) -> None:
    """Writes numbers in columns, with some places left empty."""
    height, pitch = _sample_line_pitch(rng, draft, count)
    hand = _sample_page_hand(rng)
    edges = _sample_columns(rng, draft, height, count)
    is_right_aligned = bool(rng.random() < 0.6)
    skipped = 0.0 if count else 0.15
    num_written = 0
    for row, y in enumerate(np.arange(30, draft.height - 20, pitch)):
        for left, right in edges:
            if rng.random() < skipped or num_written == count:
                continue
            most = max(1, min(_MAX_DIGITS, int((right - left) / height / 1.1)))
            x = right if is_right_aligned else left
            text = _sample_number(rng, pool, most)
            draft.write(
                rng, pool, hand, text, height, x, y, row, None, is_right_aligned
            )
            num_written += 1


def _sample_line_pitch(
    rng: np.random.Generator, draft: PageDraft, count: int | None
) -> tuple[float, float]:
    """Samples the height of digits and the distance of lines."""
    height = rng.uniform(*_HEIGHTS)
    if count:
        # 4 columns of so many lines fit on the page.
        height = min(height, (draft.height - 50) / (count / 4 + 1) / _LINE_PITCHES[0])
        return height, height * _LINE_PITCHES[0]
    return height, height * rng.uniform(*_LINE_PITCHES)


def _sample_columns(
    rng: np.random.Generator, draft: PageDraft, height: float, count: int | None
) -> list[tuple[float, float]]:
    """Samples the left and right edge of each column."""
    num_columns = 4 if count else int(rng.integers(1, 5))
    left, right = rng.uniform(*_MARGINS), draft.width - rng.uniform(*_MARGINS)
    edges = np.linspace(left, right, num_columns + 1)
    gap = min(1.2 * height, 0.2 * (right - left) / num_columns)
    return [(a + gap / 2, b - gap / 2) for a, b in itertools.pairwise(edges)]


def scan_table(
    rng: np.random.Generator, pool: CharacterPool, dpi: float, count: int | None
) -> SimulatedNumberPage:
    """Scans a table with rules, a printed head and handwritten numbers in its cells."""
    draft = PageDraft(dpi)
    height, pitch = _sample_line_pitch(rng, draft, count)
    pitch = max(pitch, 1.6 * height)
    hand = _sample_page_hand(rng)
    num_columns = 4 if count else int(rng.integers(2, 6))
    left, right = rng.uniform(*_MARGINS), draft.width - rng.uniform(*_MARGINS)
    edges = np.linspace(left, right, num_columns + 1)
    top = rng.uniform(25, 50)
    most = int((draft.height - 25 - top) / pitch)
    num_rows = min(most, -(-count // 4) + 1) if count else int(rng.integers(3, most))
    rows = top + pitch * np.arange(num_rows + 1)
    segments = [[left, float(y), right, float(y)] for y in rows]
    segments += [[float(x), top, float(x), float(rows[-1])] for x in edges]
    draft.draw_lines(segments, rng.uniform(0.15, 0.5))
    _print_head(rng, draft, edges, top, pitch)
    has_labels = not count and rng.random() < 0.4
    for row in range(1, num_rows):
        for column in range(num_columns):
            x, y = edges[column], rows[row + 1] - rng.uniform(0.15, 0.3) * pitch
            if has_labels and not column:
                draft.print_words(rng, sample_words(rng, 1), 2.2, x + 1.5, y)
            elif count or rng.random() < 0.75:
                room = int((edges[1] - edges[0] - 4) / height / 1.1)
                text = _sample_number(rng, pool, max(1, min(_MAX_DIGITS, room)))
                x += rng.uniform(1.5, 3)
                draft.write(rng, pool, hand, text, height, x, y, row)
    return draft.scan(rng)


def _print_head(
    rng: np.random.Generator,
    draft: PageDraft,
    edges: np.ndarray,
    top: float,
    pitch: float,
) -> None:
    """Prints a word above each column, and a title."""
    size = rng.uniform(*_PRINT_HEIGHTS)
    for x in edges[:-1]:
        word = sample_words(rng, 1).capitalize()[:8]
        draft.print_words(rng, word, min(size, 0.4 * pitch), x + 1.5, top + 0.7 * pitch)
    draft.print_words(rng, sample_words(rng, 4), 1.3 * size, edges[0], top - 6)


def scan_remarks(
    rng: np.random.Generator, pool: CharacterPool, dpi: float, count: int | None
) -> SimulatedNumberPage:
    """Scans paragraphs of print, with handwritten numbers beside and between them."""
    draft = PageDraft(dpi)
    hand = _sample_page_hand(rng)
    height = rng.uniform(4, 8)
    size = rng.uniform(*_PRINT_HEIGHTS)
    right = draft.width * rng.uniform(0.6, 0.75)
    y, row, num_written = 25.0, 0, 0
    while y < draft.height - 25:
        row += 1
        num_words = max(1, int((right - 20) / (6.2 * size)))
        words = sample_words(rng, num_words, has_numbers=True)
        end = 20 + draft.print_words(rng, words, size, 20, y)
        if rng.random() < 0.3 and (count is None or num_written < count):
            text = _sample_number(rng, pool, 4)
            draft.write(rng, pool, hand, text, height, max(right, end) + 6, y + 1, row)
            num_written += 1
            y += height
        y += 2.1 * size
    return draft.scan(rng)


def scan_form(
    rng: np.random.Generator, pool: CharacterPool, dpi: float, count: int | None
) -> SimulatedNumberPage:
    """Scans a form: printed labels, with a comb, boxes or a line for each number."""
    draft = PageDraft(dpi)
    hand = _sample_page_hand(rng)
    height = rng.uniform(4, 6.5)
    size = rng.uniform(*_PRINT_HEIGHTS)
    draft.print_words(rng, sample_words(rng, 4), 1.6 * size, 20, 25)
    num_fields = count or int(rng.integers(2, 11))
    pitch = min(24.0, (draft.height - 60) / num_fields)
    for field in range(num_fields):
        y = 45 + pitch * field
        label = f"{sample_words(rng, 1).capitalize()} {sample_label(rng)}"
        x = max(60.0, 26 + draft.print_words(rng, label, size, 20, y))
        draw = (_draw_comb, _draw_boxes, _draw_baseline)[rng.integers(3)]
        num_digits = int(rng.integers(3, 11))
        cell = min(1.3 * height, (draft.width - x - 10) / num_digits)
        draw(rng, draft, x, y, cell, 1.6 * height, num_digits)
        is_in_cells = draw is not _draw_baseline
        text = pool.draw_text(rng, num_digits if is_in_cells else min(num_digits, 6))
        draft.write(
            rng, pool, hand, text, height, x, y, field, cell if is_in_cells else None
        )
    return draft.scan(rng)


def _draw_comb(
    rng: np.random.Generator,
    draft: PageDraft,
    x: float,
    y: float,
    cell: float,
    height: float,
    num_cells: int,
) -> None:
    """Draws a frame around a number, with ticks between its digits."""
    top, bottom = y - 0.8 * height, y + 0.2 * height
    right = x + num_cells * cell
    tick = bottom - height * rng.uniform(0.15, 0.5)
    segments = [[x, top, right, top], [x, bottom, right, bottom]]
    segments += [[x, top, x, bottom], [right, top, right, bottom]]
    segments += [
        [x + i * cell, tick, x + i * cell, bottom] for i in range(1, num_cells)
    ]
    draft.draw_lines(segments, rng.uniform(0.15, 0.4))


def _draw_boxes(
    rng: np.random.Generator,
    draft: PageDraft,
    x: float,
    y: float,
    cell: float,
    height: float,
    num_cells: int,
) -> None:
    """Draws a box around each digit."""
    top, bottom = y - 0.8 * height, y + 0.2 * height
    right = x + num_cells * cell
    segments = [[x, top, right, top], [x, bottom, right, bottom]]
    segments += [
        [x + i * cell, top, x + i * cell, bottom] for i in range(num_cells + 1)
    ]
    draft.draw_lines(segments, rng.uniform(0.15, 0.4))


def _draw_baseline(
    rng: np.random.Generator,
    draft: PageDraft,
    x: float,
    y: float,
    cell: float,
    height: float,
    num_cells: int,
) -> None:
    """Draws a line under a number, solid or dotted."""
    del height
    right = x + num_cells * cell
    bottom = y + rng.uniform(0, 1.5)
    if rng.random() < 0.5:
        draft.draw_lines([[x, bottom, right, bottom]], 0.25)
    else:
        dots = np.arange(x, right, 1.2)
        draft.draw_lines([[float(a), bottom, float(a), bottom] for a in dots], 0.35)


WRITTEN_PAGES: dict[str, _Page] = {
    "columns": scan_columns,
    "slanted_columns": scan_slanted_columns,
    "table": scan_table,
    "remarks": scan_remarks,
    "form": scan_form,
}
