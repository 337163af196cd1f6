"""Child processes: their end, what they import, and what they print."""

import contextlib
import os
import select
import shutil
import subprocess
import sys

import pytest

from cnn import child_process
from tests.conftest import ROOT

# A copy of the package with a module whose `main` runs in a child.
CHILD = """
import os, signal, sys, time
from cnn.child_process import connect_to_parent

def main():
    requests, results, progress = connect_to_parent()
    {body}
"""


@pytest.fixture
def package(tmp_path):
    shutil.copytree(
        ROOT / "cnn",
        tmp_path / "copy" / "cnn",
        ignore=shutil.ignore_patterns("mnist", "__pycache__"),
    )
    return tmp_path / "copy"


def run_parent(package, child: str, parent: str, **options) -> subprocess.Popen:
    (package / "cnn" / "child.py").write_text(CHILD.format(body=child))
    code = f"""
import sys, time
sys.path.insert(0, {str(package)!r})
from cnn.child_process import ChildProcess, kill_children
child = ChildProcess("cnn.child", "main")
{parent}
"""
    (package / "parent.py").write_text(code)
    run = [sys.executable, str(package / "parent.py")]
    return subprocess.Popen(run, stdout=subprocess.PIPE, text=True, **options)


def has_ended(pidfd: int) -> bool:
    ended, _, _ = select.select([pidfd], [], [], 60)
    os.close(pidfd)
    return bool(ended)


def test_a_child_ends_with_its_parent_and_ignores_ctrl_c(package):
    """The parent is killed, so it cannot end the child itself."""
    child = "os.kill(os.getpid(), signal.SIGINT); results.send(os.getpid()); time.sleep(1000)"
    parent = "print(child.results.recv(), flush=True); time.sleep(1000)"
    with run_parent(package, child, parent) as process:
        pidfd = os.pidfd_open(int(process.stdout.readline()))
        process.kill()
    assert has_ended(pidfd)


def test_children_are_killed_and_reaped_before_the_process_exits(package):
    child = "results.send(os.getpid()); time.sleep(1000)"
    parent = """
import os
pid = child.results.recv()
kill_children()
print(os.path.exists(f"/proc/{pid}"), flush=True)
os._exit(0)
"""
    with run_parent(package, child, parent) as process:
        assert process.stdout.read() == "False\n"


def test_what_a_child_prints_does_not_mix_with_its_results(package):
    child = "print('a', flush=True); os.write(2, b'b'); results.send(os.read(0, 9))"
    parent = "print(child.results.recv())"
    with run_parent(package, child, parent, stderr=subprocess.PIPE) as process:
        assert process.communicate() == ("b''\n", "")


def test_a_child_imports_this_package_and_nothing_of_the_working_directory(
    package, tmp_path
):
    """As `bin/infer` of a clone beside an installed version and a user's files."""
    for name in ("random", "signal", "socket", "numpy", "cnn"):
        (tmp_path / f"{name}.py").write_text("open('executed', 'w')")
    child = "import random, socket, numpy, cnn; results.send(cnn.__file__)"
    parent = "print(child.results.recv())"
    with run_parent(package, child, parent, cwd=tmp_path) as process:
        found = process.stdout.read()
    assert found == f"{package}/cnn/__init__.py\n"
    assert not (tmp_path / "executed").exists()


def test_without_descriptors_a_child_is_an_error_of_the_system(package):
    parent = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (12, 12))
try:
    for _ in range(9):
        child = [child, ChildProcess("cnn.child", "main")]
except OSError as error:
    print(error.strerror)
"""
    with run_parent(package, "requests.recv()", parent) as process:
        assert process.stdout.read() == "Too many open files\n"


def test_a_child_that_is_closed_leaves_no_zombie_and_no_descriptor():
    before = set(os.listdir("/proc/self/fd"))
    child = child_process.ChildProcess("cnn.image_files.decode_worker", "run_worker")
    child.close()
    assert set(os.listdir("/proc/self/fd")) == before
    with pytest.raises(ChildProcessError):
        os.waitpid(child._process.pid, 0)


DECODER = ("cnn.image_files.decode_worker", "run_worker")


def test_a_child_that_was_started_ahead_is_taken_once():
    with child_process.start_ahead([DECODER]):
        ((_, started),) = child_process._started_ahead
        child = child_process.take_child(*DECODER)
        other = child_process.take_child(*DECODER)
        assert child is started
        assert other is not started
    for each in (child, other):
        os.kill(each._process.pid, 0)  # It still runs.
        each.close()


def test_a_child_that_nobody_takes_ends_with_the_block():
    before = set(os.listdir("/proc/self/fd"))
    with child_process.start_ahead([DECODER, DECODER]):
        children = [child for _, child in child_process._started_ahead]
    assert set(os.listdir("/proc/self/fd")) == before
    for child in children:
        with pytest.raises(ChildProcessError):
            os.waitpid(child._process.pid, 0)


def test_what_cannot_be_started_ahead_is_started_when_it_is_needed(monkeypatch):
    def fail(*_, **__):
        raise OSError("no more processes")

    with monkeypatch.context() as patch:
        patch.setattr(child_process.subprocess, "Popen", fail)
        block = child_process.start_ahead([DECODER])
        block.__enter__()
    with contextlib.closing(child_process.take_child(*DECODER)) as child:
        os.kill(child._process.pid, 0)
    block.__exit__(None, None, None)
