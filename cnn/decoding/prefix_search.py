"""Prefix search: the most probable texts of a lattice.

A text may have several paths: different cuts that leave the same characters. Their
weights are added. A prefix is kept by the sum of all paths that begin with it, which
the sums of `cnn.decoding.path_sums` give exactly.

Source: Graves et al., "Towards End-to-End Speech Recognition with Recurrent Neural
Networks", 2014 (prefix search).
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from cnn.decoding.number_states import NumberStates
from cnn.decoding.path_sums import PathSums, RelativeWeights
from cnn.preprocessing.text_lines import CHARACTER, Lattice

# Number of prefixes that are kept at a cut.
_BEAM_WIDTH = 24
# A prefix is dropped below this fraction of the best one at its cut.
_MIN_OF_BEST = 1e-4
# A cut or an arc is left out if the paths through it are less than this fraction.
_MIN_OF_ALL = 1e-5
# A class is left out below this fraction of the most probable one of its piece.
_MIN_OF_CLASS = 1e-4
# Number of classes of a piece that are tried.
_MAX_CLASSES = 5


class Step(NamedTuple):
    """One arc of the best path of a text, as the last of a linked list.

    Attributes:
      previous: the step before, or None.
      arc: index of the arc.
      text: what it adds to the text.
      label: the class, or -1 for other symbols.
    """

    previous: "Step | None"
    arc: int
    text: str
    label: int

    def unlink(self) -> list["Step"]:
        """Returns the steps of the path in order."""
        steps = []
        step: Step | None = self
        while step is not None:
            steps.append(step)
            step = step.previous
        return steps[::-1]


class Hypothesis(NamedTuple):
    """A text, or the beginning of one.

    Attributes:
      weight: sum of the weights of its paths, as `PathSums`.
      best: the largest weight of one of its paths.
      last: the last step of that path.
    """

    weight: float
    best: float
    last: Step | None


# Texts and their automaton's state.
_Beam = dict[tuple[str, int], Hypothesis]
# What an arc adds to a text, the class or -1, and its weight.
_Reading = tuple[str, int, float]


def find_texts(
    lattice: Lattice,
    weights: RelativeWeights,
    sums: PathSums,
    states: NumberStates,
    class_names: Sequence[str],
) -> dict[str, Hypothesis]:
    """Finds the most probable texts of a lattice that an automaton accepts.

    Args:
      lattice: arcs between cuts.
      weights: weights of the arcs.
      sums: sums over the paths that `states` accepts.
      states: what is known of the number.
      class_names: the name of each class.

    Returns:
      The texts and their paths. Empty if no path is accepted.
    """
    if not sums.total > 0:
        return {}
    beams: list[_Beam] = [{} for _ in range(lattice.num_cuts)]
    beams[0]["", 0] = Hypothesis(1.0, 1.0, None)
    arcs = _group_arcs(lattice, weights, sums, class_names)
    ends = lattice.ends.tolist()
    for cut, arcs_from_cut in enumerate(arcs):
        _skip_missing(beams[cut], states)
        for key, hypothesis in _prune(beams[cut], sums.backward[cut]):
            for arc, readings in arcs_from_cut:
                for reading in readings:
                    _extend(beams[ends[arc]], key, hypothesis, arc, reading, states)
        beams[cut] = {}
    _skip_missing(beams[-1], states)
    return {
        text: hypothesis
        for (text, state), hypothesis in beams[-1].items()
        if states.final[state]
    }


def _group_arcs(
    lattice: Lattice,
    weights: RelativeWeights,
    sums: PathSums,
    class_names: Sequence[str],
) -> list[list[tuple[int, list[_Reading]]]]:
    """Lists the probable arcs from each cut but the last, with their readings."""
    through = _weights_through(lattice, sums)
    grouped: list[list[tuple[int, list[_Reading]]]] = [
        [] for _ in range(lattice.num_cuts - 1)
    ]
    for arc in np.flatnonzero(through > _MIN_OF_ALL * sums.total).tolist():
        if lattice.symbols[arc] == CHARACTER:
            readings = [*_class_readings(weights.characters[arc], class_names)]
        else:
            readings = [(lattice.symbols[arc], -1, float(weights.marks[arc]))]
        grouped[lattice.starts[arc]].append((arc, readings))
    return grouped


def _weights_through(lattice: Lattice, sums: PathSums) -> np.ndarray:
    """Sums the weights of the accepted paths through each arc, `float64 (N,)`."""
    before, after = sums.forward[lattice.starts], sums.backward[lattice.ends]
    through: np.ndarray = (before * after).sum(-1) * sums.stay
    if sums.advance.shape[1]:
        through += (before[:, :-1] * after[:, 1:] * sums.advance).sum(-1)
    return through


def _class_readings(
    weights: np.ndarray, class_names: Sequence[str]
) -> Iterator[_Reading]:
    """Yields the probable classes of a piece."""
    order = np.argsort(-weights, kind="stable")[:_MAX_CLASSES].tolist()
    values = weights.tolist()
    for label in order:
        if values[label] > _MIN_OF_CLASS * values[order[0]]:
            yield class_names[label], label, values[label]


def _prune(
    beam: _Beam, backward: np.ndarray
) -> Iterator[tuple[tuple[str, int], Hypothesis]]:
    """Yields the prefixes that begin the most probable paths."""
    to_go = backward.tolist()
    ranked = sorted(
        ((item[1].weight * to_go[item[0][1]], item) for item in beam.items()),
        key=lambda pair: (-pair[0], pair[1][0]),
    )
    if not ranked:
        return
    least = _MIN_OF_BEST * ranked[0][0]
    for value, item in ranked[:_BEAM_WIDTH]:
        if value > least:
            yield item


def _extend(
    beam: _Beam,
    key: tuple[str, int],
    hypothesis: Hypothesis,
    arc: int,
    reading: _Reading,
    states: NumberStates,
) -> None:
    """Adds a prefix with one more arc to the beam at the end of the arc."""
    text, state = key
    symbol, label, weight = reading
    step = Step(hypothesis.last, arc, symbol, label)
    if _advances(states, state, symbol, label):
        _add(beam, (text + symbol, state + 1), hypothesis, weight, step)
    if label < 0:
        added = symbol if symbol in states.kept_symbols else ""
        step = step._replace(text=added)
        _add(beam, (text + added, state), hypothesis, weight, step)
    elif states.keeps_classes:
        _add(beam, (text + symbol, state), hypothesis, weight, step)


def _advances(states: NumberStates, state: int, symbol: str, label: int) -> bool:
    """Returns whether a class, or else a symbol, is the next step from a state."""
    if state >= len(states.symbols):
        return False
    if label >= 0:
        return bool(states.classes[state, label])
    return states.symbols[state] == symbol


def _add(
    beam: _Beam,
    key: tuple[str, int],
    hypothesis: Hypothesis,
    weight: float,
    step: Step | None,
) -> None:
    """Adds the paths of a hypothesis, times a weight, to those of a text."""
    total, best = hypothesis.weight * weight, hypothesis.best * weight
    known = beam.get(key)
    if known is None:
        beam[key] = Hypothesis(total, best, step)
    elif best > known.best:
        beam[key] = Hypothesis(known.weight + total, best, step)
    else:
        beam[key] = known._replace(weight=known.weight + total)


def _skip_missing(beam: _Beam, states: NumberStates) -> None:
    """Adds the texts with separators of the pattern that are not seen, in place."""
    for state in np.flatnonzero(states.missing).tolist():
        for (text, other), hypothesis in [*beam.items()]:
            if other == state:
                key = (text + states.symbols[state], state + 1)
                weight = float(states.missing[state])
                _add(beam, key, hypothesis, weight, hypothesis.last)
