"""The pages that `--pages` names."""

import pytest

from cnn.errors import UsageError
from cnn.page_range import parse_pages


@pytest.mark.parametrize(
    ("text", "num_pages", "expected"),
    [
        ("1", 3, [1]),
        ("1,3-5", 10, [1, 3, 4, 5]),
        ("1,3-5", 4, [1, 3, 4]),
        ("3-5,1,4", 10, [1, 3, 4, 5]),
        (" 2 , 3 ", 10, [2, 3]),
        ("8-", 10, [8, 9, 10]),
        ("8-", 7, []),
        ("1-999999999", 2, [1, 2]),
        ("5", 2, []),
    ],
)
def test_pages_that_a_file_has_are_selected(text, num_pages, expected):
    assert parse_pages(text).select(num_pages) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "page numbers from 1 and ranges of them, like 1,3-5 or 2-, got nothing"),
        ("1,,2", "got 1,,2"),
        ("x", "got x"),
        ("-3", "got -3"),
        ("1-2-3", "got 1-2-3"),
        ("1.5", "got 1.5"),
        ("²", "got ²"),
        ("9999999999", "got 9999999999"),
        ("0", "page numbers from 1 and ranges of them, like 1,3-5 or 2-, got 0"),
        ("0-3", "got 0-3"),
        ("1,5-3", "expected 3-5, got 5-3"),
    ],
)
def test_what_names_no_pages_is_refused_by_the_name_of_the_flag(text, reason):
    with pytest.raises(UsageError) as error:
        parse_pages(text)
    assert str(error.value).startswith("--pages: expected ")
    assert reason in str(error.value)
