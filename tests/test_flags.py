"""Flags as settings: presets, optional values, the negation, unknown flags."""

import dataclasses
import re
from pathlib import Path

import pytest

from cnn import flags
from cnn.config import PRESETS, InferConfig, TrainConfig
from cnn.config_schema import describe_settings, flag_name
from cnn.errors import UsageError
from tests.conftest import ROOT


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
def test_every_flag_that_is_true_by_default_is_known_by_its_negation_only(config):
    known = {setting.flag for setting in describe_settings(config)}
    for field in dataclasses.fields(config):
        if field.default is True:
            assert flag_name(f"no_{field.name}") in known
            assert flag_name(field.name) not in known


def renamed_flags(heading):
    """Returns the rows of a table of the changelog, old name to new name."""
    text = (ROOT / "cnn" / "CHANGELOG.md").read_text()
    section = text.partition(f"### Flags of `bin/{heading}`")[2].partition("###")[0]
    return dict(
        re.findall(r"^\| `(--[\w-]+)` \| `(--[\w-]+)` \|$", section, re.MULTILINE)
    )


@pytest.mark.parametrize(
    ("command", "config"), [("train", TrainConfig), ("infer", InferConfig)]
)
def test_an_old_flag_is_refused_with_the_new_name_of_the_changelog(command, config):
    renamed = renamed_flags(command)
    assert renamed == flags.RENAMED_FLAGS[config]
    for old, new in renamed.items():
        with pytest.raises(
            UsageError, match=f"^{old}=1: no such flag; renamed to {new} "
        ):
            flags.parse_config(command, config, [f"{old}=1"], {})
    assert set(renamed.values()) <= {s.flag for s in describe_settings(config)}


@pytest.mark.parametrize("config", [TrainConfig, InferConfig])
def test_the_help_shows_each_meaning_and_default_once(config, capsys):
    with pytest.raises(SystemExit):
        flags.parse_config("command", config, ["--help"], {})
    text = " ".join(re.sub("[│╭╮╰╯─]", " ", capsys.readouterr().out).split())
    assert "{None}" not in text
    assert "(default: None)" not in text
    assert "Default:" not in text
    for setting in describe_settings(config):
        assert f"{setting.flag} " in text
        assert setting.meaning in text


def test_an_input_is_one_path_or_several():
    assert parse_infer("--input", "a.png").inputs == (Path("a.png"),)
    config = parse_infer("--input", "a.png", "b.png", "c", "--top-k", "2")
    assert config.input == config.inputs == (Path("a.png"), Path("b.png"), Path("c"))
    assert config.top_k == 2


NAMES = [f"{i}.png" for i in range(576)]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (NAMES, "0.png and 575 more: belongs to no flag; --help lists all"),
        (["--model", *NAMES], "--input: is missing; --help lists all flags"),
        (
            ["--input", "a", "--output", *NAMES],
            "1.png and 574 more: belongs to no flag; --help lists all",
        ),
        (
            ["--input", "a", "--probabilities", "b"],
            "b: belongs to no flag; --help lists all",
        ),
        (["--input"], "--input: expected a folder or an image, got nothing"),
        (
            ["--input", "a", "--input=b"],
            "--input: given twice; name all inputs after one --input",
        ),
        (["--input", "-a.png"], "-a.png: no such flag; a file is ./-a.png"),
        (["--input", "a", "", "b"], "--input: expected a value, got an empty text"),
    ],
)
def test_what_a_shell_makes_of_a_pattern_is_refused_in_one_line(arguments, words):
    with pytest.raises(UsageError, match=f"^{re.escape(words)}$"):
        parse_infer(*arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--region", "a=0,0,1,1", "0,0,0.5,1"),
        ("--region", "a=0,0,1,1", "--region", "0,0,0.5,1"),
        ("--region=a=0,0,1,1", "--boxes", "--region=0,0,0.5,1"),
    ],
)
def test_a_region_may_be_given_several_times_or_have_several_values(arguments):
    config = parse_infer("--input", "a", "--layout", "line", *arguments)
    assert config.region == ("a=0,0,1,1", "0,0,0.5,1")
    assert [region.name for region in config.regions] == ["a", "2"]


def test_values_may_begin_with_a_dash():
    line = ("--input", "a", "--layout", "line")
    assert parse_infer(*line, "--separators", "-").separators == "-"
    assert parse_infer(*line, "--separators", "-/", "--boxes").separators == "-/"
    assert parse_infer(*line, "--pattern", "-dd").pattern == "-dd"
    assert parse_infer(*line, "--pattern=-dd").pattern == "-dd"
    assert parse_infer("--input", "a", "--classes", "-0-9").classes == "-0-9"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--region"], "--region: expected a value, got nothing"),
        (["--region", ""], "--region: expected a value, got an empty text"),
        (["--region", "-1,0,1,1"], "--region: expected 0 ≤ LEFT"),
        (["--length", ""], "--length: expected a value, got an empty text"),
    ],
)
def test_values_of_numbers_that_are_missing_or_wrong_name_the_flag(arguments, words):
    with pytest.raises(UsageError, match=words):
        parse_infer("--input", "a", "--layout", "line", *arguments)
