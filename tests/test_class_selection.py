"""The classes that `--classes` names, and a network without the others."""

import re
import string

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cnn.class_selection import keep_outputs, select_classes
from cnn.errors import UsageError
from tests.reference import forward, random_params

DIGITS = "0123456789"
LETTERS = DIGITS + string.ascii_uppercase + string.ascii_lowercase
WORDS = ["0", "1", "ten", "a-c", "cat", "dog", "-"]

# Names of characters: any but a comma, which separates names.
NAMES = st.sets(st.characters(exclude_characters=","), min_size=2, max_size=40)


def selected_names(text, class_names):
    labels = select_classes(text, class_names)
    assert labels == sorted(set(labels))
    return [class_names[label] for label in labels]


@pytest.mark.parametrize(
    ("text", "class_names", "expected"),
    [
        ("0-9A-F", LETTERS, "0123456789ABCDEF"),
        ("97531", DIGITS, "13579"),
        ("0-9", "9A0b5", "905"),
        ("8-z", "z9xA8{", "z9xA8"),
        ("A-Cx-z", LETTERS, "ABCxyz"),
        ("00-11", DIGITS, "01"),
        ("-0-2", "-0123", "-012"),
        ("0-2-", "-0123", "-012"),
        ("0-2-3", "-0123", "-0123"),
        ("0--2", "-0123", "-02"),
        ("--0", "-0123", "-0"),
        ("cat,dog", WORDS, ["cat", "dog"]),
        (" dog , cat ", WORDS, ["cat", "dog"]),
        ("0-9,ten", WORDS, ["0", "1", "ten"]),
        ("ten,a-c", WORDS, ["ten", "a-c"]),
        ("-,ten", WORDS, ["ten", "-"]),
        ("0-1", WORDS, ["0", "1"]),
    ],
)
def test_characters_ranges_and_names_select_classes(text, class_names, expected):
    assert selected_names(text, class_names) == list(expected)


@pytest.mark.parametrize(
    ("text", "class_names", "words"),
    [
        ("", DIGITS[:3], "expected at least 2 classes, got nothing; the model has 0, "),
        ("7", DIGITS, "expected at least 2 classes, got 7; the model has 0, 1, 2, 3, "),
        ("7-7", DIGITS, "expected at least 2 classes, got 7-7; "),
        ("01x", "012", "x is no class; the model has 0, 1, 2"),
        ("0-9 A", "01A", "  is no class; the model has 0, 1, A"),
        ("0-2-", "012", "- is no class; the model has 0, 1, 2"),
        ("0-1a-f", "012", "no class is in the range a-f; the model has 0, 1, 2"),
        ("9-0", DIGITS, "expected 0-9, got 9-0"),
        ("cat,,dog", WORDS, "an empty name is no class; the model has 0, 1, ten, "),
        ("cat,", WORDS, "an empty name is no class; "),
        ("cat,cow", WORDS, "cow is no class; the model has 0, 1, ten, a-c, cat, dog, -; "),
        ("cat", WORDS, "c is no class; the model has 0, 1, ten, a-c, cat, dog, -; longer "
         "names go with commas"),
        ("0-10,ten", WORDS, "0-10 is no class; "),
        ("#0", LETTERS, f"# is no class; the model has {', '.join(LETTERS[:20])} and 42 "
         "more"),
    ],
)  # fmt: skip
def test_what_is_no_class_is_refused_with_the_classes_of_the_model(
    text, class_names, words
):
    expected = re.escape(f"--classes: {words}")
    end = "" if words.endswith(("; ", ", ")) else "$"
    with pytest.raises(UsageError, match=f"^{expected}{end}"):
        select_classes(text, class_names)


@settings(deadline=None)  # A busy machine has pauses.
@given(NAMES, st.data())
def test_characters_in_any_order_select_themselves(names, data):
    class_names = data.draw(st.permutations(sorted(names)))
    wanted = data.draw(st.sets(st.sampled_from(class_names), min_size=2))
    # A dash that is first makes no range.
    text = "".join(sorted(data.draw(st.permutations(sorted(wanted))), key="-".__ne__))
    assert selected_names(text, class_names) == [c for c in class_names if c in wanted]


@settings(deadline=None)  # A busy machine has pauses.
@given(NAMES, st.data())
def test_a_range_selects_what_is_between_its_ends_by_code_point(names, data):
    class_names = data.draw(st.permutations(sorted(names)))
    ends = st.sets(st.sampled_from(class_names), min_size=2, max_size=2)
    first, last = sorted(data.draw(ends))
    assume("-" not in (first, last))
    between = [name for name in class_names if ord(first) <= ord(name) <= ord(last)]
    assert selected_names(f"{first}-{last}", class_names) == between


@settings(deadline=None)  # A busy machine has pauses.
@given(
    st.lists(st.from_regex(r"[a-z0-9]{2,5}", fullmatch=True), unique=True), st.data()
)
def test_names_with_commas_select_themselves(class_names, data):
    assume(len(class_names) > 1)
    wanted = data.draw(st.sets(st.sampled_from(class_names), min_size=2))
    text = ",".join(data.draw(st.permutations(sorted(wanted))))
    assert selected_names(text, class_names) == [c for c in class_names if c in wanted]


@settings(deadline=None)  # A busy machine has pauses.
@given(st.text("0129aF-, .", max_size=8), st.sampled_from([DIGITS, LETTERS, WORDS]))
def test_any_text_selects_two_classes_or_is_refused_by_the_name_of_the_flag(
    text, class_names
):
    try:
        names = selected_names(text, class_names)
    except UsageError as error:
        assert str(error).startswith("--classes: ")
    else:
        assert len(names) >= 2


def test_the_softmax_of_the_kept_outputs_is_renormalized():
    params = random_params()
    images = np.random.default_rng(0).random((20, 28, 28, 1))
    all_classes = forward(params, images)
    kept = forward(keep_outputs(params, [1, 4, 7]), images)
    expected = all_classes[:, [1, 4, 7]]
    expected = expected / expected.sum(-1, keepdims=True)
    np.testing.assert_allclose(kept, expected, rtol=1e-6)
    assert params["dense_1"]["bias"].shape == (10,)
