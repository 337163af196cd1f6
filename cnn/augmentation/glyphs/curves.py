"""Points and curves, of which the strokes of synthetic digits consist.

Coordinates are x to the right and y down, in a box of 1 by 1 with its origin at the
top left: a digit's top is at y = 0 and its foot at y = 1.
"""

import numpy as np

from cnn.augmentation.bezier import quadratic_bezier

# Each stroke is `float64 (points, 2)` of x and y.
Strokes = list[np.ndarray]

# A point as it is written down: x and y.
Coordinates = tuple[float, float]

# Points of each piece of a spline.
_POINTS_PER_PIECE = 12

# Points of an ellipse.
_POINTS_PER_ELLIPSE = 24


def point(x: float, y: float) -> np.ndarray:
    """Returns a point, or the vector from one point to another, `float64 (2,)`."""
    return np.array([x, y])


def sample_point(
    rng: np.random.Generator,
    x_range: tuple[float, float],
    y_range: tuple[float, float],
) -> np.ndarray:
    """Samples a point of a rectangle, or a vector, `float64 (2,)`."""
    x = rng.uniform(*x_range)
    y = rng.uniform(*y_range)
    return point(x, y)


def draw_stroke(
    rng: np.random.Generator, start: np.ndarray, end: np.ndarray, max_bend: float
) -> np.ndarray:
    """Draws a nearly straight stroke.

    The control point lies beside the middle, at up to `max_bend` of the length.
    """
    x, y = end - start
    normal = point(-y, x)
    bend = rng.uniform(-max_bend, max_bend)
    middle = (start + end) / 2
    control = middle + bend * normal
    return quadratic_bezier(start, control, end)


def draw_curve(
    rng: np.random.Generator, points: list[Coordinates], jitter: float = 0.03
) -> np.ndarray:
    """Draws a smooth curve near the given points.

    Args:
      rng: a random generator.
      points: x and y of each point that the pen passes, in order.
      jitter: standard deviation of the distance by which a point is moved, per axis.

    Returns:
      `float64 (points, 2)`.
    """
    knots = np.array(points, float)
    moved = knots + rng.normal(0, jitter, knots.shape)
    return catmull_rom_spline(moved)


def catmull_rom_spline(knots: np.ndarray) -> np.ndarray:
    """Returns points of a smooth curve through all knots.

    At a knot the curve is parallel to the line between the knots before and after it
    (Catmull & Rom, "A class of local interpolating splines", 1974).

    Args:
      knots: `float64 (N, 2)` with N of at least 2.

    Returns:
      `float64 (12 (N - 1), 2)`, from the first knot to the last.
    """
    num_pieces = len(knots) - 1
    # The first and the last knot count twice, so that they have two neighbors, too.
    padded = np.pad(knots, ((1, 1), (0, 0)), mode="edge")
    pieces = [_catmull_rom_piece(padded[i : i + 4]) for i in range(num_pieces)]
    return np.concatenate(pieces)


def _catmull_rom_piece(knots: np.ndarray) -> np.ndarray:
    """Returns the curve from the second to the third of four knots."""
    before, start, end, after = knots
    t = np.linspace(0, 1, _POINTS_PER_PIECE)
    t = t[:, None]
    start_slope = (end - before) / 2
    end_slope = (after - start) / 2
    # Cubic Hermite polynomials.
    return (
        (2 * t**3 - 3 * t**2 + 1) * start
        + (t**3 - 2 * t**2 + t) * start_slope
        + (3 * t**2 - 2 * t**3) * end
        + (t**3 - t**2) * end_slope
    )


def ellipse_arc(
    center: np.ndarray,
    radii: np.ndarray,
    first_turn: float,
    last_turn: float,
    first_size: float = 1.0,
) -> np.ndarray:
    """Returns an arc of an ellipse.

    Args:
      center: `float64 (2,)`.
      radii: `float64 (2,)`, along x and y.
      first_turn: where the arc starts. 0 is at the right, 0.25 at the bottom.
      last_turn: where the arc ends, in turns.
      first_size: size of the radii at the start, which grows to 1 at the end. With
        less than 1, the arc starts inside of the ellipse.

    Returns:
      `float64 (24, 2)`.
    """
    turns = np.linspace(first_turn, last_turn, _POINTS_PER_ELLIPSE)
    angle = turns * 2 * np.pi
    size = np.linspace(first_size, 1, _POINTS_PER_ELLIPSE)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return center + size[:, None] * radii * circle
