"""The kinds of simulated pages, each a function of a generator and a character `(28, 28)` in [0, 1]."""

from collections.abc import Callable

import cv2
import numpy as np

from cnn.augmentation.simulated_pages.rendering import (
    DIGIT_HEIGHT,
    apply_lighting,
    composite,
    random_perspective,
    render_ink,
    render_paper,
    simulate_camera,
    value_noise,
)
from cnn.augmentation.simulated_pages.scans import (
    binary_16,
    form,
    historic,
    postal,
    register,
    stretched,
)

PageKind = Callable[[np.random.Generator, np.ndarray], np.ndarray]


def photograph(
    rng: np.random.Generator,
    digit: np.ndarray,
    tool: str,
    sheet: str,
    fills: float,
    side: int,
    strength: float = 0.6,
    careless: float = 0.0,
    noise: float | None = None,
) -> np.ndarray:
    """Photographs a digit on a sheet of paper.

    Args:
      rng: what is drawn.
      digit: `(28, 28)` in [0, 1].
      tool: what it is written with.
      sheet: plain, ruled or squared.
      fills: the digit's height, as a fraction of the picture's.
      side: the longer side of the photograph, in pixels.
      strength: how uneven the light is, in [0, 1].
      careless: the probability of each thing that does not belong there.
      noise: of the sensor; None to draw it.

    Returns:
      `uint8 (height, width, 3)`.
    """
    alpha, colour = render_ink(rng, digit, tool)
    height = int(max(DIGIT_HEIGHT / fills, alpha.shape[0] * 0.9))
    width = int(height * rng.uniform(0.75, 1.33))
    width = max(width, int(alpha.shape[1] * 0.9))
    canvas = render_paper(
        rng, (height, width), sheet, DIGIT_HEIGHT * rng.uniform(0.5, 1.6)
    )
    cover = _lay_out(rng, alpha, (height, width), careless)[..., None]
    canvas = random_perspective(
        rng, canvas * (1 - cover) + colour * cover, 12 if sheet == "plain" else 4
    )
    if rng.uniform() < careless:
        _draw_table_edge(rng, canvas)
    noise = rng.uniform(0, 0.03) if noise is None else noise
    return simulate_camera(
        rng,
        apply_lighting(rng, canvas, strength),
        side,
        noise,
        rng.uniform(0, 0.006) * side * fills,
    )


def _lay_out(
    rng: np.random.Generator, alpha: np.ndarray, shape: tuple[int, int], careless: float
) -> np.ndarray:
    """Lays the character on the page, somewhere near its middle, and what else may be there."""
    slack = np.array(shape) - alpha.shape
    corner = (slack * (0.5 + rng.uniform(-0.35, 0.35, 2) * (slack > 0))).astype(int)
    cover = np.zeros(shape, np.float32)
    composite(cover, alpha, corner)
    if rng.uniform() < careless:  # A neighbour's stroke at the edge.
        other, right = np.rot90(alpha, int(rng.integers(4))), rng.choice([-1, 1]) > 0
        seen = int(rng.uniform(0.01, 0.05) * shape[1])
        left = shape[1] - seen if right else seen - other.shape[1]
        composite(
            cover,
            other,
            np.array([int(rng.uniform(0, max(1, shape[0] - other.shape[0]))), left]),
        )
    if rng.uniform() < careless:  # A full stop.
        dot = np.zeros((31, 31), np.float32)
        cv2.circle(dot, (15, 15), int(rng.uniform(4, 8)), 1.0, -1)
        composite(cover, dot, corner + [alpha.shape[0] - 45, alpha.shape[1] + 4])
    return cover


def _draw_table_edge(rng: np.random.Generator, canvas: np.ndarray) -> None:
    """Shows a dark table beyond the sheet's edge."""
    width = canvas.shape[1]
    strip = int(rng.uniform(0.02, 0.08) * width)
    where = slice(0, strip) if rng.uniform() < 0.5 else slice(width - strip, None)
    canvas[:, where] = rng.uniform(0.05, 0.4)


def phone(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """A photograph as people take them: any tool, sheet, size and place."""
    tool = str(rng.choice(["pen", "pencil", "marker", "brush"]))
    sheet = str(rng.choice(["plain", "plain", "ruled", "squared"]))
    side = int(np.exp(rng.uniform(np.log(40), np.log(900))))
    return photograph(rng, digit, tool, sheet, rng.uniform(0.3, 0.9), side, 0.7, 0.12)


def plain(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """A digit on a white sheet."""
    return photograph(
        rng,
        digit,
        str(rng.choice(["pen", "marker", "brush"])),
        "plain",
        rng.uniform(0.3, 0.9),
        300,
    )


def ruled(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """A digit between lines, or across them."""
    return photograph(
        rng,
        digit,
        str(rng.choice(["pen", "pencil"])),
        "ruled",
        rng.uniform(0.3, 0.8),
        300,
    )


def squared(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """A digit on squared paper."""
    return photograph(
        rng,
        digit,
        str(rng.choice(["pen", "pencil"])),
        "squared",
        rng.uniform(0.3, 0.8),
        300,
    )


def faint(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """A pale pencil or a pen that is running dry."""
    side = int(np.exp(rng.uniform(np.log(60), np.log(600))))
    return photograph(
        rng,
        digit,
        "faint",
        "plain",
        rng.uniform(0.4, 0.9),
        side,
        0.8,
        noise=rng.uniform(0, 0.012),
    )


def shadows(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Strongly uneven light."""
    return photograph(rng, digit, "pen", "plain", rng.uniform(0.3, 0.9), 300, 1.0)


def careless(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """With a neighbour's stroke, a full stop, the table."""
    return photograph(rng, digit, "pen", "plain", rng.uniform(0.4, 0.8), 200, 0.5, 0.6)


def low_resolution(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """28 to 48 pixels high."""
    return photograph(
        rng,
        digit,
        str(rng.choice(["pen", "brush", "marker"])),
        "plain",
        rng.uniform(0.5, 0.95),
        int(rng.integers(28, 48)),
    )


def thresholded(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Made black and white by somebody before."""
    grey = (
        photograph(rng, digit, "pen", "plain", rng.uniform(0.4, 0.95), 200, 0.3)
        .mean(axis=-1)
        .astype(np.uint8)
    )
    _, mask = cv2.threshold(grey, 0, 255, cv2.THRESH_OTSU | cv2.THRESH_BINARY)
    return mask if rng.uniform() < 0.5 else 255 - mask


def light_on_dark(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """Chalk on a board, or a negative."""
    return 255 - photograph(
        rng,
        digit,
        str(rng.choice(["pen", "marker"])),
        "plain",
        rng.uniform(0.3, 0.9),
        200,
        0.6,
    )


def large_page(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """A small digit somewhere on a large page."""
    return photograph(
        rng,
        digit,
        str(rng.choice(["pen", "brush"])),
        "plain",
        rng.uniform(0.06, 0.15),
        900,
        0.7,
        noise=0.015,
    )


def table(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """A sheet on a table, the whole of it in the picture."""
    alpha, colour = render_ink(rng, digit, str(rng.choice(["pen", "marker"])))
    shape = np.array(alpha.shape) + rng.integers(100, 260, 2)
    cover = np.zeros((shape[0], shape[1]), np.float32)
    composite(cover, alpha, rng.integers(20, shape - alpha.shape - 20))
    sheet = render_paper(rng, cover.shape, "plain", DIGIT_HEIGHT)
    sheet = sheet * (1 - cover[..., None]) + colour * cover[..., None]
    side = int(1.5 * max(shape))
    wood = (
        rng.uniform(0.1, 0.5, 3)
        * (1 + 0.12 * value_noise(rng, (side, side), 6))[..., None]
    )
    turn = cv2.getRotationMatrix2D(
        (shape[1] / 2, shape[0] / 2), rng.uniform(-15, 15), 1
    )
    turn[:, 2] = turn[:, 2] + (side - shape[::-1]) / 2
    lies = cv2.warpAffine(np.ones_like(cover), turn, (side, side))[..., None]
    canvas = (
        wood * (1 - lies)
        + cv2.warpAffine(sheet.astype(np.float32), turn, (side, side)) * lies
    )
    return simulate_camera(
        rng,
        apply_lighting(rng, canvas.astype(np.float32), 0.5),
        int(rng.integers(150, 500)),
        0.01,
        0.7,
    )


def row(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """With smaller digits to its left and right, which do not touch it."""
    alpha, colour = render_ink(rng, digit, "pen")
    other = cv2.resize(
        np.rot90(alpha, 2), None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA
    )
    gap, (height, width) = int(rng.uniform(0, 0.3) * DIGIT_HEIGHT), other.shape
    cover = np.zeros(
        (2 * DIGIT_HEIGHT, alpha.shape[1] + 2 * (width + gap) + 80), np.float32
    )
    top, left = (len(cover) - len(alpha)) // 2, 40 + width + gap
    composite(cover, alpha, np.array([top, left]))
    for at in (left - gap - width, left + alpha.shape[1] + gap):
        composite(
            cover, other, np.array([top + rng.integers(0, len(alpha) - height), at])
        )
    canvas = (
        render_paper(rng, cover.shape, "plain", DIGIT_HEIGHT) * (1 - cover[..., None])
        + colour * cover[..., None]
    )
    return simulate_camera(
        rng, apply_lighting(rng, canvas, 0.5), int(rng.integers(150, 500)), 0.01, 0.7
    )


def boxed(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """In a printed box, below a line of print."""
    alpha, colour = render_ink(rng, digit, str(rng.choice(["pen", "pencil"])))
    box = np.array(alpha.shape) + rng.integers(20, 120, 2)
    bottom, right = (box + 70).tolist()
    cover = np.zeros((bottom + 70, right + 70), np.float32)
    printed = cover.astype(np.uint8)
    cv2.rectangle(printed, (70, 70), (right, bottom), 1, int(rng.integers(2, 6)))
    for left in range(40, right, 14):  # As good as letters, when they are so small.
        high = int(rng.integers(8, 14))
        cv2.rectangle(
            printed, (left, 36 - high), (left + int(rng.integers(3, 10)), 36), 1, 2
        )
    composite(cover, alpha, 70 + rng.integers(8, box - alpha.shape - 7))
    canvas = render_paper(rng, cover.shape, "plain", DIGIT_HEIGHT) * (
        1 - 0.8 * printed[..., None]
    )
    canvas = random_perspective(
        rng, canvas * (1 - cover[..., None]) + colour * cover[..., None], 5
    )
    return simulate_camera(
        rng, apply_lighting(rng, canvas, 0.5), int(rng.integers(150, 500)), 0.01, 0.7
    )


def mnist(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """MNIST's own picture, in either polarity."""
    picture = np.rint(255 * digit).astype(np.uint8)
    return 255 - picture if rng.uniform() < 0.5 else picture


PAGE_KINDS: dict[str, PageKind] = {
    draw.__name__: draw
    for draw in (
        mnist,
        plain,
        ruled,
        squared,
        faint,
        shadows,
        careless,
        phone,
        low_resolution,
        thresholded,
        light_on_dark,
        large_page,
        table,
        row,
        boxed,
        stretched,
        postal,
        form,
        binary_16,
        historic,
        register,
    )
}
