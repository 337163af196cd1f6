"""Parses the command line into a config class, by tyro."""

import argparse
import dataclasses
import difflib
import io
import sys
import typing
from typing import Any, TypeVar

import tyro

from cnn.config import PRESETS, InferConfig, TrainConfig
from cnn.config_schema import Setting, describe_settings
from cnn.errors import UsageError
from cnn.page_region import parse_regions

# Similarity, in [0, 1], from which a flag is suggested in place of an unknown one.
_MIN_FLAG_SIMILARITY = 0.5

_EMPTY_VALUE = "expected a value, got an empty text"

# Flags of version 0.1.0. An unknown flag with such a name is refused with its new name.
RENAMED_FLAGS: dict[type, dict[str, str]] = {
    TrainConfig: {
        "--warmup": "--warmup-fraction",
        "--rotation": "--rotation-degrees",
        "--scale": "--scale-range",
        "--shear": "--shear-factor",
        "--shift": "--translate-pixels",
        "--bend": "--elastic-sigma",
        "--corruption": "--corruption-prob",
        "--corruption-at-end": "--corruption-prob-final",
        "--outliers": "--outlier-fraction",
        "--hands": "--synthetic-glyph-fraction",
        "--pages": "--simulated-page-fraction",
        "--dtype": "--compute-dtype",
    },
    InferConfig: {
        "--show": "--debug-dir",
        "--batch-size": "--rows-per-write",
        "--timeout": "--decode-timeout",
    },
}

# Flags whose value may begin with a dash, as a separator does.
_FLAGS_WITH_DASHES = ("--classes", "--length", "--pattern", "--separators")
# Flag that may be given several times, with the same meaning as all values after one.
_REPEATED_FLAG = "--region"

Config = TypeVar("Config")


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
    arguments = _join_repeated(_attach_values(arguments))
    _check_flags(config, arguments)
    _check_values(arguments)
    _check_required(config, arguments)
    flags = _make_flag_class(config)
    default = flags(**overrides) if overrides else tyro.MISSING_NONPROP
    options = (tyro.conf.FlagCreatePairsOff,)
    _make_stdout_printable(is_help=bool({"-h", "--help"} & set(arguments)))
    parsed, rest = tyro.cli(
        flags,
        prog=name,
        args=arguments,
        default=default,
        config=options,
        return_unknown_args=True,
    )
    if rest:
        raise _stray_arguments(rest)
    return config(**vars(parsed))


def name_positional(arguments: list[str], flag: str) -> list[str]:
    """Puts a flag before the value that belongs to none.

    Args:
      arguments: the command line, of which each flag takes one value.
      flag: the flag.

    Raises:
      UsageError: it would be given twice.

    Example:
      >>> name_positional(["--to", "onnx", "a.onnx"], "--output")
      ['--to', 'onnx', '--output', 'a.onnx']
    """
    named: list[str] = []
    is_value = False
    for argument in arguments:
        is_flag = argument.startswith("-") and argument != "-"
        if not is_flag and not is_value:
            named.append(flag)
        named.append(argument)
        is_value = argument.startswith("--") and "=" not in argument
    if [argument.partition("=")[0] for argument in named].count(flag) > 1:
        raise UsageError(f"{flag}: expected one file, got several")
    return named


def _make_stdout_printable(is_help: bool) -> None:
    """Lets stdout escape what latin-1 does not have, and print paths as their bytes."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        errors = "backslashreplace" if is_help else "surrogateescape"
        sys.stdout.reconfigure(errors=errors)


def parse_preset(arguments: list[str]) -> str:
    """Parses `--preset` alone, because it decides the defaults of other flags.

    Without it, a run that starts from a model is a fine-tuning.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--preset", nargs="?")
    parser.add_argument("--init", nargs="?")
    known, _ = parser.parse_known_args(arguments)
    if known.preset in PRESETS:
        return known.preset
    return "default" if known.init is None else "finetune"


def _attach_values(arguments: list[str]) -> list[str]:
    """Joins flags by `=` with values that look like flags: `--separators -`."""
    joined: list[str] = []
    for argument in arguments:
        follows = bool(joined) and joined[-1] in _FLAGS_WITH_DASHES
        if follows and argument and not argument.startswith("--"):
            joined[-1] += "=" + argument
        else:
            joined.append(argument)
    return joined


def _join_repeated(arguments: list[str]) -> list[str]:
    """Moves the values of each `--region` behind the first one."""
    others: list[str] = []
    values: list[str] = []
    is_value = False
    for argument in arguments:
        flag, equals, value = argument.partition("=")
        if argument.startswith("--"):
            is_value = flag == _REPEATED_FLAG
            if is_value:
                values += [value] if equals else []
                others += [] if _REPEATED_FLAG in others else [_REPEATED_FLAG]
                continue
        (values if is_value else others).append(argument)
    if _REPEATED_FLAG in others and not values:
        raise UsageError(f"{_REPEATED_FLAG}: expected a value, got nothing")
    if not values:
        return others
    # tyro would take a value that begins with a minus for a flag.
    parse_regions([value for value in values if value.startswith("-")])
    index = others.index(_REPEATED_FLAG) + 1
    return others[:index] + values + others[index:]


def _make_flag_class(config: type) -> type:
    """Derives a config class that tyro shows as `describe_settings` describes it."""
    types = typing.get_type_hints(config)
    changed = []
    settings = zip(dataclasses.fields(config), describe_settings(config), strict=True)
    for field, setting in settings:
        kind = _flag_type(types[field.name])
        argument = _flag_argument(kind, setting)
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


def _flag_type(kind: Any) -> Any:
    """Returns the type that a flag parses: `tuple[X, ...]` for `X | tuple[X, ...]`."""
    for member in typing.get_args(kind):
        if typing.get_origin(member) is tuple:
            return member
    return kind


def _flag_argument(kind: Any, setting: Setting) -> Any:
    """Returns the `tyro.conf.arg` of a setting.

    tyro itself shows literal defaults, which a preset may change. It would show an
    optional flag as `--output {None}|PATH`.
    """
    hint = None
    if not setting.is_literal and setting.default != "required":
        hint = f"(default: {setting.default})"
    is_optional = type(None) in typing.get_args(kind)
    return tyro.conf.arg(
        help=setting.meaning,
        help_behavior_hint=hint,
        metavar=_value_name(kind) if is_optional else None,
    )


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
    """Refuses an unknown flag in one line, and suggests another one."""
    known = [setting.flag for setting in describe_settings(config)]
    known.append("--help")
    renamed = RENAMED_FLAGS.get(config, {})
    for argument in arguments:
        flag = argument.partition("=")[0].replace("_", "-")
        if not argument.startswith("--") or flag in known:
            continue
        if flag in renamed:
            hint = f"renamed to {renamed[flag]} in version 0.2.0"
        else:
            similar = difflib.get_close_matches(flag, known, 1, _MIN_FLAG_SIMILARITY)
            hint = f"did you mean {similar[0]}?" if similar else "--help lists all"
        raise UsageError(f"{argument}: no such flag; {hint}")


def _check_values(arguments: list[str]) -> None:
    """Refuses an empty value, which as a path would be the working directory.

    Also refuses a second list of inputs, which would replace the first.
    """
    names = [argument.partition("=")[0] for argument in arguments]
    for index, argument in enumerate(arguments):
        if argument == "":
            flags = [name for name in names[:index] if name.startswith("--")]
            raise UsageError(f"{flags[-1] if flags else 'argument'}: {_EMPTY_VALUE}")
        if argument.startswith("--") and argument == names[index] + "=":
            raise UsageError(f"{names[index]}: {_EMPTY_VALUE}")
        if _is_name_with_dash(argument):
            raise UsageError(f"{argument}: no such flag; a file is ./{argument}")
    if names.count("--input") > 1:
        raise UsageError("--input: given twice; name all inputs after one --input")


def _is_name_with_dash(argument: str) -> bool:
    has_dash = argument.startswith("-") and not argument.startswith("--")
    return has_dash and argument not in ("-", "-h") and not argument[1].isdigit()


def _check_required(config: type, arguments: list[str]) -> None:
    """Refuses a command line without the required flags, or with a value before any."""
    if {"-h", "--help"} & set(arguments):
        return
    if arguments and not arguments[0].startswith("-"):
        first_flag = (i for i, a in enumerate(arguments) if a.startswith("--"))
        raise _stray_arguments(arguments[: next(first_flag, None)])
    given = {argument.partition("=")[0] for argument in arguments}
    for setting in describe_settings(config):
        if setting.default == "required" and setting.flag not in given:
            raise UsageError(f"{setting.flag}: is missing; --help lists all flags")


def _stray_arguments(arguments: list[str]) -> UsageError:
    # A shell may have made thousands of names of one pattern.
    others = f" and {len(arguments) - 1:,} more" if len(arguments) > 1 else ""
    return UsageError(f"{arguments[0]}{others}: belongs to no flag; --help lists all")
