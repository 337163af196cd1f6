"""Regions of the command line."""

import pytest

from cnn.errors import UsageError
from cnn.page_region import Region, parse_regions


def test_a_region_may_have_a_name():
    assert parse_regions([]) == ()
    assert parse_regions(["0.5,0,1,.25"]) == (Region(0.5, 0, 1, 0.25),)
    assert parse_regions(["a = b=0,0,1,1"]) == (Region(0, 0, 1, 1, "a = b"),)


def test_several_regions_without_names_are_numbered_by_their_place():
    regions = parse_regions(["0,0,1,.5", "id=0,0,1,1", "0,.5,1,1"])
    assert [region.name for region in regions] == ["1", "id", "3"]


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["0,0,1"], "expected LEFT,TOP,RIGHT,BOTTOM or NAME=.*, got 0,0,1$"),
        (["0,0,1,1,1"], "expected LEFT"),
        (["a,0,1,1"], "expected LEFT"),
        (["=0,0,1,1"], "expected LEFT"),
        (["a\nb=0,0,1,1"], "expected LEFT"),
        (["-0.1,0,1,1"], "expected 0 ≤ LEFT < RIGHT ≤ 1 .* got -0.1,0,1,1"),
        (["0,0,1.1,1"], "expected 0 ≤"),
        (["0.5,0,0.5,1"], "expected 0 ≤"),
        (["0,0.6,1,0.5"], "expected 0 ≤"),
        (["nan,0,1,1"], "expected 0 ≤"),
        (
            ["a=0,0,1,1", "a=0,0,1,1"],
            "a name of its own for each region, got a 2 times",
        ),
        (["2=0,0,1,1", "0,0,1,1"], "got 2 2 times"),
    ],
)
def test_what_is_no_region_names_the_flag(texts, words):
    with pytest.raises(UsageError, match=f"--region: .*{words}"):
        parse_regions(texts)
