"""Flags that tell what is known of numbers."""

import pytest

from cnn.errors import UsageError
from cnn.number_pattern import NumberPattern, parse_number_pattern


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, NumberPattern()),
        ({"length": "10"}, NumberPattern((10, 10))),
        ({"length": "8-10"}, NumberPattern((8, 10))),
        ({"separators": ":,"}, NumberPattern(separators=",:")),
        ({"pattern": "dd.dd-d"}, NumberPattern(None, "dd.dd-d", ".-")),
        ({"pattern": "d.d", "separators": "/"}, NumberPattern(None, "d.d", "./")),
        ({"pattern": "dd.d", "length": "1-3"}, NumberPattern((1, 3), "dd.d", ".")),
    ],
)
def test_flags_are_parsed(values, expected):
    assert parse_number_pattern(**values) == expected


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"length": "x"}, "--length: expected a number of digits like 10, or .* got x"),
        ({"length": "0"}, "--length: .* from 1 to 100, got 0"),
        ({"length": "10-8"}, "--length: .* got 10-8"),
        ({"length": "٣"}, "--length: "),
        ({"length": "-3"}, "--length: .* got -3"),
        ({"pattern": "99.99"}, "--pattern: expected d for each digit .* got 99.99"),
        ({"pattern": "./"}, "--pattern: "),
        ({"separators": ".x"}, "--separators: expected one or more of .*, got .x"),
        ({"separators": ". ,"}, "--separators: .* without spaces"),
        (
            {"pattern": "dd.dd", "length": "5"},
            "--length: expected 4, the digits of --pattern dd.dd, got 5",
        ),
    ],
)
def test_what_is_no_value_names_its_flag(values, words):
    with pytest.raises(UsageError, match=words):
        parse_number_pattern(**values)
