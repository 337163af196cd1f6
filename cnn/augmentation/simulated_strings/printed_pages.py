"""Pages without handwriting: print, printed tables, photographs, drawings, nothing.

Every page is a function of a random generator, of the characters, of a resolution in
pixels per inch and of a number of numbers, the second and last of which are ignored.
Lengths are in millimeters.
"""

import cv2
import numpy as np

from cnn.augmentation.simulated_pages.paper import value_noise
from cnn.augmentation.simulated_strings.character_pool import CharacterPool
from cnn.augmentation.simulated_strings.page_drafts import (
    A4,
    PageDraft,
    SimulatedNumberPage,
    paste,
)
from cnn.augmentation.simulated_strings.printed_text import print_text, sample_words
from cnn.augmentation.simulated_strings.scanning import scan_page

_PRINT_HEIGHTS = (1.6, 6)
_MARGINS = (12, 30)


def scan_print(
    rng: np.random.Generator, pool: CharacterPool, dpi: float, count: int | None
) -> SimulatedNumberPage:
    """Scans paragraphs of print, in a font and size each."""
    del pool, count
    draft = PageDraft(dpi)
    left = rng.uniform(*_MARGINS)
    y = rng.uniform(*_MARGINS)
    while y < draft.height - 15:
        size = rng.uniform(*_PRINT_HEIGHTS)
        num_words = max(1, int((draft.width - left - 15) / (6.2 * size)))
        # A paragraph keeps its font, as the generator is set back.
        font_seed = int(rng.integers(2**31))
        for _ in range(int(rng.integers(1, 9))):
            if y > draft.height - 15:
                break
            words = sample_words(rng, num_words, has_numbers=True)
            draft.print_words(np.random.default_rng(font_seed), words, size, left, y)
            y += 2.0 * size
        y += 2.0 * size
    return draft.scan(rng)


def scan_printed_table(
    rng: np.random.Generator, pool: CharacterPool, dpi: float, count: int | None
) -> SimulatedNumberPage:
    """Scans a table of printed words and numbers, with rules."""
    del pool, count
    draft = PageDraft(dpi)
    size = rng.uniform(1.7, 3.2)
    pitch = size * rng.uniform(1.8, 3)
    left, right = rng.uniform(*_MARGINS), draft.width - rng.uniform(*_MARGINS)
    edges = np.linspace(left, right, int(rng.integers(3, 8)))
    rows = np.arange(rng.uniform(20, 60), draft.height - rng.uniform(15, 100), pitch)
    top, bottom = float(rows[0]), float(rows[-1])
    if rng.random() < 0.8:
        segments = [[left, float(y), right, float(y)] for y in rows]
        draft.draw_lines(segments, rng.uniform(0.1, 0.4))
    if rng.random() < 0.7:
        segments = [[float(x), top, float(x), bottom] for x in edges]
        draft.draw_lines(segments, rng.uniform(0.1, 0.4))
    font_seed = int(rng.integers(2**31))
    for y in rows[1:]:
        for column, x in enumerate(edges[:-1]):
            number = str(rng.integers(0, 10 ** int(rng.integers(1, 6))))
            text = number if column else sample_words(rng, 1)[:8]
            font = np.random.default_rng(font_seed)
            draft.print_words(font, text, size, x + 1.2, y - 0.4 * (pitch - size))
    return draft.scan(rng)


def scan_photograph(
    rng: np.random.Generator, pool: CharacterPool, dpi: float, count: int | None
) -> SimulatedNumberPage:
    """Makes a picture of shaded surfaces and edges, as a photograph has them."""
    del pool, count
    shape = (round(A4[0] * dpi / 25.4), round(A4[1] * dpi / 25.4))
    picture = 0.5 + 0.2 * value_noise(rng, shape, cells=3)
    for _ in range(int(rng.integers(3, 25))):
        mask = np.zeros(shape, np.uint8)
        center = (rng.uniform(0, 1, 2) * shape[::-1]).astype(int).tolist()
        axes = (rng.uniform(0.02, 0.35, 2) * shape[0]).astype(int).tolist()
        angle = rng.uniform(0, 180)
        cv2.ellipse(mask, center, axes, angle, 0, 360, 1, -1)
        shade = rng.uniform(0.05, 0.95) + 0.1 * value_noise(
            rng, shape, rng.uniform(2, 60)
        )
        soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), rng.uniform(0.5, 4))
        picture = picture * (1 - soft) + shade * soft
    texture = 0.05 * value_noise(rng, shape, cells=150)
    image = scan_page(rng, (picture + texture).astype(np.float32), 1.0, 0.02)
    return SimulatedNumberPage(image, [])


def scan_drawing(
    rng: np.random.Generator, pool: CharacterPool, dpi: float, count: int | None
) -> SimulatedNumberPage:
    """Scans lines, rectangles, circles, curves and hatching, with some words."""
    del pool, count
    draft = PageDraft(dpi)
    shape = np.array(draft.ink.shape[::-1])
    canvas = np.zeros(draft.ink.shape, np.uint8)
    for _ in range(int(rng.integers(5, 40))):
        start, end = (rng.uniform(0.05, 0.95, (2, 2)) * shape).astype(int).tolist()
        thickness = int(rng.integers(1, max(2, int(dpi) // 50)))
        draw = (_draw_segment, _draw_rectangle, _draw_circle, _draw_curve, _draw_hatch)
        draw[rng.integers(len(draw))](rng, canvas, start, end, thickness)
    draft.print_[:] = canvas / np.float32(255)
    for _ in range(int(rng.integers(0, 12))):
        word = print_text(rng, sample_words(rng, 1), rng.uniform(1.7, 3) * draft.scale)
        left, top = (rng.uniform(0.05, 0.9, 2) * shape).astype(int).tolist()
        paste(draft.print_, word, left, top)
    return draft.scan(rng)


def _draw_segment(
    rng: np.random.Generator,
    canvas: np.ndarray,
    start: list[int],
    end: list[int],
    thickness: int,
) -> None:
    del rng
    cv2.line(canvas, start, end, 255, thickness, cv2.LINE_AA)


def _draw_rectangle(
    rng: np.random.Generator,
    canvas: np.ndarray,
    start: list[int],
    end: list[int],
    thickness: int,
) -> None:
    del rng
    cv2.rectangle(canvas, start, end, 255, thickness, cv2.LINE_AA)


def _draw_circle(
    rng: np.random.Generator,
    canvas: np.ndarray,
    start: list[int],
    end: list[int],
    thickness: int,
) -> None:
    del end
    radius = int(rng.uniform(0.005, 0.12) * canvas.shape[0])
    cv2.circle(canvas, start, radius, 255, thickness, cv2.LINE_AA)


def _draw_curve(
    rng: np.random.Generator,
    canvas: np.ndarray,
    start: list[int],
    end: list[int],
    thickness: int,
) -> None:
    """Draws a wave between two points."""
    along = np.linspace(0, 1, 60)[:, None]
    points = np.array(start) * (1 - along) + np.array(end) * along
    swing = rng.uniform(0.01, 0.06) * canvas.shape[0]
    points[:, 1] += swing * np.sin(rng.uniform(3, 30) * along[:, 0])
    vertices = [np.rint(points).astype(np.int32)]
    cv2.polylines(canvas, vertices, False, 255, thickness, cv2.LINE_AA)


def _draw_hatch(
    rng: np.random.Generator,
    canvas: np.ndarray,
    start: list[int],
    end: list[int],
    thickness: int,
) -> None:
    """Draws parallel strokes."""
    del end, thickness
    length = int(rng.uniform(0.01, 0.05) * canvas.shape[0])
    pitch = max(2, int(rng.uniform(0.1, 0.5) * length))
    for i in range(int(rng.integers(3, 15))):
        x, y = start[0] + i * pitch, start[1]
        cv2.line(canvas, (x, y), (x + length // 2, y - length), 255, 1, cv2.LINE_AA)


def scan_blank_page(
    rng: np.random.Generator, pool: CharacterPool, dpi: float, count: int | None
) -> SimulatedNumberPage:
    """Scans an empty sheet, perhaps ruled or squared."""
    del pool, count
    draft = PageDraft(dpi)
    pitch = rng.uniform(5, 10)
    if rng.random() < 0.6:
        rows = np.arange(20, draft.height, pitch)
        draft.draw_lines([[0, float(y), draft.width, float(y)] for y in rows], 0.2)
    if rng.random() < 0.3:
        columns = np.arange(10, draft.width, pitch)
        draft.draw_lines([[float(x), 0, float(x), draft.height] for x in columns], 0.2)
    return draft.scan(rng)


PRINTED_PAGES = {
    "print": scan_print,
    "printed_table": scan_printed_table,
    "photograph": scan_photograph,
    "drawing": scan_drawing,
    "blank_page": scan_blank_page,
}
