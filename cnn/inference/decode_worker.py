"""Decodes chunks of image files in a child process of `decode_pool`.

The parent process sends a `ChunkRequest` per chunk through a pipe. The child writes
the preprocessed images into shared memory and answers with a `ChunkResult`.
"""

import contextlib
import ctypes
import math
import os
import resource
from collections.abc import Callable
from multiprocessing import connection, context
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

import numpy as np

from cnn import parallel
from cnn.preprocessing import pipeline

# Slots of the shared memory, which is also the largest number of chunks that a worker
# may hold: one that it decodes, and three that keep it busy until the parent returns.
NUM_SLOTS = 4
# Value of `current_file` until the first file of the process begins.
NOT_STARTED = -1
# Bytes of memory that a worker may take beyond those it has at its start.
# Enough for an image of `decode.MAX_PIXELS`.
_MAX_EXTRA_BYTES = 2 << 30


class ChunkRequest(NamedTuple):
    """A chunk of files to decode.

    Attributes:
      slot: slot of the shared memory for the images, in [0, NUM_SLOTS).
      paths: the files.
      preprocessing: a key of `pipeline.PREPROCESSING`.
      failures: reason per index of a file that must not be decoded again.
      file_by_file: whether to decode each file on its own, after a crash.
    """

    slot: int
    paths: list[str]
    preprocessing: str
    failures: dict[int, str]
    file_by_file: bool


class ChunkResult(NamedTuple):
    """The result of a chunk: a column per attribute of `pipeline.PreprocessedFile`.

    Columns of plain values, because a tuple per file takes longer to pickle.

    Attributes:
      slot: slot of the shared memory that holds the images of all files in turn.
      images: `float32 (N, 28, 28, 1)` where N images exceed a slot, otherwise None.
      num_images: number of candidate images per file, 0 for None.
      statuses: status per file.
      details: detail per file.
      seconds: time that decoding the chunk took.
    """

    slot: int
    images: np.ndarray | None
    num_images: list[int]
    statuses: list[str]
    details: list[str]
    seconds: float


def allocate_slots(
    mp_context: context.ForkServerContext, images_per_slot: int
) -> "ctypes.Array[ctypes.c_float]":
    """Allocates shared memory for the images of `NUM_SLOTS` chunks.

    Returns:
      An array that can be passed to a child process.
    """
    size = NUM_SLOTS * images_per_slot * math.prod(pipeline.IMAGE_SHAPE)
    return mp_context.RawArray("f", size)


def view_slots(buffer: Any) -> np.ndarray:
    """Views shared memory as `float32 (NUM_SLOTS, images_per_slot, 28, 28, 1)`."""
    pixels = np.frombuffer(buffer, np.float32)
    return pixels.reshape(NUM_SLOTS, -1, *pipeline.IMAGE_SHAPE)


def run_worker(
    requests: connection.Connection,
    results: connection.Connection,
    buffer: Any,
    current_file: Any,
) -> None:
    """Decodes chunks until the parent closes the pipe or ends.

    Args:
      requests: pipe of `ChunkRequest`.
      results: pipe of `ChunkResult`.
      buffer: shared memory of `allocate_slots`.
      current_file: shared integer, set to the index of each file before it is decoded,
        and to the number of files once all of them are.
    """
    parallel.exit_with_parent()
    _silence_stderr()
    _limit_memory()
    slots = view_slots(buffer)

    def report_file(index: int) -> None:
        current_file.value = index

    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            request = requests.recv()
            start = monotonic()
            # These images live until the next chunk is decoded. If they were freed now,
            # malloc would return their pages to the system, only to ask for them again.
            files = decode_chunk(request, report_file)
            results.send(pack_result(request, files, slots, start))


def decode_chunk(
    request: ChunkRequest, report_file: Callable[[int], None]
) -> list[pipeline.PreprocessedFile]:
    """Decodes the files of a chunk, all together unless one has crashed a worker.

    Args:
      request: the chunk.
      report_file: called with the index of each file before it is decoded, and with the
        number of files once all of them are.
    """
    paths = request.paths
    preprocessing = request.preprocessing
    if not request.file_by_file:
        return pipeline.preprocess_files(paths, preprocessing, report_file)
    decoded = []
    for index, path in enumerate(paths):
        report_file(index)
        reason = request.failures.get(index)
        if reason is None:
            decoded.append(pipeline.preprocess_file(path, preprocessing))
        else:
            decoded.append(pipeline.PreprocessedFile(None, "unreadable", reason))
    report_file(len(paths))
    return decoded


def pack_result(
    request: ChunkRequest,
    files: list[pipeline.PreprocessedFile],
    slots: np.ndarray,
    start: float,
) -> ChunkResult:
    """Writes the images of a chunk to its slot if they fit, and returns the rest.

    Args:
      request: the chunk.
      files: the decoded files.
      slots: shared memory, as of `view_slots`.
      start: `time.monotonic()` before the files were decoded.
    """
    arrays = [file.candidates for file in files if file.candidates is not None]
    return ChunkResult(
        slot=request.slot,
        images=_store_images(arrays, slots[request.slot]),
        num_images=[file.num_candidates for file in files],
        statuses=[file.status for file in files],
        details=[file.detail for file in files],
        seconds=monotonic() - start,
    )


def _store_images(arrays: list[np.ndarray], slot: np.ndarray) -> np.ndarray | None:
    """Writes images into a slot; returns them instead if the slot is too small."""
    num_images = sum(map(len, arrays))
    if num_images > len(slot):
        return np.concatenate(arrays)
    if arrays:
        np.concatenate(arrays, out=slot[:num_images])
    return None


def _silence_stderr() -> None:
    """Discards the messages of C libraries, which name no file."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _limit_memory() -> None:
    """Bounds the address space of this process, where the system has `/proc`."""
    with contextlib.suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + _MAX_EXTRA_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
