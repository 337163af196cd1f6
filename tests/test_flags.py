"""Flags as settings: presets, optional values, the negation, unknown flags."""

import dataclasses
import typing
from pathlib import Path

import pytest

from cnn import flags
from cnn.config import PRESETS, InferConfig, TrainConfig
from cnn.config_schema import find_negations
from cnn.errors import UsageError


def parse_infer(*arguments: str) -> InferConfig:
    return flags.parse_config("infer", InferConfig, list(arguments), {})


def test_a_command_line_is_a_config_of_its_class():
    config = parse_infer("--input", "scans", "--top-k=3", "--labels", "l.csv")
    assert type(config) is InferConfig
    assert config == InferConfig(Path("scans"), top_k=3, labels=Path("l.csv"))
    assert type(config.input) is type(Path("scans"))


@pytest.mark.parametrize("spelling", ["--rows-per-write", "--rows_per_write"])
def test_flags_may_have_underscores(spelling):
    assert parse_infer("--input", "scans", spelling, "7").rows_per_write == 7


def test_sub_folders_can_be_left_out():
    assert parse_infer("--input", "scans").recursive
    assert not parse_infer("--input", "scans", "--no-recursive").recursive


def test_none_is_a_value_of_optional_flags():
    config = parse_infer("--input", "scans", "--output", "None", "--workers", "None")
    assert (config.output, config.workers) == (None, None)


def test_a_flag_beside_a_preset_counts():
    overrides = {"preset": "fast", **PRESETS["fast"]}
    arguments = ["--preset", "fast", "--epochs", "5"]
    config = flags.parse_config("train", TrainConfig, arguments, overrides)
    assert config == TrainConfig(**(overrides | {"epochs": 5}))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "default"),
        (["--preset", "best"], "best"),
        (["--preset=fast"], "fast"),
        (["--preset", "fast", "--epochs", "3", "--preset", "best"], "best"),
        (["--workdir", "a --preset best"], "default"),
        (["--workdir", "a --preset=best"], "default"),
        (["--preset", "none"], "default"),
        (["--preset"], "default"),
        (["--pre", "best"], "default"),
    ],
)
def test_the_preset_is_the_last_one_and_part_of_no_other_value(arguments, expected):
    assert flags.parse_preset(arguments) == expected


def test_an_unknown_flag_is_refused_before_anything_else():
    with pytest.raises(UsageError, match="--inptu: no such flag; did you mean --input"):
        parse_infer("--inptu", "--top-k", "many")
    with pytest.raises(UsageError, match="--zzz=3: no such flag; --help lists all"):
        parse_infer("--zzz=3")


@pytest.mark.parametrize("config", [TrainConfig, InferConfig])
def test_every_flag_that_is_true_by_default_has_a_help_of_its_negation(config):
    types = typing.get_type_hints(config)
    fields = [field for field in dataclasses.fields(config) if field.default is True]
    assert all(types[field.name] is bool for field in fields)
    assert {field.name for field in fields} <= set(find_negations(config))
