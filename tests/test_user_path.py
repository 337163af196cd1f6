"""Paths of every flag: the home folder, empty values, URIs."""

import dataclasses
import os
import pwd
import typing
from pathlib import Path

import pytest

from cnn import flags
from cnn.config import InferConfig, TrainConfig
from cnn.config_schema import flag_name
from cnn.errors import UsageError
from cnn.user_path import as_uri, is_uri, resolve_path

# Settings of which the URI is refused elsewhere.
REMOTE = {"data_dir"}


def path_flags(config):
    """Returns the names of the settings that are paths."""
    types = typing.get_type_hints(config)
    return [
        (config, field.name)
        for field in dataclasses.fields(config)
        if Path in (types[field.name], *typing.get_args(types[field.name]))
    ]


PATH_FLAGS = path_flags(TrainConfig) + path_flags(InferConfig)


def parse(config, *arguments):
    if config is InferConfig and "--input" not in " ".join(arguments):
        arguments = ("--input", "scans", *arguments)
    if config is TrainConfig and "--images" not in " ".join(arguments):
        arguments = ("--images", "scans", *arguments)
    return flags.parse_config("command", config, list(arguments), {})


def test_both_commands_have_these_paths():
    assert [name for _, name in PATH_FLAGS] == [
        "images", "labels", "init", "workdir", "model", "data_dir",
        "input", "model", "output", "plot", "debug_dir", "review", "labels",
    ]  # fmt: skip


@pytest.mark.parametrize(("config", "name"), PATH_FLAGS)
def test_a_home_folder_is_filled_in_in_either_spelling(config, name, monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    flag = flag_name(name)
    for arguments in ([f"{flag}=~/x"], [flag, "~/x"]):
        assert getattr(parse(config, *arguments), name) == Path("/home/me/x")


@pytest.mark.parametrize(("config", "name"), PATH_FLAGS)
def test_an_empty_path_is_not_the_working_directory(config, name):
    flag = flag_name(name)
    words = f"^{flag}: expected a value, got an empty text$"
    for arguments in ([f"{flag}="], [flag, ""]):
        with pytest.raises(UsageError, match=words):
            parse(config, *arguments)


@pytest.mark.parametrize(
    ("config", "name"), [pair for pair in PATH_FLAGS if pair[1] not in REMOTE]
)
@pytest.mark.parametrize("uri", ["gs://b/x", "s3://b/x", "http://h/x", "file:///x"])
def test_a_uri_is_refused_where_a_local_path_is_needed(config, name, uri):
    words = f"^{flag_name(name)}: {uri}: is not a local path"
    with pytest.raises(UsageError, match=words):
        parse(config, flag_name(name), uri)


def test_ray_takes_uris_as_input_and_output():
    config = parse(
        InferConfig, "--input", "s3://b/x", "--output", "s3://b/y", "--engine", "ray"
    )
    assert (as_uri(config.input), as_uri(config.output)) == ("s3://b/x", "s3://b/y")
    with pytest.raises(UsageError, match=r"^--input: a URI must be the only input$"):
        InferConfig((Path("a"), Path("s3://b")), output=Path("o"), engine="ray")


def test_the_home_of_another_user_is_filled_in_and_other_names_stay():
    root = pwd.getpwuid(0)
    assert resolve_path(f"~{root.pw_name}/a", "--model") == Path(root.pw_dir, "a")
    assert resolve_path("~$letter.png", "--input") == Path("~$letter.png")
    assert resolve_path("a/~/b", "--input") == Path("a/~/b")


def test_without_a_home_folder_a_line_says_what_to_do(monkeypatch):
    words = (
        "^--model: ~/m.h5: there is no home folder; set HOME, or give the whole path$"
    )
    monkeypatch.setenv("HOME", "")
    with pytest.raises(UsageError, match=words):
        resolve_path("~/m.h5", "--model")
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(os, "getuid", lambda: 123_456)
    with pytest.raises(UsageError, match=words):
        resolve_path("~/m.h5", "--model")


def test_settings_of_the_python_api_may_be_text():
    config = InferConfig(input="scans", output="-", labels=None)
    assert (config.input, config.output) == (Path("scans"), None)
    with pytest.raises(UsageError, match=r"^--output: expected a path, got an empty"):
        InferConfig(input="scans", output="")


def test_a_windows_drive_is_no_uri():
    assert not is_uri("c:/scans")
    assert is_uri(Path("S3://bucket/scans"))
