"""The parent of a distributed training: its words, exit statuses and clean-up."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.training.processes import FIRST_SLURM_PORT, children, free_port

# A command that is supervised, with `cnn.cli` around it, as in `bin/train`.
SCRIPT = """
import os, signal, sys, time
from functools import partial
from cnn import supervisor
from cnn.command import Advice, run_command
from cnn.config import TrainConfig

def command():
    supervisor.report_connected(1)
    {body}
    return 0

config = TrainConfig(coordinator="host:1", num_processes=2, process_id=1)
advice = Advice("go on", "buy memory")
inner = partial(run_command, command, advice, True)
run = partial(supervisor.run_supervised, inner, config)
sys.exit(run_command(run, advice, True))
"""


def start(body: str, **options) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(body=body)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def finish(body: str) -> tuple[int, str, str]:
    process = start(body)
    stdout, stderr = process.communicate(timeout=60)
    return process.returncode, stdout, stderr


def test_the_status_of_the_command_is_that_of_its_parent():
    assert finish("return 7") == (7, "", "")


def test_python_prints_and_native_code_does_not():
    body = "os.write(1, b'native'); os.write(2, b'native'); print('result', flush=True)"
    assert finish(body) == (0, "result\n", "")


def test_an_error_names_the_process():
    body = "raise supervisor.ProcessError('no luck')"
    assert finish(body) == (1, "", "error: process 1: no luck\n")


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (
            "the JAX distributed service detected fatal errors",
            "another process of this run has ended or cannot be reached; the same "
            "command on all hosts continues from the last checkpoint",
        ),
        (
            "coordination service: unhealthy (stopped sending heartbeats):\\n0, 3\\n",
            "process 0, 3 of this run has ended or cannot be reached; the same command "
            "on all hosts continues from the last checkpoint",
        ),
        (
            "Failed to add port to server",
            "cannot listen on the port of the coordinator, which another program uses; "
            "give another port",
        ),
        ("bad luck", "the training was ended by signal SIGABRT (bad luck)"),
        ("", "the training was ended by signal SIGABRT (no further output)"),
    ],
)
def test_an_abort_is_explained_by_the_native_output(output, words):
    body = f"os.write(2, b'{output}'); os.abort()"
    assert finish(body) == (1, "", f"error: process 1: {words}\n")


def test_a_kill_of_the_child_may_be_for_memory():
    body = "os.kill(os.getpid(), signal.SIGKILL)"
    assert finish(body) == (
        1,
        "",
        "error: process 1: the training was killed, perhaps for lack of memory; try a "
        "smaller --batch-size\n",
    )


def test_a_signal_after_an_abort_is_the_reason_that_is_told():
    """Another process was signaled first, and its end has aborted this one."""
    process = start("os.abort()")
    time.sleep(1)
    process.terminate()
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 143
    assert stderr == "error: process 1: terminated; go on\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_reaches_the_child_which_says_so_once(number):
    process = start("print('ready', flush=True); time.sleep(60)")
    process.stdout.readline()
    process.send_signal(number)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    word = {signal.SIGTERM: "terminated", signal.SIGINT: "stopped"}[number]
    assert stderr == f"error: process 1: {word}; go on\n"


def test_a_child_that_does_not_react_to_a_signal_is_killed():
    process = start(
        "signal.pthread_sigmask(signal.SIG_BLOCK, "
        "[signal.SIGTERM]); print('ready', flush=True); time.sleep(60)"
    )
    process.stdout.readline()
    [child] = children(process.pid)
    process.terminate()
    _, stderr = process.communicate(timeout=40)
    assert process.returncode == 143
    assert stderr == "error: process 1: terminated; go on\n"
    assert not os.path.exists(f"/proc/{child}")


def test_the_child_ends_with_its_parent():
    process = start("print('ready', flush=True); time.sleep(60)")
    process.stdout.readline()
    [child] = children(process.pid)
    process.kill()
    # The child has the pipes, too. They close when it ends, a moment before it is gone.
    assert process.communicate(timeout=20) == ("", "")
    deadline = time.monotonic() + 10
    while read_state(child) not in ("gone", "zombie"):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def read_state(pid: int) -> str:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return "gone"
    return "zombie" if "State:\tZ" in status else "alive"


@pytest.fixture
def refuse(run, tmp_path):
    """Runs bin/train, and returns its status and stderr. It leaves nothing."""

    def run_refused(*arguments) -> str:
        done = run("train", *arguments)
        assert done.stdout == ""
        assert list(tmp_path.iterdir()) == []
        return f"{done.returncode} {done.stderr}"

    return run_refused


@pytest.mark.parametrize("process_id", [0, 1])
def test_processes_that_do_not_connect_are_told_within_the_timeout(refuse, process_id):
    address = f"localhost:{free_port()}"
    flags = ("--coordinator", address, "--num-processes", 2, "--process-id", process_id)
    assert refuse(*flags, "--initialization-timeout", 4) == (
        f"1 error: process {process_id}: the 2 processes did not all connect to "
        f"{address} within 4 seconds; start them all, each with its own "
        "--process-id, check the address and the firewall, or give a longer "
        "--initialization-timeout\n"
    )


def test_a_process_of_slurm_is_named_before_it_is_connected(refuse, monkeypatch):
    variables = {
        "SLURM_JOB_ID": free_port(first=FIRST_SLURM_PORT) - FIRST_SLURM_PORT,
        "SLURM_STEP_NODELIST": "localhost",
        "SLURM_NTASKS": 2,
        "SLURM_PROCID": 1,
        "SLURM_LOCALID": 0,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, str(value))
    message = refuse("--distributed", "--initialization-timeout", 4)
    assert message.startswith("1 error: process 1: the processes did not all connect ")


def test_a_port_that_is_in_use_is_told(refuse):
    family = socket.AF_INET6
    with socket.create_server(("", 0), family=family, dualstack_ipv6=True) as server:
        address = f"localhost:{server.getsockname()[1]}"
        flags = ("--coordinator", address, "--num-processes", 2, "--process-id", 0)
        assert refuse(*flags) == (
            "1 error: process 0: cannot listen on the port of the coordinator, which "
            "another program uses; give another port\n"
        )


def test_without_a_cluster_the_flags_are_named(refuse):
    assert refuse("--distributed") == (
        "2 error: --distributed: JAX finds no cluster here (coordinator_address should "
        "be defined); give --coordinator HOST:PORT, --num-processes N and --process-id "
        "I\n"
    )


def test_half_of_the_flags_is_wrong_usage(refuse):
    assert refuse("--coordinator", "host:1", "--process-id", 0) == (
        "2 error: --num-processes: missing; --coordinator, --num-processes, "
        "--process-id go together\n"
    )
