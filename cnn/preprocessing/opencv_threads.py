"""Limits OpenCV to one thread while several images are processed, one per core."""

import threading
from types import TracebackType

import cv2


class _SingleThreadedOpenCV:
    """Counts its users: OpenCV's number of threads is one setting per process.

    The first user sets it to 1, and the last one restores the former number. Nested
    and concurrent use is safe.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._former_threads = 1

    def __enter__(self) -> None:
        with self._lock:
            if self._users == 0:
                self._former_threads = cv2.getNumThreads()
                cv2.setNumThreads(1)
            self._users += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0:
                cv2.setNumThreads(self._former_threads)


_SINGLE_THREADED_OPENCV = _SingleThreadedOpenCV()


def single_threaded_opencv() -> _SingleThreadedOpenCV:
    """Returns the context manager that limits OpenCV to one thread.

    Example:
      >>> former_threads = cv2.getNumThreads()
      >>> with single_threaded_opencv():
      ...     cv2.getNumThreads()
      1
      >>> cv2.getNumThreads() == former_threads
      True
    """
    return _SINGLE_THREADED_OPENCV
