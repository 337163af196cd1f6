"""Edit distance by hand, and against the definition by recursion."""

import functools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnn.inference.edit_distance import edit_distance


@pytest.mark.parametrize(
    ("text", "truth", "distance"),
    [
        ("", "", 0),
        ("427", "", 3),
        ("", "427", 3),
        ("427", "427", 0),
        ("421", "427", 1),
        ("4427", "427", 1),
        ("27", "427", 1),
        ("274", "427", 2),
        ("kitten", "sitting", 3),
    ],
)
def test_the_distance_is_the_number_of_edits(text, truth, distance):
    assert edit_distance(text, truth) == distance


@functools.cache
def by_definition(text: str, truth: str) -> int:
    if not text or not truth:
        return len(text) + len(truth)
    return min(
        by_definition(text[1:], truth) + 1,
        by_definition(text, truth[1:]) + 1,
        by_definition(text[1:], truth[1:]) + (text[0] != truth[0]),
    )


@given(st.text("12", max_size=6), st.text("12", max_size=6))
def test_the_distance_is_that_of_the_definition(text, truth):
    assert edit_distance(text, truth) == by_definition(text, truth)
