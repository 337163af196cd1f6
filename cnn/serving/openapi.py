"""Describes the interface in OpenAPI 3.1, from the settings of `bin/infer`."""

import math
import typing
from typing import Any

import cnn
from cnn.config_schema import describe_settings, find_range
from cnn.infer_config import InferConfig
from cnn.serve_config import ServeConfig
from cnn.serving.corrections import MAX_CLASS_NAME
from cnn.serving.read_query import SETTINGS, setting_type

_JSON = "application/json"
_TYPES = {bool: "boolean", int: "integer", float: "number"}
_NAME = "Name of a picture that is the body."
_TEXT = {"type": "string", "minLength": 1}
_ERRORS = {
    "400": "The request or the picture is wrong.",
    "413": "The request or the picture is too large.",
    "415": "The picture is of no format that is read.",
    "429": "Too many requests wait. Retry-After says when to come back.",
    "503": "The server cannot read now. Retry-After says when to come back.",
}


def describe_interface(config: ServeConfig) -> dict[str, Any]:
    """Returns the description, for JSON.

    Args:
      config: whose limits are named.
    """
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "cnn",
            "version": cnn.__version__,
            "description": "Reads pictures of handwritten digits and numbers.",
        },
        "paths": {
            "/read": {"post": _describe_read(config)},
            "/table": {"post": _describe_table()},
            "/corrections": {"post": _describe_corrections()},
            "/model": _get("The model: its classes, thresholds and limits.", _JSON),
            "/healthz": _get("Whether pictures can be read.", _JSON, ("503",)),
            "/metrics": _get("Counters in Prometheus' text format.", "text/plain"),
        },
        "components": {"schemas": {"Error": _ERROR, "Rows": _ROWS, "Row": _ROW}},
    }


_ERROR = {
    "type": "object",
    "required": ["detail"],
    "properties": {"detail": {"type": "string", "description": "One sentence."}},
}
_ROW = {
    "type": "object",
    "description": "The columns of bin/infer --format jsonl.",
    "required": ["path", "prediction", "confidence", "status", "detail"],
    "properties": {
        "path": {"type": "string", "description": "Name of the file."},
        "page": {"type": "integer", "minimum": 1},
        "region": {"type": ["string", "null"]},
        "prediction": {"type": ["string", "null"]},
        "confidence": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
        "status": {"enum": ["ok", "unsure", "blank", "unreadable"]},
        "detail": {"type": ["string", "null"], "description": "Why it is not ok."},
        "characters": {"type": "array", "items": {"type": "object"}},
    },
}
_ROWS = {
    "type": "object",
    "required": ["rows"],
    "properties": {
        "rows": {"type": "array", "items": {"$ref": "#/components/schemas/Row"}},
        "previews": {"type": "array", "items": {"type": "object"}},
    },
}


def _describe_read(config: ServeConfig) -> dict[str, Any]:
    parameters = [_describe_setting(name) for name in SETTINGS]
    parameters.append(_parameter("name", _NAME, {"type": "string"}))
    parameters.append(
        _parameter("preview", "Add pictures for people.", {"type": "boolean"})
    )
    limits = (
        f"At most {config.max_files:,} files and {config.max_bytes:,} bytes. "
        "Nothing is stored."
    )
    return {
        "summary": "Reads pictures: one as the body, or several as form data.",
        "description": limits,
        "parameters": parameters,
        "requestBody": {"required": True, "content": _PICTURES},
        "responses": _responses(
            {
                _JSON: {"schema": {"$ref": "#/components/schemas/Rows"}},
                "text/csv": {},
                "application/x-ndjson": {},
                "application/vnd.apache.parquet": {},
            }
        ),
    }


_PICTURES = {
    "application/octet-stream": {},
    "image/*": {},
    "application/pdf": {},
    "multipart/form-data": {
        "schema": {
            "type": "object",
            "properties": {
                "files": {
                    "type": "array",
                    "items": {
                        "type": "string",
                        "contentMediaType": "application/octet-stream",
                    },
                }
            },
        }
    },
}


def _describe_table() -> dict[str, Any]:
    parameters = [_describe_setting(name) for name in SETTINGS]
    schema = {"schema": {"$ref": "#/components/schemas/Rows"}}
    return {
        "summary": "Makes one file of the rows of several answers, in natural order.",
        "parameters": parameters,
        "requestBody": {"required": True, "content": {_JSON: schema}},
        "responses": _responses({"text/csv": {}, "application/x-ndjson": {}}),
    }


def _describe_corrections() -> dict[str, Any]:
    class_schema = _TEXT | {"maxLength": MAX_CLASS_NAME}
    parameters = [
        _parameter("class", "The true class.", class_schema, required=True),
        _parameter("page", "The page of a file of several.", _schema("pages")),
        _describe_setting("region"),
        _parameter("name", _NAME, {"type": "string"}),
    ]
    responses = _responses({_JSON: {}}, success="201")
    responses["404"] = _error("The server keeps no corrections.")
    return {
        "summary": "Keeps a picture under its true class, for bin/train --images.",
        "parameters": parameters,
        "requestBody": {"required": True, "content": _PICTURES},
        "responses": responses,
    }


def _describe_setting(name: str) -> dict[str, Any]:
    """Describes a setting of `bin/infer` as a parameter of a query."""
    index = list(InferConfig.__dataclass_fields__).index(name)
    setting = describe_settings(InferConfig)[index]
    words = f"{setting.meaning} Default: {setting.default}."
    return _parameter(setting.flag[2:], words.replace("--", ""), _schema(name))


def _schema(name: str) -> dict[str, Any]:
    """Describes the values of a setting."""
    kind = setting_type(name)
    if typing.get_origin(kind) is typing.Literal:
        return {"type": "string", "enum": list(typing.get_args(kind))}
    if name == "region":
        return {"type": "array", "items": _TEXT}
    if kind is str:
        return _TEXT
    schema: dict[str, Any] = {"type": _TYPES[kind]}
    bounds = find_range(InferConfig, name)
    if bounds is not None:
        schema["minimum"] = bounds.low
        if bounds.high < math.inf:
            schema["maximum"] = bounds.high
    return schema


def _parameter(
    name: str, words: str, schema: dict[str, Any], required: bool = False
) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "required": required,
        "description": words,
        "schema": schema,
    }


def _get(summary: str, media_type: str, errors: tuple[str, ...] = ()) -> dict[str, Any]:
    responses: dict[str, Any] = {
        "200": {"description": "", "content": {media_type: {}}}
    }
    responses |= {status: _error(_ERRORS[status]) for status in errors}
    return {"get": {"summary": summary, "responses": responses}}


def _responses(content: dict[str, Any], success: str = "200") -> dict[str, Any]:
    errors = {status: _error(words) for status, words in _ERRORS.items()}
    return {success: {"description": "", "content": content}, **errors}


def _error(words: str) -> dict[str, Any]:
    schema = {"schema": {"$ref": "#/components/schemas/Error"}}
    return {"description": words, "content": {_JSON: schema}}
