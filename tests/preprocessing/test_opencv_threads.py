"""OpenCV's number of threads, within the limit and after it."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import cv2
import pytest

from cnn.preprocessing.opencv_threads import single_threaded_opencv


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    former_threads = cv2.getNumThreads()
    cv2.setNumThreads(2)
    yield
    cv2.setNumThreads(former_threads)


def test_the_former_number_of_threads_is_restored_by_the_outermost_user():
    with single_threaded_opencv():
        with single_threaded_opencv():
            assert cv2.getNumThreads() == 1
        assert cv2.getNumThreads() == 1
    assert cv2.getNumThreads() == 2


def test_it_is_restored_after_an_error():
    with pytest.raises(ZeroDivisionError), single_threaded_opencv():
        _ = 1 / 0
    assert cv2.getNumThreads() == 2


def test_concurrent_users_leave_the_former_number_of_threads():
    def use(_):
        with single_threaded_opencv():
            return cv2.getNumThreads()

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(use, range(2000))) == {1}
    assert cv2.getNumThreads() == 2


def test_an_import_changes_neither_opencv_nor_pillows_logger():
    code = (
        "import logging, cv2; cv2.setNumThreads(2); import cnn.preprocessing;"
        "print(cv2.getNumThreads(), logging.getLogger('PIL').handlers)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "2 []\n"
