import os
import select
import subprocess
import sys

import pytest

from cnn import parallel
from tests.conftest import ROOT


@pytest.mark.parametrize(
    ("quota", "expected"),
    [
        ("max 100000", 2),
        ("100000 100000", 1),
        ("150000 100000", 2),
        ("1000 100000", 1),
        ("", 2),
    ],
)
def test_a_containers_quota_counts(tmp_path, monkeypatch, quota, expected):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    (tmp_path / "cpu.max").write_text(quota)
    assert parallel.cpu_count(tmp_path / "cpu.max") == expected


def test_affinity_counts():
    script = """
import os
from cnn import parallel

os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
print(parallel.cpu_count())
"""
    run = [sys.executable, "-c", script]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"


def test_a_child_ends_with_its_parent_and_ignores_ctrl_c(tmp_path):
    """The parent is killed, so it cannot end the child itself."""
    (tmp_path / "child.py").write_text(
        """
import os, signal, time
from cnn import parallel

def run(connection):
    parallel.exit_with_parent()
    os.kill(os.getpid(), signal.SIGINT)
    connection.send(os.getpid())
    time.sleep(1000)

if __name__ == "__main__":
    context = parallel.mp_context()
    receiver, sender = context.Pipe(duplex=False)
    context.Process(target=run, args=(sender,)).start()
    print(receiver.recv(), flush=True)
    time.sleep(1000)
"""
    )
    run = [sys.executable, str(tmp_path / "child.py")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        run, stdout=subprocess.PIPE, text=True, env=environment
    ) as parent:
        child = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()
    ended, _, _ = select.select([child], [], [], 60)
    os.close(child)
    assert ended


def test_a_child_imports_this_package_though_another_version_is_installed(tmp_path):
    """As `bin/infer` of a clone beside an installed version."""
    (tmp_path / "installed" / "cnn" / "preprocessing").mkdir(parents=True)
    for name in (
        "__init__.py",
        "preprocessing/__init__.py",
        "preprocessing/pipeline.py",
    ):
        (tmp_path / "installed" / "cnn" / name).touch()
    (tmp_path / "infer.py").write_text(
        f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from cnn import parallel

def run(connection):
    connection.send(parallel.__file__)

if __name__ == "__main__":
    context = parallel.mp_context()
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=run, args=(sender,))
    process.start()
    sender.close()
    print(receiver.recv() == parallel.__file__)
    process.join()
"""
    )
    run = [sys.executable, str(tmp_path / "infer.py")]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "installed")}
    done = subprocess.run(
        run, capture_output=True, text=True, env=environment, cwd=tmp_path
    )
    assert done.stdout == "True\n", done.stderr
