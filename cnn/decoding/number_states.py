"""What is known of a number as a finite automaton: how much of it has been read."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from cnn.number_pattern import NumberPattern
from cnn.preprocessing.text_lines import SEPARATORS

# Stands for a digit in a pattern.
_DIGIT = "d"
# Weight of a separator of the pattern that is not seen: preprocessing may have taken it
# for a speck. Two of them cost a factor of 25.
_MISSING_SEPARATOR = 0.2


class NumberStates(NamedTuple):
    """States of an automaton, of which a step reads a character.

    There are S steps, from state i to state i + 1. Without any knowledge of a number, S
    is 0, and the only state is kept whatever is read.

    Attributes:
      classes: `bool (S, num_classes)`, the classes that a step reads.
      symbols: the separator that a step reads, or empty, S times.
      missing: `float64 (S,)`, weight of a step without ink.
      final: `bool (S + 1,)`, the states in which a number may end.
      keeps_classes: whether classes are read without a change of the state.
      kept_symbols: separators that are read without a change of the state.
    """

    classes: np.ndarray
    symbols: tuple[str, ...]
    missing: np.ndarray
    final: np.ndarray
    keeps_classes: bool
    kept_symbols: str


def make_states(
    pattern: NumberPattern, class_names: Sequence[str], max_characters: int
) -> NumberStates:
    """Makes the automaton of what is known of a number.

    A pattern of characters precedes a range of lengths.

    Args:
      pattern: what is known of the number.
      class_names: the name of each class.
      max_characters: the largest number of characters that the line can have.
    """
    if pattern.pattern:
        return _states_of_pattern(pattern.pattern, class_names)
    if pattern.lengths is None:
        return _any_number(len(class_names), pattern.separators)
    shortest, longest = pattern.lengths
    # More steps cannot be taken.
    count = min(longest, max_characters + 1)
    return NumberStates(
        classes=np.ones((count, len(class_names)), bool),
        symbols=("",) * count,
        missing=np.zeros(count),
        final=np.arange(count + 1) >= shortest,
        keeps_classes=False,
        kept_symbols=pattern.separators,
    )


def _any_number(num_classes: int, separators: str) -> NumberStates:
    return NumberStates(
        classes=np.zeros((0, num_classes), bool),
        symbols=(),
        missing=np.zeros(0),
        final=np.ones(1, bool),
        keeps_classes=True,
        kept_symbols=separators,
    )


def _states_of_pattern(pattern: str, class_names: Sequence[str]) -> NumberStates:
    """Makes one step per character of a pattern."""
    is_literal = np.array([mark in SEPARATORS for mark in pattern], bool)
    final = np.zeros(len(pattern) + 1, bool)
    final[-1] = True
    return NumberStates(
        classes=np.stack([_classes_of_mark(mark, class_names) for mark in pattern]),
        symbols=tuple(mark if mark in SEPARATORS else "" for mark in pattern),
        missing=np.where(is_literal, _MISSING_SEPARATOR, 0),
        final=final,
        keeps_classes=False,
        kept_symbols="",
    )


def _classes_of_mark(mark: str, class_names: Sequence[str]) -> np.ndarray:
    """Returns which classes stand for a character of a pattern, `bool`.

    `d` stands for any digit, or for any class of a model that knows no digits. Other
    characters stand for the class of their name.
    """
    is_digit = np.array([name.isdigit() for name in class_names], bool)
    if mark == _DIGIT:
        return is_digit if is_digit.any() else ~is_digit
    return np.array([name == mark for name in class_names], bool)
