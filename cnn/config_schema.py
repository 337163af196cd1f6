"""Ranges, flags and descriptions of the settings of a config dataclass.

`cnn.config` annotates its fields with `Range` and `Negation`. The help texts and the
README's tables of flags come from the docstrings below the fields.
"""

import ast
import dataclasses
import functools
import inspect
import itertools
import math
import textwrap
import typing
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from cnn.errors import UsageError
from cnn.user_path import as_uri, is_uri, resolve_path

# Begins the last sentence of a docstring where the default is computed.
_DEFAULT_MARK = "Default: "


@dataclasses.dataclass(frozen=True)
class Range:
    """The inclusive range of a numeric setting.

    Example:
      >>> str(Range(0, 1)), str(Range(1))
      ('in [0, 1]', 'at least 1')
    """

    low: float
    high: float = math.inf

    def __str__(self) -> str:
        low = _format_bound(self.low)
        if self.high == math.inf:
            return f"at least {low}"
        high = _format_bound(self.high)
        return f"in [{low}, {high}]"

    def check(self, value: float, flag: str) -> None:
        """Raises a `UsageError` that names the flag if a value is out of range.

        Infinity and NaN are always out of range.
        """
        expected = ""
        if not math.isfinite(value) or value < self.low:
            expected = f"{_format_bound(self.low)} or more"
        elif value > self.high:
            expected = f"{_format_bound(self.high)} or less"
        if expected:
            raise UsageError(f"{flag}: expected {expected}, got {value}")


@dataclasses.dataclass(frozen=True)
class Negation:
    """The meaning of the flag `--no-NAME` of a setting that is on by default."""

    meaning: str


@dataclasses.dataclass(frozen=True)
class Setting:
    """One setting, described for users.

    Attributes:
      flag: as the command line takes it, `--no-NAME` if the setting is on by default.
      default: the value, or how it is computed, `required` or `off`.
      is_literal: whether `default` is a value.
      range: as words, empty if there is none. Part of `meaning`.
      meaning: one or more sentences.
    """

    flag: str
    default: str
    is_literal: bool
    range: str
    meaning: str


def flag_name(name: str) -> str:
    """Returns the flag of a setting.

    Example:
      >>> flag_name("batch_size")
      '--batch-size'
    """
    return "--" + name.replace("_", "-")


def check_ranges(config: object) -> None:
    """Checks every field that is annotated with a `Range`.

    Raises:
      UsageError: a value is out of its range. The message names the flag.
    """
    for name, metadata in _read_metadata(type(config)).items():
        value = getattr(config, name)
        if value is None:
            continue
        for item in metadata:
            if isinstance(item, Range):
                item.check(value, flag_name(name))


def find_range(config_class: type, name: str) -> Range | None:
    """Returns the range of a setting, or None without one."""
    metadata = _read_metadata(config_class).get(name, ())
    ranges = (item for item in metadata if isinstance(item, Range))
    return next(ranges, None)


def check_together(config: object, names: Sequence[str]) -> None:
    """Checks that all of some optional settings are given, or none.

    Raises:
      UsageError: some are missing. The message names their flags.
    """
    missing = [name for name in names if getattr(config, name) is None]
    if 0 < len(missing) < len(names):
        flags, absent = (", ".join(map(flag_name, group)) for group in (names, missing))
        raise UsageError(f"{absent}: missing; {flags} go together")


def resolve_paths(config: object, may_be_uri: Collection[str] = ()) -> None:
    """Makes a `Path` with the home folder in place of `~` of every path of a config.

    Args:
      config: a frozen dataclass, which is changed.
      may_be_uri: names of the fields that take the URI of a remote file or folder.

    Raises:
      UsageError: a path is empty, is a URI, or begins with `~` without a home folder.
    """
    for name, kind in typing.get_type_hints(type(config)).items():
        value = getattr(config, name)
        if value is None or Path not in (kind, *typing.get_args(kind)):
            continue
        flag = flag_name(name)
        is_single = isinstance(value, str | Path)
        paths = [resolve_path(path, flag) for path in ([value] if is_single else value)]
        for path in paths:
            if is_uri(path) and name not in may_be_uri:
                raise UsageError(
                    f"{flag}: {as_uri(path)}: is not a local path; copy or mount it, "
                    "and give its path on this machine"
                )
        object.__setattr__(config, name, paths[0] if is_single else tuple(paths))


@functools.cache
def describe_settings(config_class: type) -> tuple[Setting, ...]:
    """Describes the settings of a config dataclass, in the order of its fields.

    Example:
      >>> from cnn.config import InferConfig
      >>> setting = describe_settings(InferConfig)[15]
      >>> setting.flag, setting.default, setting.range
      ('--top-k', '1', 'at least 1')
      >>> setting.meaning
      'Report the K most probable classes and their probabilities, at least 1.'
    """
    docstrings = _read_attribute_docstrings(config_class)
    metadata = _read_metadata(config_class)
    return tuple(
        _describe_field(field, docstrings[field.name], metadata.get(field.name, ()))
        for field in dataclasses.fields(config_class)
    )


def _describe_field(
    field: dataclasses.Field[Any], docstring: str, metadata: tuple[object, ...]
) -> Setting:
    flag = flag_name(field.name)
    meaning, _, computed = docstring.partition(f" {_DEFAULT_MARK}")
    range_text = ""
    for item in metadata:
        if isinstance(item, Range):
            range_text = str(item)
        if isinstance(item, Negation):
            flag = flag_name(f"no_{field.name}")
            meaning = item.meaning
    if field.default is dataclasses.MISSING:
        default = "required"
    elif isinstance(field.default, bool):
        default = "off"
    else:
        default = computed.removesuffix(".") or str(field.default)
    is_literal = not computed and default not in ("required", "off")
    return Setting(flag, default, is_literal, range_text, meaning)


def _read_metadata(config_class: type) -> dict[str, tuple[object, ...]]:
    """Returns the metadata of each field whose type is `Annotated[type, metadata]`."""
    hints = typing.get_type_hints(config_class, include_extras=True)
    return {
        name: hint.__metadata__
        for name, hint in hints.items()
        if typing.get_origin(hint) is typing.Annotated
    }


def _read_attribute_docstrings(config_class: type) -> dict[str, str]:
    """Reads the string below each field from the source of a class, on one line."""
    source = textwrap.dedent(inspect.getsource(config_class))
    definition = ast.parse(source).body[0]
    assert isinstance(definition, ast.ClassDef)
    docstrings = {}
    for field, docstring in itertools.pairwise(definition.body):
        match field, docstring:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                docstrings[name] = " ".join(text.split())
    return docstrings


def _format_bound(bound: float) -> str:
    if isinstance(bound, int):
        return str(bound)
    return f"{bound:g}"
