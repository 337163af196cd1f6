"""Prefix search: the most probable texts of a lattice.

A text may have several paths: different cuts that leave the same characters. Their
weights are added. A prefix is kept by the sum of all paths that begin with it, which
the sums of `cnn.decoding.path_sums` give exactly.

Source: Graves et al., "Towards End-to-End Speech Recognition with Recurrent Neural
Networks", 2014 (prefix search).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from cnn.decoding.number_states import NumberStates
from cnn.decoding.path_sums import PathSums, RelativeWeights
from cnn.preprocessing.text_lines import CHARACTER, Lattice

# Number of prefixes that are kept at a cut.
_BEAM_WIDTH = 16
# Number of arcs and classes by which a prefix is extended at a cut. It bounds the time
# that a line of unreadable pieces takes.
_MAX_TRANSITIONS = 8
# A prefix is dropped if all the texts that begin with it have less than this fraction
# of the weight of the best path. It cannot be the best text, nor change its share much.
_MIN_OF_BEST = 1e-3
# A class is left out below this fraction of the most probable one of its piece.
_MIN_OF_CLASS = 1e-4


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


class _Transition(NamedTuple):
    """What an arc adds to a text in a state of the automaton."""

    arc: int
    end: int
    text: str
    label: int
    next_state: int
    weight: float
    # The weight, times that of all paths from its end and state to the last cut.
    with_rest: float


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
    if not sums.best > 0:
        return {}
    least = _MIN_OF_BEST * sums.best
    readings = _list_readings(lattice, weights, sums, class_names)
    beams: list[_Beam] = [{} for _ in range(lattice.num_cuts)]
    beams[0]["", 0] = Hypothesis(1.0, 1.0, None)
    for cut, at_cut in enumerate(readings):
        _skip_missing(beams[cut], states)
        transitions: dict[int, list[_Transition]] = {}
        for (text, state), hypothesis in _select(beams[cut], sums.backward[cut]):
            if state not in transitions:
                transitions[state] = _transitions(at_cut, states, state, sums)
            for transition in transitions[state]:
                if hypothesis.weight * transition.with_rest < least:
                    break
                _extend(beams[transition.end], text, hypothesis, transition)
        beams[cut] = {}
    _skip_missing(beams[-1], states)
    return {
        text: hypothesis
        for (text, state), hypothesis in beams[-1].items()
        if states.final[state]
    }


def _list_readings(
    lattice: Lattice,
    weights: RelativeWeights,
    sums: PathSums,
    class_names: Sequence[str],
) -> list[list[_Transition]]:
    """Lists the probable arcs from each cut but the last, with each of their classes.

    Their next state is to be filled in.
    """
    through = _weights_through(lattice, sums)
    readings: list[list[_Transition]] = [[] for _ in range(lattice.num_cuts - 1)]
    ends = lattice.ends.tolist()
    for arc in np.flatnonzero(through > _MIN_OF_BEST * sums.best).tolist():
        if lattice.symbols[arc] == CHARACTER:
            classes = _probable_classes(weights.characters[arc], class_names)
        else:
            classes = [(lattice.symbols[arc], -1, float(weights.marks[arc]))]
        readings[lattice.starts[arc]] += [
            _Transition(arc, ends[arc], text, label, 0, weight, 0.0)
            for text, label, weight in classes
        ]
    return readings


def _weights_through(lattice: Lattice, sums: PathSums) -> np.ndarray:
    """Sums the weights of the accepted paths through each arc, `float64 (N,)`."""
    before, after = sums.forward[lattice.starts], sums.backward[lattice.ends]
    through: np.ndarray = (before * after).sum(-1) * sums.stay
    if sums.advance.shape[1]:
        through += (before[:, :-1] * after[:, 1:] * sums.advance).sum(-1)
    return through


def _probable_classes(
    weights: np.ndarray, class_names: Sequence[str]
) -> list[tuple[str, int, float]]:
    """Lists the name, label and weight of the probable classes of a piece."""
    values = weights.tolist()
    least = _MIN_OF_CLASS * max(values)
    return [
        (class_names[label], label, value)
        for label, value in enumerate(values)
        if value > least
    ]


def _transitions(
    readings: Sequence[_Transition], states: NumberStates, state: int, sums: PathSums
) -> list[_Transition]:
    """Lists what the arcs from a cut add to a text in a state, the best first."""
    found = []
    for reading in readings:
        if _advances(states, state, reading):
            found.append(_complete(reading, reading.text, state + 1, sums))
        if reading.label < 0:
            is_kept = reading.text in states.kept_symbols
            found.append(
                _complete(reading, reading.text if is_kept else "", state, sums)
            )
        elif states.keeps_classes:
            found.append(_complete(reading, reading.text, state, sums))
    found.sort(key=lambda transition: -transition.with_rest)
    return found[:_MAX_TRANSITIONS]


def _advances(states: NumberStates, state: int, reading: _Transition) -> bool:
    """Returns whether a class, or else a symbol, is the next step from a state."""
    if state >= len(states.symbols):
        return False
    if reading.label >= 0:
        return bool(states.classes[state, reading.label])
    return states.symbols[state] == reading.text


def _complete(
    reading: _Transition, text: str, next_state: int, sums: PathSums
) -> _Transition:
    """Fills in the next state."""
    rest = float(sums.backward[reading.end, next_state])
    return reading._replace(
        text=text, next_state=next_state, with_rest=reading.weight * rest
    )


def _select(
    beam: _Beam, backward: np.ndarray
) -> list[tuple[tuple[str, int], Hypothesis]]:
    """Returns the prefixes that begin the most probable paths."""
    if len(beam) <= _BEAM_WIDTH:
        return [*beam.items()]
    to_go = backward.tolist()
    ranked = sorted(
        beam.items(), key=lambda item: (-item[1].weight * to_go[item[0][1]], item[0])
    )
    return ranked[:_BEAM_WIDTH]


def _extend(
    beam: _Beam, text: str, hypothesis: Hypothesis, transition: _Transition
) -> None:
    """Adds a prefix with one more arc to the beam at the end of the arc."""
    key = (text + transition.text, transition.next_state)
    weight = hypothesis.weight * transition.weight
    best = hypothesis.best * transition.weight
    known = beam.get(key)
    if known is not None and known.best >= best:
        beam[key] = Hypothesis(known.weight + weight, known.best, known.last)
        return
    step = Step(hypothesis.last, transition.arc, transition.text, transition.label)
    before = 0.0 if known is None else known.weight
    beam[key] = Hypothesis(before + weight, best, step)


def _skip_missing(beam: _Beam, states: NumberStates) -> None:
    """Adds the texts with separators of the pattern that are not seen, in place."""
    for state in np.flatnonzero(states.missing).tolist():
        factor = float(states.missing[state])
        for (text, other), (weight, best, last) in [*beam.items()]:
            if other != state:
                continue
            key = (text + states.symbols[state], state + 1)
            known = beam.get(key, Hypothesis(0.0, 0.0, None))
            last = known.last if known.best >= factor * best else last
            best = max(known.best, factor * best)
            beam[key] = Hypothesis(known.weight + factor * weight, best, last)
