"""Simulated pages: MNIST digits written anew on paper, lit, photographed and cropped, as people have them.

Drawn with NumPy and OpenCV, apart from `cnn.images` and from the distortions of `cnn.augment`, so that
neither is checked by its own ideas. Each kind of `KINDS` is a function of a generator and a digit.
"""

from collections.abc import Callable

import cv2
import numpy as np

# Height in pixels at which a digit is drawn, before a camera or a scanner makes it smaller.
_HEIGHT = 160

Draw = Callable[[np.random.Generator, np.ndarray], np.ndarray]


def strokes(digit: np.ndarray, width: float, height: int = _HEIGHT) -> np.ndarray:
    """Writes a digit anew with strokes of one width.

    Args:
      digit: `(28, 28)` in [0, 1].
      width: of the strokes, as a fraction of the digit's height; 0 keeps the strokes that it has.
      height: of the digit, in pixels.

    Returns:
      `float32 (height + margins, ...)`, 1 where ink is, with soft edges.
    """
    rows, columns = (np.flatnonzero((digit > 0.3).any(axis=axis)) for axis in (1, 0))
    cut = digit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32)
    cut = np.pad(cut, 3)
    scale = height / max(rows[-1] - rows[0] + 1, 0.5 * (columns[-1] - columns[0] + 1))
    large = cv2.resize(cut, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    large = cv2.GaussianBlur(large, (0, 0), 0.45 * scale)
    mask = (large > 0.42).astype(np.uint8)
    if not width:
        return smooth(mask)
    inside = cv2.GaussianBlur(cv2.distanceTransform(mask, cv2.DIST_L2, 5), (0, 0), 1)
    # The distance to the paper grows by 1 a pixel, but for where a stroke has its middle.
    slope = np.hypot(cv2.Sobel(inside, -1, 1, 0, scale=0.125), cv2.Sobel(inside, -1, 0, 1, scale=0.125))
    middle = ((slope < 0.7) & (inside > 2)).astype(np.uint8)
    away = cv2.distanceTransform(1 - middle, cv2.DIST_L2, 5)
    return np.clip(max(width * height / 2 - 2, 0.7) - away + 0.5, 0, 1).astype(np.float32)


def smooth(mask: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 1.2)


def clouds(rng: np.random.Generator, shape: tuple[int, int], cells: float) -> np.ndarray:
    """Smooth noise with about `cells` spots across, of mean 0 and deviation 1."""
    size = [max(2, int(np.ceil(cells * n / max(shape)))) + 2 for n in shape]
    noise = rng.standard_normal(size).astype(np.float32)
    return cv2.resize(noise, shape[::-1], interpolation=cv2.INTER_CUBIC)


# Ink.


def written(rng: np.random.Generator, digit: np.ndarray, tool: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns the cover of the ink, `(height, width)` in [0, 1], and its colour, `(3,)`."""
    dark = rng.uniform(0.02, 0.3)
    colour = np.full(3, dark)
    if tool == "pen":
        alpha = strokes(digit, rng.uniform(0.035, 0.08))
        colour = np.array(
            [[dark] * 3, [0.05, 0.1, 0.55], [0.1, 0.1, 0.35], [0.65, 0.08, 0.1]][rng.integers(4)]
        )
        alpha = alpha * np.clip(0.92 + 0.06 * clouds(rng, alpha.shape, 12), 0, 1)
    elif tool == "pencil":
        alpha = strokes(digit, rng.uniform(0.03, 0.07))
        grain = np.clip(
            0.75 + 0.3 * clouds(rng, alpha.shape, 70) + 0.15 * clouds(rng, alpha.shape, 8), 0.15, 1
        )
        alpha, colour = alpha * grain * rng.uniform(0.45, 0.85), np.full(3, rng.uniform(0.25, 0.4))
    elif tool == "faint":
        alpha = strokes(digit, rng.uniform(0.025, 0.05))
        grain = np.clip(
            0.8 + 0.15 * clouds(rng, alpha.shape, 40) + 0.15 * clouds(rng, alpha.shape, 6), 0.2, 1
        )
        alpha, colour = alpha * grain * rng.uniform(0.2, 0.45), np.array([0.25, 0.27, 0.4])
    elif tool == "marker":
        alpha = strokes(digit, rng.uniform(0.12, 0.2))
    else:  # A brush keeps the strokes' own changing width.
        alpha = strokes(digit, 0)
    return alpha.astype(np.float32), colour.astype(np.float32)


# Paper.


def paper(rng: np.random.Generator, shape: tuple[int, int], kind: str, pitch: float) -> np.ndarray:
    """Returns the page's reflectance, `(height, width, 3)`; rules lie `pitch` pixels apart."""
    base = rng.uniform(0.75, 0.98) * np.array([1, 1 - rng.uniform(0, 0.04), 1 - rng.uniform(0, 0.12)])
    page = np.ones((*shape, 3), np.float32) * base.astype(np.float32)
    page *= (1 + rng.uniform(0, 0.015) * clouds(rng, shape, 60))[..., None]
    if kind in ("ruled", "squared"):
        lines = np.zeros(shape, np.float32)
        thick = max(1.0, pitch * rng.uniform(0.015, 0.04))
        for axis in (0, 1) if kind == "squared" else (0,):
            position = np.arange(shape[axis]) - rng.uniform(0, pitch)
            near = np.abs((position + pitch / 2) % pitch - pitch / 2)
            line = np.clip(thick / 2 - near + 0.5, 0, 1).astype(np.float32)
            lines = np.maximum(lines, line[:, None] if axis == 0 else line[None, :])
        colour = np.array(
            [[0.45, 0.6, 0.85], [0.6, 0.6, 0.62], [0.75, 0.5, 0.5]][rng.integers(3)], np.float32
        )
        cover = (rng.uniform(0.3, 0.9) * lines)[..., None]
        page = page * (1 - cover) + colour * cover
    return page


# Light and camera.


def lit(rng: np.random.Generator, page: np.ndarray, strength: float) -> np.ndarray:
    """Throws uneven light: a gradient, dark corners, the edge of a shadow, a cast of colour."""
    height, width = page.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    along = x * np.cos(angle) + y * np.sin(angle)
    light = 1 - strength * 0.35 * rng.uniform(0, 1) * (along + 1) / 2
    light *= 1 - strength * 0.45 * rng.uniform(0, 1) * (x * x + y * y) / 2
    if rng.uniform() < 0.5 * strength:
        angle = rng.uniform(0, 2 * np.pi)
        beyond = (x * np.cos(angle) + y * np.sin(angle) - rng.uniform(-0.8, 0.8)) / rng.uniform(0.02, 0.3)
        light *= 1 - rng.uniform(0.15, 0.5) / (1 + np.exp(-4 * beyond))
    cast = 1 - 0.15 * strength * rng.uniform(0, 1, 3).astype(np.float32)
    exposure = rng.uniform(0.65, 1.05)
    return page * light[..., None] * cast * np.float32(exposure)


def photographed(
    rng: np.random.Generator, page: np.ndarray, side: int, noise: float, blur: float
) -> np.ndarray:
    """Makes a photograph of a lit page, its longer side of `side` pixels; `uint8 (h, w, 3)`."""
    scale = side / max(page.shape[:2])
    if scale < 1:
        page = cv2.resize(page, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    else:
        page = cv2.resize(page, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    if blur > 0.2:
        page = cv2.GaussianBlur(page, (0, 0), blur)
    page = page + noise * rng.standard_normal(page.shape).astype(np.float32)
    picture = np.clip(np.rint(page * 255), 0, 255).astype(np.uint8)
    quality = int(rng.integers(45, 96))
    return cv2.imdecode(
        cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR
    )


def turned(rng: np.random.Generator, page: np.ndarray, degrees: float) -> np.ndarray:
    """Turns and tilts a page, as a hand that holds the camera does; beyond it is more of it."""
    height, width = page.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    middle = np.array([width, height], np.float32) / 2
    angle = np.deg2rad(rng.uniform(-degrees, degrees))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = (corners - middle) @ turn.T + middle + rng.uniform(-0.05, 0.05, (4, 2)) * [width, height]
    matrix = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    return cv2.warpPerspective(
        page, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )


# Whole pictures.


def page(
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
    alpha, colour = written(rng, digit, tool)
    height = int(max(_HEIGHT / fills, alpha.shape[0] * 0.9))
    width = int(height * rng.uniform(0.75, 1.33))
    width = max(width, int(alpha.shape[1] * 0.9))
    pitch = _HEIGHT * rng.uniform(0.5, 1.6)
    canvas = paper(rng, (height, width), sheet, pitch)
    slack = np.array([height - alpha.shape[0], width - alpha.shape[1]])
    corner = (slack * (0.5 + rng.uniform(-0.35, 0.35, 2) * (slack > 0))).astype(int)
    cover = np.zeros((height, width), np.float32)
    add(cover, alpha, corner)
    if rng.uniform() < careless:  # A neighbour's stroke at the edge.
        other = np.rot90(alpha, int(rng.integers(4)))
        side_x = int(rng.choice([-1, 1]))
        at = (
            width - int(rng.uniform(0.01, 0.05) * width)
            if side_x > 0
            else int(rng.uniform(0.01, 0.05) * width) - other.shape[1]
        )
        add(cover, other, np.array([int(rng.uniform(0, max(1, height - other.shape[0]))), at]))
    if rng.uniform() < careless:  # A full stop.
        dot = np.zeros((31, 31), np.float32)
        cv2.circle(dot, (15, 15), int(rng.uniform(4, 8)), 1.0, -1)
        add(cover, dot, corner + [alpha.shape[0] - 45, alpha.shape[1] + 4])
    canvas = canvas * (1 - cover[..., None]) + colour * cover[..., None]
    canvas = turned(rng, canvas, 12 if sheet == "plain" else 4)
    if rng.uniform() < careless:  # A dark table beyond the sheet's edge.
        strip = int(rng.uniform(0.02, 0.08) * width)
        where = (
            (slice(None), slice(0, strip))
            if rng.uniform() < 0.5
            else (slice(None), slice(width - strip, None))
        )
        canvas[where] = rng.uniform(0.05, 0.4)
    noise = rng.uniform(0, 0.03) if noise is None else noise
    return photographed(rng, lit(rng, canvas, strength), side, noise, rng.uniform(0, 0.006) * side * fills)


def add(cover: np.ndarray, alpha: np.ndarray, corner: np.ndarray) -> None:
    """Lays ink on a page with its corner at (row, column), as far as it is on the page."""
    top, left = (int(c) for c in corner)
    rows = slice(max(top, 0), min(top + alpha.shape[0], cover.shape[0]))
    columns = slice(max(left, 0), min(left + alpha.shape[1], cover.shape[1]))
    if rows.start < rows.stop and columns.start < columns.stop:
        part = alpha[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
        cover[rows, columns] = np.maximum(cover[rows, columns], part)


def phone(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    tool = str(rng.choice(["pen", "pencil", "marker", "brush"]))
    sheet = str(rng.choice(["plain", "plain", "ruled", "squared"]))
    side = int(np.exp(rng.uniform(np.log(40), np.log(900))))
    return page(rng, digit, tool, sheet, rng.uniform(0.3, 0.9), side, 0.7, 0.12)


def plain(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    return page(rng, digit, str(rng.choice(["pen", "marker", "brush"])), "plain", rng.uniform(0.3, 0.9), 300)


def ruled(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    return page(rng, digit, str(rng.choice(["pen", "pencil"])), "ruled", rng.uniform(0.3, 0.8), 300)


def squared(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    return page(rng, digit, str(rng.choice(["pen", "pencil"])), "squared", rng.uniform(0.3, 0.8), 300)


def faint(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    side = int(np.exp(rng.uniform(np.log(60), np.log(600))))
    return page(rng, digit, "faint", "plain", rng.uniform(0.4, 0.9), side, 0.8, noise=rng.uniform(0, 0.012))


def shadows(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    return page(rng, digit, "pen", "plain", rng.uniform(0.3, 0.9), 300, 1.0)


def careless(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    return page(rng, digit, "pen", "plain", rng.uniform(0.4, 0.8), 200, 0.5, 0.6)


def low_resolution(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    return page(
        rng,
        digit,
        str(rng.choice(["pen", "brush", "marker"])),
        "plain",
        rng.uniform(0.5, 0.95),
        int(rng.integers(28, 48)),
    )


def thresholded(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    grey = page(rng, digit, "pen", "plain", rng.uniform(0.4, 0.95), 200, 0.3).mean(axis=-1).astype(np.uint8)
    _, mask = cv2.threshold(grey, 0, 255, cv2.THRESH_OTSU | cv2.THRESH_BINARY)
    return mask if rng.uniform() < 0.5 else 255 - mask


def light_on_dark(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    return 255 - page(
        rng, digit, str(rng.choice(["pen", "marker"])), "plain", rng.uniform(0.3, 0.9), 200, 0.6
    )


def large_page(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    return page(
        rng, digit, str(rng.choice(["pen", "brush"])), "plain", rng.uniform(0.06, 0.15), 900, 0.7, noise=0.015
    )


def stretched(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """As extracted by others: thresholded, cut along the ink, stretched to 28×28, black on white."""
    alpha, _ = written(rng, digit, str(rng.choice(["pen", "marker", "brush"])))
    return 255 - np.rint(255 * cut_to(alpha, 28, 28, int(rng.integers(0, 3)))).astype(np.uint8)


def cut_to(alpha: np.ndarray, height: int, width: int, margin: int) -> np.ndarray:
    mask = alpha > 0.3
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    cut = alpha[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    small = cv2.resize(cut, (width - 2 * margin, height - 2 * margin), interpolation=cv2.INTER_AREA)
    return np.clip(np.pad(small, margin), 0, 1)


def postal(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """16×16 in greys, as high as the frame, narrower digits widened somewhat."""
    alpha = strokes(digit, rng.uniform(0.1, 0.17))
    mask = alpha > 0.3
    columns = np.flatnonzero(mask.any(axis=0))
    rows = np.flatnonzero(mask.any(axis=1))
    ratio = len(columns) / len(rows)
    width = int(np.clip(np.rint(16 * ratio**0.8), 2, 16))
    small = cut_to(alpha, 16, width, 0)
    frame = np.zeros((16, 16), np.float32)
    left = (16 - width) // 2
    frame[:, left : left + width] = small
    return np.rint(255 * cv2.GaussianBlur(frame, (0, 0), 0.5)).astype(np.uint8)


def form(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """32×32 of two levels, cut to the ink."""
    alpha = strokes(digit, rng.uniform(0.07, 0.16))
    rows, columns = (np.flatnonzero((alpha > 0.3).any(axis=axis)) for axis in (1, 0))
    width = int(np.clip(np.rint(32 * len(columns) / len(rows)), 4, 32))
    frame = np.zeros((32, 32), np.float32)
    left = (32 - width) // 2
    frame[:, left : left + width] = cut_to(alpha, 32, width, 0)
    return (255 * (frame > 0.5)).astype(np.uint8)


def binary_16(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """16×16 of two levels, stretched to the frame."""
    alpha = strokes(digit, rng.uniform(0.05, 0.15))
    return (255 * (cut_to(alpha, 16, 16, 0) > 0.4)).astype(np.uint8)


def historic(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """28×28, slanted, pen of changing width, on old paper."""
    alpha = strokes(digit, rng.choice([0, 0.08]))
    slant = rng.uniform(0.15, 0.6)
    height, width = alpha.shape
    extra = int(slant * height)
    matrix = np.array([[1, -slant, extra], [0, 1, 0]], np.float32)
    alpha = cv2.warpAffine(alpha, matrix, (width + extra, height))
    side = int(max(alpha.shape) * rng.uniform(1.0, 1.4))
    cover = np.zeros((side, side), np.float32)
    add(cover, alpha, (side - np.array(alpha.shape)) // 2)
    sheet = rng.uniform(0.55, 0.9) * (1 + 0.05 * clouds(rng, cover.shape, 6))
    grey = sheet * (1 - cover * rng.uniform(0.5, 0.9))
    small = cv2.resize(grey.astype(np.float32), (28, 28), interpolation=cv2.INTER_AREA)
    return np.clip(np.rint(255 * (small + 0.015 * rng.standard_normal((28, 28)))), 0, 255).astype(np.uint8)


def register(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    """A tiny digit in a tall cell with rules, a black strip and a full stop."""
    alpha, _ = written(rng, digit, "pen")
    small_height = int(rng.integers(17, 24))
    scale = small_height / _HEIGHT
    small = cv2.resize(alpha, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    height, width = int(rng.integers(90, 170)), int(rng.integers(40, 70))
    cover = np.zeros((height, width), np.float32)
    for x in (rng.integers(1, 6), width - rng.integers(2, 7)):
        cover[:, x] = rng.uniform(0.4, 0.9)
    for y in range(int(rng.integers(8, 30)), height, int(rng.integers(28, 50))):
        cover[y] = np.maximum(cover[y], rng.uniform(0.3, 0.8))
    corner = np.array(
        [rng.integers(8, height - small.shape[0] - 8), rng.integers(7, max(8, width - small.shape[1] - 12))]
    )
    add(cover, small, corner)
    stop = corner + [small.shape[0] - 6, small.shape[1]]
    add(cover, np.full((2, 2), 0.9, np.float32), stop)
    sheet = rng.uniform(0.6, 0.85) * (1 + 0.03 * clouds(rng, cover.shape, 10))
    grey = sheet * (1 - 0.85 * cover)
    strip = int(rng.integers(3, 9))
    if rng.uniform() < 0.5:
        grey[:, :strip] = 0.03
    else:
        grey[-strip:] = 0.03
    grey = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), 0.5) + 0.02 * rng.standard_normal(grey.shape)
    return np.clip(np.rint(255 * grey), 0, 255).astype(np.uint8)


def mnist(rng: np.random.Generator, digit: np.ndarray) -> np.ndarray:
    picture = np.rint(255 * digit).astype(np.uint8)
    return 255 - picture if rng.uniform() < 0.5 else picture


KINDS: dict[str, Draw] = {
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
        stretched,
        postal,
        form,
        binary_16,
        historic,
        register,
    )
}
