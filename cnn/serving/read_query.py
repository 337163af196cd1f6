"""Parses the query of a request: the flags of `bin/infer` that change an answer."""

import functools
import typing
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from cnn.config_schema import flag_name
from cnn.errors import UsageError
from cnn.infer_config import InferConfig
from cnn.serving.errors import RequestError, describe_error

# Settings of `bin/infer` that a request may have. The others are the server's own.
SETTINGS = (
    "layout", "region", "length", "pattern", "separators", "pages", "boxes", "format",
    "probabilities", "top_k", "classes", "unsure_below",
)  # fmt: skip
# What else a query may have.
PREVIEW = "preview"
NAME = "name"
_WORDS_OF_TRUE = ("", "1", "true", "yes", "on")
_WORDS_OF_FALSE = ("0", "false", "no", "off")
# Most characters of a value of a query, so that no error repeats a whole book.
_MAX_VALUE = 2000


class ReadQuery(NamedTuple):
    """How a request is read.

    Attributes:
      config: settings of `bin/infer`.
      has_preview: whether the answer has pictures for people, too.
      name: name of a file that is the whole body of a request, or empty.
    """

    config: InferConfig
    has_preview: bool = False
    name: str = ""


def parse_query(query: str) -> ReadQuery:
    """Parses the query of a URL.

    Args:
      query: for example `layout=line&length=4`.

    Raises:
      RequestError: a parameter is unknown, or its value is wrong.
    """
    pairs = _split(query)
    names = [value for key, value in pairs if key == NAME]
    if len(names) > 1:
        raise RequestError(400, f"{NAME}: given twice")
    # Names differ from request to request, and settings hardly do.
    parsed = _parse_settings(tuple(pair for pair in pairs if pair[0] != NAME))
    return parsed._replace(name=names[0]) if names else parsed


@functools.lru_cache(maxsize=256)
def _parse_settings(pairs: tuple[tuple[str, str], ...]) -> ReadQuery:
    """Parses all parameters of a query but the name."""
    settings: dict[str, Any] = {}
    regions: list[str] = []
    previews: list[str] = []
    for key, value in pairs:
        name = key.replace("-", "_")
        if name == "region":
            regions.append(value)
        elif name in settings or (name == PREVIEW and previews):
            raise RequestError(400, f"{key}: given twice")
        elif name == PREVIEW:
            previews.append(value)
        elif (name, value) != ("format", "json"):  # The default.
            settings[name] = _parse_value(key, name, value)
    if regions:
        settings["region"] = tuple(regions)
    has_preview = any(_parse_bool(PREVIEW, value) for value in previews)
    try:
        config = InferConfig(input=Path(), **settings)
    except UsageError as error:
        raise RequestError(400, describe_error(error)) from error
    return ReadQuery(config, has_preview)


def _split(query: str) -> list[tuple[str, str]]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=1000)
    except ValueError as error:
        raise RequestError(400, "expected at most 1,000 parameters") from error
    for key, value in pairs:
        if len(key) > _MAX_VALUE or len(value) > _MAX_VALUE:
            raise RequestError(
                400, f"{key[:40]}: expected at most {_MAX_VALUE:,} characters"
            )
    return pairs


def _parse_value(key: str, name: str, text: str) -> Any:
    """Converts the text of a parameter to the type of its setting."""
    if name not in SETTINGS:
        known = ", ".join(flag_name(setting)[2:] for setting in SETTINGS)
        raise RequestError(
            400, f"{key}: no parameter of a request; expected {known}, name or preview"
        )
    kind = setting_type(name)
    if kind is bool:
        return _parse_bool(key, text)
    if text == "":
        raise RequestError(400, f"{key}: expected a value, got an empty text")
    if typing.get_origin(kind) is typing.Literal:
        choices = typing.get_args(kind)
        if text not in choices:
            raise RequestError(
                400, f"{key}: expected {' or '.join(choices)}, got {text}"
            )
        return text
    try:
        return kind(text)
    except ValueError as error:
        noun = "a whole number" if kind is int else "a number"
        raise RequestError(400, f"{key}: expected {noun}, got {text}") from error


@functools.cache
def setting_type(name: str) -> Any:
    """Returns the type of a setting, without None and `Annotated`."""
    kind = typing.get_type_hints(InferConfig)[name]
    if typing.get_origin(kind) is typing.Literal:
        return kind
    members = [m for m in typing.get_args(kind) if m is not type(None)]
    return members[0] if members else kind


def _parse_bool(key: str, text: str) -> bool:
    lowered = text.lower()
    if lowered not in (*_WORDS_OF_TRUE, *_WORDS_OF_FALSE):
        raise RequestError(400, f"{key}: expected true or false, got {text}")
    return lowered in _WORDS_OF_TRUE
