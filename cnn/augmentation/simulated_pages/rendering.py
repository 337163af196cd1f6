"""What a simulated page is made of: strokes, ink, paper, light, and the camera."""

import cv2
import numpy as np

# Height in pixels at which a digit is drawn, before a camera or a scanner makes it smaller.
DIGIT_HEIGHT = 160


def render_strokes(
    digit: np.ndarray, width: float, height: int = DIGIT_HEIGHT
) -> np.ndarray:
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
    mask = _inked(large, scale)
    if not width:
        return smooth(mask)
    inside = cv2.GaussianBlur(cv2.distanceTransform(mask, cv2.DIST_L2, 5), (0, 0), 1)
    # The distance to the paper grows by 1 a pixel, but for where a stroke has its middle.
    slope = np.hypot(
        cv2.Sobel(inside, -1, 1, 0, scale=0.125),
        cv2.Sobel(inside, -1, 0, 1, scale=0.125),
    )
    middle = ((slope < 0.7) & (inside > 2)).astype(np.uint8)
    away = cv2.distanceTransform(1 - middle, cv2.DIST_L2, 5)
    return np.clip(max(width * height / 2 - 2, 0.7) - away + 0.5, 0, 1).astype(
        np.float32
    )


def _inked(large: np.ndarray, scale: float) -> np.ndarray:
    """Tells ink from paper at the level that leaves most loops open, of those that take nothing apart."""
    masks = [(large > level).astype(np.uint8) for level in (0.42, 0.5, 0.6, 0.7, 0.8)]
    pieces = [cv2.connectedComponents(mask)[0] for mask in masks]
    whole = [
        mask for mask, count in zip(masks, pieces, strict=True) if count == pieces[0]
    ]
    return max(whole, key=lambda mask: _loops(mask, least=0.2 * scale * scale))


def _loops(mask: np.ndarray, least: float) -> int:
    """Counts the patches of paper, of at least so many pixels, that ink surrounds."""
    _, _, boxes, _ = cv2.connectedComponentsWithStats(1 - mask, connectivity=4)
    return (
        int(np.count_nonzero(boxes[1:, cv2.CC_STAT_AREA] >= least)) - 1
    )  # But for what is around it.


def smooth(mask: np.ndarray) -> np.ndarray:
    """Softens the edges of a mask."""
    return cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 1.2)


def value_noise(
    rng: np.random.Generator, shape: tuple[int, int], cells: float
) -> np.ndarray:
    """Smooth noise with about `cells` spots across, of mean 0 and deviation 1."""
    size = [max(2, int(np.ceil(cells * n / max(shape)))) + 2 for n in shape]
    noise = rng.standard_normal(size).astype(np.float32)
    return cv2.resize(noise, shape[::-1], interpolation=cv2.INTER_CUBIC)


# Ink.


def render_ink(
    rng: np.random.Generator, digit: np.ndarray, tool: str
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the cover of the ink, `(height, width)` in [0, 1], and its colour, `(3,)`."""
    dark = rng.uniform(0.02, 0.3)
    alpha, colour = _TOOLS[tool](rng, digit)
    colour = np.full(3, dark) if colour is None else colour
    return alpha.astype(np.float32), colour.astype(np.float32)


def _pen(
    rng: np.random.Generator, digit: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    alpha = render_strokes(digit, rng.uniform(0.035, 0.08))
    colour = _PENS[rng.integers(len(_PENS))]
    return alpha * np.clip(
        0.92 + 0.06 * value_noise(rng, alpha.shape, 12), 0, 1
    ), colour


def _pencil(
    rng: np.random.Generator, digit: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    alpha = render_strokes(digit, rng.uniform(0.03, 0.07))
    grain = np.clip(
        0.75
        + 0.3 * value_noise(rng, alpha.shape, 70)
        + 0.15 * value_noise(rng, alpha.shape, 8),
        0.15,
        1,
    )
    return alpha * grain * rng.uniform(0.45, 0.85), np.full(3, rng.uniform(0.25, 0.4))


def _faint(
    rng: np.random.Generator, digit: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    alpha = render_strokes(digit, rng.uniform(0.025, 0.05))
    grain = np.clip(
        0.8
        + 0.15 * value_noise(rng, alpha.shape, 40)
        + 0.15 * value_noise(rng, alpha.shape, 6),
        0.2,
        1,
    )
    return alpha * grain * rng.uniform(0.2, 0.45), np.array([0.25, 0.27, 0.4])


def _marker(
    rng: np.random.Generator, digit: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    return render_strokes(digit, rng.uniform(0.12, 0.2)), None


def _brush(
    _: np.random.Generator, digit: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    return render_strokes(digit, 0), None  # It keeps the strokes' own changing width.


# Black or grey (as dark as chance has it), blue, dark blue, red.
_PENS = (
    None,
    np.array([0.05, 0.1, 0.55]),
    np.array([0.1, 0.1, 0.35]),
    np.array([0.65, 0.08, 0.1]),
)
_TOOLS = {
    "pen": _pen,
    "pencil": _pencil,
    "faint": _faint,
    "marker": _marker,
    "brush": _brush,
}


# Paper.


def render_paper(
    rng: np.random.Generator, shape: tuple[int, int], kind: str, pitch: float
) -> np.ndarray:
    """Returns the page's reflectance, `(height, width, 3)`; rules lie `pitch` pixels apart."""
    base = rng.uniform(0.75, 0.98) * np.array(
        [1, 1 - rng.uniform(0, 0.04), 1 - rng.uniform(0, 0.12)]
    )
    page = np.ones((*shape, 3), np.float32) * base.astype(np.float32)
    page *= (1 + rng.uniform(0, 0.015) * value_noise(rng, shape, 60))[..., None]
    if kind in ("ruled", "squared"):
        lines = np.zeros(shape, np.float32)
        thick = max(1.0, pitch * rng.uniform(0.015, 0.04))
        for axis in (0, 1) if kind == "squared" else (0,):
            position = np.arange(shape[axis]) - rng.uniform(0, pitch)
            near = np.abs((position + pitch / 2) % pitch - pitch / 2)
            line = np.clip(thick / 2 - near + 0.5, 0, 1).astype(np.float32)
            lines = np.maximum(lines, line[:, None] if axis == 0 else line[None, :])
        colour = np.array(
            [[0.45, 0.6, 0.85], [0.6, 0.6, 0.62], [0.75, 0.5, 0.5]][rng.integers(3)],
            np.float32,
        )
        cover = (rng.uniform(0.3, 0.9) * lines)[..., None]
        page = page * (1 - cover) + colour * cover
    return page


# Light and camera.


def apply_lighting(
    rng: np.random.Generator, page: np.ndarray, strength: float
) -> np.ndarray:
    """Throws uneven light: a gradient, dark corners, the edge of a shadow, a cast of colour."""
    height, width = page.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    along = x * np.cos(angle) + y * np.sin(angle)
    light = 1 - strength * 0.35 * rng.uniform(0, 1) * (along + 1) / 2
    light *= 1 - strength * 0.45 * rng.uniform(0, 1) * (x * x + y * y) / 2
    if rng.uniform() < 0.5 * strength:
        angle = rng.uniform(0, 2 * np.pi)
        beyond = (
            x * np.cos(angle) + y * np.sin(angle) - rng.uniform(-0.8, 0.8)
        ) / rng.uniform(0.02, 0.3)
        light *= 1 - rng.uniform(0.15, 0.5) / (1 + np.exp(-4 * beyond))
    cast = 1 - 0.15 * strength * rng.uniform(0, 1, 3).astype(np.float32)
    exposure = rng.uniform(0.65, 1.05)
    return page * light[..., None] * cast * np.float32(exposure)


def simulate_camera(
    rng: np.random.Generator, page: np.ndarray, side: int, noise: float, blur: float
) -> np.ndarray:
    """Makes a photograph of a lit page, its longer side of `side` pixels; `uint8 (h, w, 3)`."""
    scale = side / max(page.shape[:2])
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    page = cv2.resize(page, None, fx=scale, fy=scale, interpolation=how)
    if blur > 0.2:
        page = cv2.GaussianBlur(page, (0, 0), blur)
    page = page + noise * rng.standard_normal(page.shape).astype(np.float32)
    picture = np.clip(np.rint(page * 255), 0, 255).astype(np.uint8)
    quality = int(rng.integers(45, 96))
    _, coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR))


def random_perspective(
    rng: np.random.Generator, page: np.ndarray, degrees: float
) -> np.ndarray:
    """Turns and tilts a page, as a hand that holds the camera does; beyond it is more of it."""
    height, width = page.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    middle = np.array([width, height], np.float32) / 2
    angle = np.deg2rad(rng.uniform(-degrees, degrees))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = (
        (corners - middle) @ turn.T
        + middle
        + rng.uniform(-0.05, 0.05, (4, 2)) * [width, height]
    )
    matrix = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    return cv2.warpPerspective(
        page,
        matrix,
        (width, height),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )


def composite(cover: np.ndarray, alpha: np.ndarray, corner: np.ndarray) -> None:
    """Lays ink on a page with its corner at (row, column), as far as it is on the page."""
    top, left = (int(c) for c in corner)
    rows = slice(max(top, 0), min(top + alpha.shape[0], cover.shape[0]))
    columns = slice(max(left, 0), min(left + alpha.shape[1], cover.shape[1]))
    if rows.start < rows.stop and columns.start < columns.stop:
        part = alpha[
            rows.start - top : rows.stop - top,
            columns.start - left : columns.stop - left,
        ]
        cover[rows, columns] = np.maximum(cover[rows, columns], part)
