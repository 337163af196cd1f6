"""Finds equidistant lines: the ticks of a comb among other strokes on its rule."""

import numpy as np

# Smallest number of ticks: three cells and their ends.
_MIN_TICKS = 4
# Width of a cell, in heights of a digit. It may be as narrow as half of a frame, which
# passes for a digit.
_MIN_PITCH = 0.4
_MAX_PITCH = 3.5
# Largest distance of a tick from its place, as a fraction of the pitch.
MAX_SHIFT = 0.06
# Smallest share of the places between the first and the last tick that have one.
_MIN_COVERAGE = 0.5
# Value of a tick in its place, in empty places: a grid that misses a third of them is
# better than one of twice the pitch without a miss.
TICK_VALUE = 3
# Distance of an end of the rule from the last place, as a fraction of the pitch.
_END_SHIFT = 0.25
# Neighbors by which a pitch is tried, and cells between two of them.
_NUM_NEIGHBORS = 3
_MAX_CELLS = 2
# Most places on a rule that are compared with each other.
_MAX_CANDIDATES = 60


def fit_pitch(
    middles: np.ndarray, digit_height: float
) -> tuple[float, float, np.ndarray] | None:
    """Finds the most equidistant lines.

    Args:
      middles: `float64 (n,)`, their columns, in pixels.
      digit_height: height of a digit, in pixels.

    Returns:
      The column of one, the pitch in pixels, and `bool (n,)`, which lines stand in
      their places. None if too few do.
    """
    if not _MIN_TICKS <= len(middles) <= _MAX_CANDIDATES:
        return None
    trials = _trials(middles, digit_height)
    if not len(trials):
        return None
    places = (middles - trials[:, :1]) / trials[:, 1:]
    is_tick = np.abs(places - np.rint(places)) <= np.maximum(
        MAX_SHIFT, 1.5 / trials[:, 1:]
    )
    first = np.where(is_tick, np.rint(places), np.inf).min(1)
    last = np.where(is_tick, np.rint(places), -np.inf).max(1)
    num_places = last - first + 1
    num_ticks = np.minimum(is_tick.sum(1), num_places)
    best = int((TICK_VALUE * num_ticks - num_places).argmax())
    if num_ticks[best] < max(_MIN_TICKS, _MIN_COVERAGE * num_places[best]):
        return None
    selected = is_tick[best]
    pitch, start = np.polyfit(np.rint(places[best])[selected], middles[selected], 1)
    return float(start), float(pitch), selected


def _trials(middles: np.ndarray, digit_height: float) -> np.ndarray:
    """Returns starts and pitches between neighbors, `float64 (n, 2)`."""
    trials = []
    for step in range(1, 1 + min(_NUM_NEIGHBORS, len(middles) - 1)):
        distances = middles[step:] - middles[:-step]
        for cells in range(1, 1 + _MAX_CELLS):
            trials.append(np.stack([middles[:-step], distances / cells], 1))
    found = np.concatenate(trials)
    pitch = found[:, 1] / digit_height
    return found[(pitch >= _MIN_PITCH) & (pitch <= _MAX_PITCH) & (found[:, 1] >= 6)]


def extend_grid(start: float, pitch: float, length: int) -> np.ndarray:
    """Returns the places of a grid from one end of a rule to the other.

    Args:
      start: column of one place, in pixels.
      pitch: distance of two, in pixels.
      length: of the rule, in pixels.
    """
    first = np.ceil(-start / pitch - _END_SHIFT)
    last = np.floor((length - 1 - start) / pitch + _END_SHIFT)
    columns = start + pitch * np.arange(first, last + 1)
    return columns.clip(0, length - 1)
