"""Parses the command line into a config class, by tyro."""

import argparse
import dataclasses
import difflib
import typing
from typing import Any, TypeVar

import tyro

from cnn.config import PRESETS, InferConfig, TrainConfig, flag_name
from cnn.config_schema import find_negations
from cnn.errors import UsageError

# Similarity, in [0, 1], from which a flag is suggested in place of an unknown one.
_MIN_FLAG_SIMILARITY = 0.5

Config = TypeVar("Config", TrainConfig, InferConfig)


def parse_config(
    name: str, config: type[Config], arguments: list[str], overrides: dict[str, Any]
) -> Config:
    """Parses the command line into an instance of a config class.

    Args:
      name: name of the command in its help.
      config: the config class, of which each field is a flag.
      arguments: the command line.
      overrides: defaults in place of those of the class.
    """
    _check_flags(config, arguments)
    flags = _make_flag_class(config)
    default = flags(**overrides) if overrides else tyro.MISSING_NONPROP
    options = (tyro.conf.FlagCreatePairsOff,)
    parsed = tyro.cli(flags, prog=name, args=arguments, default=default, config=options)
    return config(**vars(parsed))


def parse_preset(arguments: list[str]) -> str:
    """Parses `--preset` alone, because it decides the defaults of other flags."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--preset", nargs="?")
    known, _ = parser.parse_known_args(arguments)
    return known.preset if known.preset in PRESETS else "default"


def _make_flag_class(config: type) -> type:
    """Derives a config class whose flags look better in the help of tyro.

    An optional flag is `--output PATH`, not `--output {None}|PATH`. A flag that turns a
    setting off has a help of its own, because the docstring of the setting is positive.
    """
    types = typing.get_type_hints(config)
    negations = find_negations(config)
    changed = []
    for field in dataclasses.fields(config):
        kind = types[field.name]
        argument = _flag_argument(kind, negations.get(field.name))
        if argument is not None:
            annotated = typing.Annotated[kind, argument]  # type: ignore[valid-type]
            default = dataclasses.field(default=field.default)
            changed.append((field.name, annotated, default))
    return dataclasses.make_dataclass(
        config.__name__,
        changed,
        bases=(config,),
        namespace={"__doc__": config.__doc__},
        frozen=True,
    )


def _flag_argument(kind: Any, negation: str | None) -> Any:
    """Returns the `tyro.conf.arg` of a setting, or None for that of tyro.

    Args:
      kind: type of the setting.
      negation: help of `--no-NAME`, if the setting is on by default.
    """
    if negation is not None:
        return tyro.conf.arg(help=negation, help_behavior_hint="(default: off)")
    if type(None) in typing.get_args(kind):
        return tyro.conf.arg(metavar=_value_name(kind))
    return None


def _value_name(optional: Any) -> str:
    """Names the values of an optional type.

    Example:
      >>> _value_name(float | None)
      'FLOAT'
      >>> _value_name(typing.Literal["csv", "jsonl"] | None)
      '{csv,jsonl}'
    """
    kind = typing.get_args(optional)[0]
    if typing.get_origin(kind) is typing.Literal:
        return "{" + ",".join(typing.get_args(kind)) + "}"
    return "STR" if kind is str else kind.__name__.upper()


def _check_flags(config: type, arguments: list[str]) -> None:
    """Refuses an unknown flag in one line, and suggests a similar one."""
    names = [field.name for field in dataclasses.fields(config)]
    known = [flag_name(name) for name in names]
    known += ["--help", *(flag_name(f"no_{name}") for name in find_negations(config))]
    for argument in arguments:
        flag = argument.partition("=")[0].replace("_", "-")
        if argument.startswith("--") and flag not in known:
            similar = difflib.get_close_matches(flag, known, 1, _MIN_FLAG_SIMILARITY)
            hint = f"did you mean {similar[0]}?" if similar else "--help lists all"
            raise UsageError(f"{argument}: no such flag; {hint}")
