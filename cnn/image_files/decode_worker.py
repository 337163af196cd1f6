"""Decodes chunks of image files in a child process of `decode_pool`.

The parent process sends a `ChunkRequest` per chunk. The child answers with a
`ChunkResult`, and writes a byte of progress before each file and after the last one.
"""

import contextlib
import itertools
import os
import pickle
import resource
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

import numpy as np

from cnn.child_process import connect_to_parent
from cnn.freed_memory import keep_freed_memory
from cnn.preprocessing import pipeline
from cnn.preprocessing.documents.open_documents import keep_last_document
from cnn.preprocessing.preprocessed_file import Preview
from cnn.preprocessing.source import Source, WorkOptions
from cnn.preprocessing.text_lines import TextLine

# Bytes of memory that a worker may take beyond those it has at its start.
# Enough for an image of `decode.MAX_PIXELS`.
_MAX_EXTRA_BYTES = 2 << 30


class ChunkRequest(NamedTuple):
    """A chunk of files to decode.

    Attributes:
      sources: the files, pages or regions.
      options: how they are preprocessed, or what else is asked for.
      failures: reason per index of a file that must not be decoded again.
      file_by_file: whether to decode each file on its own, after a crash.
    """

    sources: list[Source]
    options: WorkOptions
    failures: dict[int, str]
    file_by_file: bool

    def __reduce__(self) -> tuple[Any, ...]:
        """Is pickled as columns: a tuple per source takes longer."""
        columns = tuple(zip(*self.sources, strict=True))
        return _unpack_request, (columns, *self[1:])


class ChunkResult(NamedTuple):
    """The result of a chunk: a column per attribute of `pipeline.PreprocessedFile`.

    Columns of plain values, because a tuple per file takes longer to pickle.

    Attributes:
      images: `float32 (N, 28, 28, 1)`, the candidate images of all files in turn.
      num_images: number of candidate images per file, 0 for None.
      weights: `float32 (N,)` per file, or None, as in `PreprocessedFile`.
      statuses: status per file.
      details: detail per file.
      lines: text lines per file, or None without any.
      sizes: size of the picture per file, as in `PreprocessedFile`.
      num_pages: number of pages per file.
      previews: picture of each file, or None without any.
      seconds: time that decoding the chunk took.
    """

    images: np.ndarray
    num_images: list[int]
    weights: list[np.ndarray | None]
    statuses: list[str]
    details: list[str]
    lines: list[tuple[TextLine, ...]] | None
    sizes: list[tuple[int, int] | None]
    num_pages: list[int]
    previews: list[Preview | None] | None
    seconds: float


def _unpack_request(columns: tuple[Any, ...], *others: Any) -> ChunkRequest:
    return ChunkRequest(
        list(itertools.starmap(Source, zip(*columns, strict=True))), *others
    )


def run_worker() -> None:
    """Decodes chunks until the parent closes the pipe or ends."""
    requests, results, progress = connect_to_parent()
    pipeline.import_all()
    _limit_memory()
    keep_freed_memory()

    def report_file(_: int) -> None:
        os.write(progress, b".")

    with contextlib.suppress(EOFError, BrokenPipeError), keep_last_document():
        while True:
            request = requests.recv()
            start = monotonic()
            files = decode_chunk(request, report_file)
            result = pack_result(files, monotonic() - start)
            # This protocol does not copy arrays, neither here nor in the parent.
            results.send_bytes(pickle.dumps(result, protocol=5))


def decode_chunk(
    request: ChunkRequest, report_file: Callable[[int], None] | None = None
) -> list[pipeline.PreprocessedFile]:
    """Decodes the files of a chunk, all together unless one has crashed a worker.

    Args:
      request: the chunk.
      report_file: called with the index of each file before it is decoded, and with the
        number of files once all of them are.
    """
    sources = request.sources
    if not request.file_by_file:
        return pipeline.preprocess_sources(sources, request.options, report_file)
    decoded = []
    for index, source in enumerate(sources):
        if report_file is not None:
            report_file(index)
        reason = request.failures.get(index)
        if reason is None:
            decoded += pipeline.preprocess_sources([source], request.options)
        else:
            decoded.append(pipeline.PreprocessedFile(None, "unreadable", reason))
    if report_file is not None:
        report_file(len(sources))
    return decoded


def pack_result(files: list[pipeline.PreprocessedFile], seconds: float) -> ChunkResult:
    """Packs the files of a chunk for the pipe.

    Args:
      files: the decoded files.
      seconds: time that decoding them took.
    """
    arrays = [file.candidates for file in files if file.candidates is not None]
    no_images = np.empty((0, *pipeline.IMAGE_SHAPE), np.float32)
    return ChunkResult(
        images=np.concatenate(arrays) if arrays else no_images,
        num_images=[file.num_candidates for file in files],
        weights=[file.weights for file in files],
        statuses=[file.status for file in files],
        details=[file.detail for file in files],
        lines=[file.lines for file in files] if any(f.lines for f in files) else None,
        sizes=[file.size for file in files],
        num_pages=[file.num_pages for file in files],
        previews=_pack_previews(files),
        seconds=seconds,
    )


def _pack_previews(
    files: list[pipeline.PreprocessedFile],
) -> list[Preview | None] | None:
    previews = [file.preview for file in files]
    return previews if any(previews) else None


def unpack_result(result: ChunkResult) -> list[pipeline.PreprocessedFile]:
    """Returns the files of a chunk, with the candidates of each."""
    columns = zip(
        result.num_images,
        result.weights,
        result.statuses,
        result.details,
        result.lines or itertools.repeat((), len(result.details)),
        result.sizes,
        result.num_pages,
        result.previews or itertools.repeat(None, len(result.details)),
        strict=True,
    )
    files = []
    end = 0
    for num_images, weights, status, detail, *others in columns:
        start = end
        end += num_images
        candidates = result.images[start:end] if num_images else None
        files.append(
            pipeline.PreprocessedFile(candidates, status, detail, weights, *others)
        )
    return files


def _limit_memory() -> None:
    """Bounds the address space of this process, where the system has `/proc`."""
    with contextlib.suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + _MAX_EXTRA_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
