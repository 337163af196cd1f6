"""Trainings in surroundings that lack something: locks, a home, a place for plots."""

import errno
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import command
from tests.test_cli import SMALL, failure

# As on some NFS and Lustre: no function locks anything.
NO_LOCKS = """
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

static int refuse(void) { errno = ERRNO; return -1; }

int flock(int descriptor, int operation) { return refuse(); }

int fcntl64(int descriptor, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void *argument = va_arg(arguments, void *);
  va_end(arguments);
  if (command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK ||
      command == F_OFD_SETLKW)
    return refuse();
  return syscall(SYS_fcntl, descriptor, command, argument);
}

int fcntl(int descriptor, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void *argument = va_arg(arguments, void *);
  va_end(arguments);
  return fcntl64(descriptor, command, argument);
}
"""


def train(small_dir, folder, prefix=(), variables=None):
    arguments = (*SMALL, "--data-dir", small_dir, "--batch-size", 64, "--epochs", 1)
    return subprocess.run(
        [*prefix, *command("train", *arguments)],
        cwd=folder,
        env=os.environ | (variables or {}),
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture
def no_locks(tmp_path_factory):
    """Path of a library that refuses locks, for `LD_PRELOAD`."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("needs a C compiler")
    folder = tmp_path_factory.mktemp("no_locks")
    (folder / "no_locks.c").write_text(NO_LOCKS)
    library = folder / "no_locks.so"
    define = f"-DERRNO={errno.ENOLCK}"
    subprocess.run(
        [compiler, define, "-shared", "-fPIC", "-o", library, folder / "no_locks.c"],
        check=True,
    )
    return library


def test_a_disk_without_locks_takes_a_training_and_says_so_once(
    small_dir, tmp_path, no_locks
):
    done = train(small_dir, tmp_path, variables={"LD_PRELOAD": str(no_locks)})
    assert done.returncode == 0, done.stderr
    words = "runs/kmnist: this file system has no locks (No locks available)"
    assert done.stderr.count("no locks") == 1
    assert words in done.stderr
    assert (tmp_path / "kmnist_model.h5").is_file()


def test_plots_that_fail_cost_neither_the_report_nor_the_status(small_dir, tmp_path):
    workdir = tmp_path / "runs" / "kmnist"
    obstacle = workdir / "confusion.png"
    obstacle.mkdir(parents=True)
    done = train(small_dir, tmp_path)
    assert done.returncode == 0, done.stderr
    (warning,) = [line for line in done.stderr.splitlines() if "warning" in line]
    assert "the plots are not complete" in warning
    accuracy = json.loads((workdir / "report.json").read_text())["test"]["accuracy"]
    assert done.stdout.startswith(f"test accuracy {accuracy:.2%}")
    obstacle.rmdir()
    done = train(small_dir, tmp_path)
    assert (done.returncode, "warning" in done.stderr) == (0, False)
    assert {path.name for path in workdir.glob("*.png")} == {
        "confusion.png", "curves.png", "mistakes.png", "reliability.png",
    }  # fmt: skip


def unknown_user() -> list[str]:
    """A command that runs another as a user whom the system does not know."""
    if os.getuid() or shutil.which("setpriv") is None:
        pytest.skip("needs root and setpriv")
    # The interpreter may lie in a folder of root.
    read_all = ("--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search")
    user = ("--reuid", "12345", "--regid", "12345", "--clear-groups")
    return ["setpriv", *user, *read_all, "env", "-u", "HOME", "-u", "XDG_CACHE_HOME"]


def test_a_user_without_home_and_name_can_train(small_dir, tmp_path):
    folder = tmp_path / "theirs"
    temporary = tmp_path / "temporary"
    for made in (folder, temporary):
        made.mkdir()
        made.chmod(0o777)
    for parent in (tmp_path, *tmp_path.parents):
        if parent.stat().st_uid == os.getuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o711)
    variables = {"TMPDIR": str(temporary)}
    done = train(small_dir, folder, unknown_user(), variables)
    assert done.returncode == 0, done.stderr
    assert (folder / "kmnist_model.h5").is_file()
    assert list(temporary.glob("cnn-*")) == []


def test_a_uri_as_data_folder_is_refused_and_leaves_nothing(tmp_path):
    for arguments, variables, name in [
        (("--data-dir", "gs://bucket/sets"), {}, "--data-dir"),
        ((), {"TFDS_DATA_DIR": "gs://bucket/sets"}, "TFDS_DATA_DIR"),
    ]:
        done = subprocess.run(
            command("train", *arguments),
            cwd=tmp_path,
            env=os.environ | variables,
            capture_output=True,
            text=True,
            timeout=100,
        )
        words = f"error: {name}: gs://bucket/sets: is not a local path"
        assert failure(done, 2).startswith(words)
    assert list(tmp_path.iterdir()) == []


def test_too_little_memory_is_one_line(small_dir, tmp_path):
    limit = 'ulimit -v 2000000; exec "$@"'
    done = train(small_dir, tmp_path, ("bash", "-c", limit, "bash"))
    assert "not enough memory" in failure(done, 1)
