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
        ("", "'nothing' is no page"),
        ("1,,2", "'nothing' is no page"),
        ("x", "'x' is no page"),
        ("-3", "'-3' is no page"),
        ("1-2-3", "'1-2-3' is no page"),
        ("1.5", "'1.5' is no page"),
        ("²", "'²' is no page"),
        ("9999999999", "is no page"),
        ("0", "pages are counted from 1"),
        ("0-3", "pages are counted from 1"),
        ("5-3", "5-3 ends before it begins"),
    ],
)
def test_what_names_no_pages_is_refused_by_the_name_of_the_flag(text, reason):
    with pytest.raises(UsageError) as error:
        parse_pages(text)
    assert str(error.value).startswith("--pages")
    assert reason in str(error.value)
