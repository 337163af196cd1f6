import errno
import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cnn.file_lock import lock_file

HOLDER = """
import sys, pathlib
from cnn.file_lock import lock_file
with lock_file(pathlib.Path(sys.argv[1])):
    print("locked", flush=True)
    sys.stdin.read()
"""


def start_holder(path: Path) -> subprocess.Popen:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout.readline() == "locked\n"
    return holder


def test_a_file_that_another_process_holds_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    holder = start_holder(path)
    with pytest.raises(BlockingIOError), lock_file(path):
        pass
    holder.communicate("")
    with lock_file(path):
        pass


def test_a_killed_process_releases_its_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    holder = start_holder(path)
    holder.kill()
    holder.communicate()
    with lock_file(path):
        pass


def test_waiting_ends_when_the_holder_ends(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    holder = start_holder(path)
    waiter = subprocess.Popen(
        [sys.executable, "-c", HOLDER.replace("[1])", "[1]), wait=True"), str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    time.sleep(0.5)
    # The holder renames its file: the lock of the waiter must be on the new one.
    os.rename(path, tmp_path / "renamed")
    holder.communicate("")
    assert waiter.stdout.readline() == "locked\n"
    with pytest.raises(BlockingIOError), lock_file(path):
        pass
    waiter.communicate("")


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_disk_without_locks_is_done_without(
    number: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    def flock(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    with lock_file(tmp_path / "lock"):
        pass
    assert capsys.readouterr().err == (
        f"warning: {tmp_path}: this file system has no locks ({os.strerror(number)}); "
        "do not run two commands there at once\n"
    )
