import dataclasses
import math
from typing import Annotated

import pytest

from cnn.config import InferConfig, TrainConfig
from cnn.config_schema import Negation, Range, check_ranges, describe_settings
from cnn.errors import UsageError


@dataclasses.dataclass(frozen=True)
class Example:
    """A config of every kind of field."""

    count: Annotated[int, Range(1)]
    """Number of things,
    at least 1."""

    share: Annotated[float | None, Range(0, 0.5)] = None
    """Share of things, in [0, 0.5]. Default: as --count."""

    name: str = "x"
    """Name."""

    fast: bool = False
    """Be fast."""

    checked: Annotated[bool, Negation("Do not check.")] = True
    """Also check."""

    def __post_init__(self):
        check_ranges(self)


def test_each_kind_of_setting_is_described():
    rows = [dataclasses.astuple(setting) for setting in describe_settings(Example)]
    assert rows == [
        ("--count", "required", False, "at least 1", "Number of things, at least 1."),
        (
            "--share",
            "as --count",
            False,
            "in [0, 0.5]",
            "Share of things, in [0, 0.5].",
        ),
        ("--name", "x", True, "", "Name."),
        ("--fast", "off", False, "", "Be fast."),
        ("--no-checked", "off", False, "", "Do not check."),
    ]


def test_ranges_include_their_bounds_and_none_is_unset():
    for share in (None, 0, 0.25, 0.5):
        Example(1, share)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ((0,), "--count: expected 1 or more, got 0"),
        ((1, 0.6), "--share: expected 0.5 or less, got 0.6"),
        ((1, math.nan), "--share: expected 0 or more, got nan"),
        ((math.inf,), "--count: expected 1 or more, got inf"),
    ],
)
def test_values_out_of_range_are_refused(values, words):
    with pytest.raises(UsageError) as error:
        Example(*values)
    assert str(error.value) == words


@pytest.mark.parametrize("config", [TrainConfig, InferConfig])
def test_every_setting_has_a_meaning_that_states_its_range(config):
    settings = describe_settings(config)
    assert len(settings) == len(dataclasses.fields(config))
    for setting in settings:
        assert setting.meaning.endswith((".", "...")), setting
        assert setting.range in setting.meaning, setting
        assert setting.default != "None", setting
