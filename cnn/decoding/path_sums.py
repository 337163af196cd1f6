"""Sums over all paths of a lattice that an automaton accepts, by dynamic programming.

Weights are relative to the best path without the automaton: the weight of an arc is
divided by the best weight of the paths to its end, and multiplied by that of the paths
to its start. So every weight is at most 1, every sum at least that of the best path,
and sums of long lines neither overflow nor need logarithms.
"""

from typing import NamedTuple

import numpy as np

from cnn.decoding.arc_scores import ArcScores
from cnn.decoding.number_states import NumberStates
from cnn.preprocessing.text_lines import Lattice


class RelativeWeights(NamedTuple):
    """Weights of the arcs, relative to the best path.

    Attributes:
      characters: `float64 (N, num_classes)` in [0, 1], of each class.
      marks: `float64 (N,)` in [0, 1], of separators and skipped ink.
      log_best: the score of the best path, or minus infinity if no path leads from the
        first cut to the last.
    """

    characters: np.ndarray
    marks: np.ndarray
    log_best: float


class PathSums(NamedTuple):
    """Sums of the weights of paths, with S + 1 states.

    Attributes:
      advance: `float64 (N, S)`, weight of an arc as the step from a state to the next.
      stay: `float64 (N,)`, weight of an arc that keeps the state.
      forward: `float64 (num_cuts, S + 1)`, of the paths from the first cut to a cut.
      backward: `float64 (num_cuts, S + 1)`, of those from a cut to the last.
      total: sum of the accepted paths.
      best: the largest weight of an accepted path.
    """

    advance: np.ndarray
    stay: np.ndarray
    forward: np.ndarray
    backward: np.ndarray
    total: float
    best: float


def relative_weights(lattice: Lattice, scores: ArcScores) -> RelativeWeights:
    """Computes the weights of arcs relative to the best path.

    Args:
      lattice: arcs between cuts.
      scores: their scores.
    """
    of_arcs = np.maximum(scores.characters.max(-1), scores.marks)
    best = _best_scores(lattice, of_arcs.tolist())
    is_reached = np.isfinite(best)
    finite = np.where(is_reached, best, 0)
    reduction = finite[lattice.starts] - finite[lattice.ends]
    reduction[~is_reached[lattice.starts]] = -np.inf
    return RelativeWeights(
        np.exp(scores.characters + reduction[:, None]),
        np.exp(scores.marks + reduction),
        float(best[-1]),
    )


def _best_scores(lattice: Lattice, of_arcs: list[float]) -> np.ndarray:
    """Computes the best score of the paths to each cut, `float64 (num_cuts,)`."""
    best = [-np.inf] * lattice.num_cuts
    best[0] = 0.0
    # Arcs are sorted by their starts, so all arcs to a start come before.
    starts, ends = lattice.starts.tolist(), lattice.ends.tolist()
    for start, end, score in zip(starts, ends, of_arcs, strict=True):
        best[end] = max(best[end], best[start] + score)
    return np.array(best)


def sum_paths(
    lattice: Lattice, weights: RelativeWeights, states: NumberStates
) -> PathSums:
    """Sums the weights of all paths that an automaton accepts.

    Args:
      lattice: arcs between cuts.
      weights: weights of the arcs.
      states: the automaton.
    """
    advance = weights.characters @ states.classes.T
    _add_symbols(advance, lattice, weights, states)
    stay = weights.marks.copy()
    if states.keeps_classes:
        stay += weights.characters.sum(-1)
    forward = _sum_forward(lattice, advance, stay, states.missing)
    backward = _sum_backward(lattice, advance, stay, states)
    total = float(forward[-1] @ states.final)
    best = _best_weight(lattice, weights, states)
    return PathSums(advance, stay, forward, backward, total, best)


def _add_symbols(
    advance: np.ndarray,
    lattice: Lattice,
    weights: RelativeWeights,
    states: NumberStates,
) -> None:
    """Adds the weights of the separators that are steps, in place."""
    for step, symbol in enumerate(states.symbols):
        if symbol:
            is_symbol = np.array([other == symbol for other in lattice.symbols])
            advance[is_symbol, step] += weights.marks[is_symbol]


def _best_weight(
    lattice: Lattice, weights: RelativeWeights, states: NumberStates
) -> float:
    """Computes the largest weight of an accepted path, by the Viterbi algorithm."""
    if states.keeps_classes:
        return 1.0
    advance = (weights.characters[:, None] * states.classes).max(-1)
    _add_symbols(advance, lattice, weights, states)
    best = np.zeros((lattice.num_cuts, len(states.final)))
    best[0, 0] = 1
    arcs = zip(lattice.starts.tolist(), lattice.ends.tolist(), strict=True)
    for arc, (start, end) in enumerate(arcs):
        before = best[start]
        # All arcs to the start came before, and a step more changes nothing.
        _take_missing(before, states.missing)
        np.maximum(best[end], before * weights.marks[arc], out=best[end])
        np.maximum(best[end, 1:], before[:-1] * advance[arc], out=best[end, 1:])
    _take_missing(best[-1], states.missing)
    return float((best[-1] * states.final).max())


def _take_missing(best: np.ndarray, missing: np.ndarray) -> None:
    """Takes the steps without ink where they are better, in place."""
    for step in np.flatnonzero(missing).tolist():
        best[step + 1] = max(best[step + 1], best[step] * missing[step])


def _sum_forward(
    lattice: Lattice, advance: np.ndarray, stay: np.ndarray, missing: np.ndarray
) -> np.ndarray:
    if not len(missing):
        return _sum_forward_of_one_state(lattice, stay.tolist())
    sums = np.zeros((lattice.num_cuts, len(missing) + 1))
    sums[0, 0] = 1
    finished = -1
    arcs = zip(lattice.starts.tolist(), lattice.ends.tolist(), strict=True)
    for arc, (start, end) in enumerate(arcs):
        while finished < start:
            finished += 1
            _skip_missing(sums[finished], missing)
        sums[end] += sums[start] * stay[arc]
        sums[end, 1:] += sums[start, :-1] * advance[arc]
    for cut in range(finished + 1, lattice.num_cuts):
        _skip_missing(sums[cut], missing)
    return sums


def _sum_backward(
    lattice: Lattice, advance: np.ndarray, stay: np.ndarray, states: NumberStates
) -> np.ndarray:
    if not len(states.missing):
        return _sum_backward_of_one_state(lattice, stay.tolist())
    sums = np.zeros((lattice.num_cuts, len(states.final)))
    sums[-1] = states.final
    reverse = states.missing[::-1]
    finished = lattice.num_cuts
    starts, ends = lattice.starts.tolist(), lattice.ends.tolist()
    for arc in range(len(starts) - 1, -1, -1):
        while finished > starts[arc] + 1:
            finished -= 1
            _skip_missing(sums[finished, ::-1], reverse)
        sums[starts[arc]] += sums[ends[arc]] * stay[arc]
        sums[starts[arc], :-1] += sums[ends[arc], 1:] * advance[arc]
    for cut in range(finished - 1, -1, -1):
        _skip_missing(sums[cut, ::-1], reverse)
    return sums


def _skip_missing(sums: np.ndarray, missing: np.ndarray) -> None:
    """Adds the steps without ink, from each state to the next, in place."""
    for step in np.flatnonzero(missing).tolist():
        sums[step + 1] += sums[step] * missing[step]


def _sum_forward_of_one_state(lattice: Lattice, stay: list[float]) -> np.ndarray:
    """Sums as `_sum_forward`, without states. This is most of the calls."""
    sums = [0.0] * lattice.num_cuts
    sums[0] = 1.0
    starts, ends = lattice.starts.tolist(), lattice.ends.tolist()
    for start, end, weight in zip(starts, ends, stay, strict=True):
        sums[end] += sums[start] * weight
    return np.array(sums)[:, None]


def _sum_backward_of_one_state(lattice: Lattice, stay: list[float]) -> np.ndarray:
    """Sums as `_sum_backward`, without states."""
    sums = [0.0] * lattice.num_cuts
    sums[-1] = 1.0
    starts, ends = lattice.starts.tolist(), lattice.ends.tolist()
    for arc in range(len(starts) - 1, -1, -1):
        sums[starts[arc]] += sums[ends[arc]] * stay[arc]
    return np.array(sums)[:, None]
