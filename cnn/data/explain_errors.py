"""Explains, in one line with a remedy, why tfds cannot prepare a set."""

import contextlib
import difflib
import errno
import re
from collections.abc import Iterator
from pathlib import Path

import requests
import tensorflow_datasets as tfds

from cnn.data.types import DataError, UnknownDatasetError


@contextlib.contextmanager
def translate_errors(name: str, data_dir: Path) -> Iterator[None]:
    """Converts any exception of tfds and the libraries below it to a `DataError`.

    Args:
      name: name of the set, as the user wrote it.
      data_dir: tfds' folder, for the message.
    """
    try:
        yield
    except DataError:
        raise
    except (tfds.core.DatasetNotFoundError, ValueError, AssertionError) as error:
        unknown = _explain_unknown_name(error, name)
        if unknown:
            raise UnknownDatasetError(unknown) from error
        raise DataError(_explain_failure(error, name, data_dir)) from error
    except Exception as error:
        raise DataError(_explain_failure(error, name, data_dir)) from error


def suggest_names(name: str) -> str:
    """Says that no set has this name, and suggests similar names."""
    known = tfds.list_builders(with_community_datasets=False)
    base = name.partition("/")[0].partition(":")[0]
    near = difflib.get_close_matches(base, known)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return f"tensorflow-datasets has no data set {name!r}{hint}"


def _explain_unknown_name(error: Exception, name: str) -> str | None:
    """Explains an unknown set, configuration or version, else returns None."""
    message = str(error)
    if isinstance(error, tfds.core.DatasetNotFoundError):
        return suggest_names(name)
    if "Parsing builder name" in message:
        return suggest_names(name)
    if "BuilderConfig" in message:
        configs = tfds.builder_cls(name.partition("/")[0]).builder_configs
        if not configs:
            return f"data set {name!r}: it has no configurations"
        return f"data set {name!r}: expected one of {', '.join(configs)}"
    if known := re.search(r"cannot be loaded at version .*", message):
        return f"data set {name!r} {known[0]}"
    return None


def _explain_failure(error: Exception, name: str, data_dir: Path) -> str:
    for cause in _iterate_causes(error):
        explanation = _explain_cause(cause, name, data_dir)
        if explanation:
            return explanation
    kind = type(error).__name__
    detail = f"{kind}: {_first_line(error)}"
    return f"data set {name!r} could not be prepared in {data_dir}: {detail}"


def _iterate_causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _explain_cause(cause: BaseException, name: str, data_dir: Path) -> str | None:
    """Explains one of the known causes, else returns None."""
    subject = f"data set {name!r}"
    detail = _first_line(cause)
    if isinstance(cause, ImportError) and "tensorflow" in f"{cause.name} {cause}":
        return (
            f"tensorflow-datasets needs TensorFlow to prepare {subject}: pip install "
            f"tensorflow-cpu, or copy the prepared set to {data_dir}"
        )
    if type(cause).__name__ == "NonMatchingChecksumError":
        remedy = "remove that file, run again"
        if name == "mnist":
            remedy = "install cnn again"
        return f"{subject}: {detail.rstrip(':')}; {remedy}"
    if isinstance(cause, requests.RequestException | tfds.download.DownloadError):
        url = getattr(getattr(cause, "request", None), "url", detail)
        manual_dir = data_dir / "downloads" / "manual" / name.partition("/")[0]
        return (
            f"{subject}: no answer from {url}; check the network, or put the files by "
            f"hand into {manual_dir}"
        )
    if isinstance(cause, OSError) and cause.errno == errno.ENOSPC:
        return (
            f"no space left to prepare {subject} in {data_dir}; "
            "free some or give --data-dir"
        )
    if isinstance(cause, PermissionError):
        return (
            f"no permission to prepare {subject} in {data_dir} ({detail}); "
            "give --data-dir"
        )
    return None


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]
