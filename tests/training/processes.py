"""Trainings of several real processes on this machine, joined as on a cluster."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from tests.conftest import command

TIMEOUT = 240


class Finished(NamedTuple):
    status: int
    stdout: str
    stderr: str

    @property
    def errors(self) -> list[str]:
        return [line for line in self.stderr.splitlines() if line.startswith("error")]


class Processes:
    """Running processes. At the end of a `with` block none is left."""

    def __init__(self, commands, folders, environments) -> None:
        self._running = [
            subprocess.Popen(
                arguments,
                cwd=folder,
                env={**os.environ, **environment},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for arguments, folder, environment in zip(
                commands, folders, environments, strict=True
            )
        ]

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._running:
            for pid in (*children(process.pid), process.pid):
                send(signal.SIGKILL, pid)
            process.communicate()

    def wait_for(self, path: Path) -> None:
        deadline = time.monotonic() + TIMEOUT
        while not path.exists():
            assert time.monotonic() < deadline, path
            assert all(process.poll() is None for process in self._running), path
            time.sleep(0.01)

    def send(self, number: int, index: int) -> None:
        os.kill(self._running[index].pid, number)

    def freeze(self, index: int) -> None:
        """Stops a process and its child, as a host that has lost its network."""
        pid = self._running[index].pid
        for stopped in (*children(pid), pid):
            send(signal.SIGSTOP, stopped)

    def wait(self, index: int) -> Finished:
        process = self._running[index]
        stdout, stderr = process.communicate(timeout=TIMEOUT)
        return Finished(process.returncode, stdout, stderr)

    def wait_all(self) -> list[Finished]:
        return [self.wait(index) for index in range(len(self._running))]


def children(pid: int) -> list[int]:
    listing = Path(f"/proc/{pid}/task/{pid}/children")
    return list(map(int, listing.read_text().split())) if listing.exists() else []


def send(number: int, pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def join(count, folder, arguments, folders=None, environments=None, each=None):
    """Starts processes that are told of each other by flags.

    Args:
      count: number of processes.
      folder: their working directory.
      arguments: of the command.
      folders: a working directory of each instead.
      environments: additional variables of each.
      each: additional arguments of each.
    """
    address = f"localhost:{free_port()}"
    commands = [
        command(
            "train", *arguments, "--coordinator", address,
            "--num-processes", count, "--process-id", index, *more,
        )
        for index, more in enumerate(each or [()] * count)
    ]  # fmt: skip
    return Processes(
        commands, folders or [folder] * count, environments or [{}] * count
    )


def join_by_slurm(count, folder, arguments):
    """Starts processes that JAX joins by the variables that `srun` sets."""
    job = free_port(first=FIRST_SLURM_PORT) - FIRST_SLURM_PORT
    shared = {
        "SLURM_JOB_ID": str(job),
        "SLURM_STEP_NODELIST": "localhost",
        "SLURM_NTASKS": str(count),
        "SLURM_LOCALID": "0",
        "SLURM_STEP_NUM_NODES": str(count),
    }
    environments = [shared | {"SLURM_PROCID": str(index)} for index in range(count)]
    commands = [command("train", *arguments, "--distributed")] * count
    return Processes(commands, [folder] * count, environments)


# JAX adds the number of the job, modulo 4096, to this port.
FIRST_SLURM_PORT = 61440


def free_port(first: int = 0) -> int:
    """Returns a port that no program uses, from `first` on or any."""
    for port in range(first, 65536):
        with socket.socket(socket.AF_INET6) as probe:
            try:
                probe.bind(("::", port))
            except OSError:
                continue
            return probe.getsockname()[1]
    raise OSError("no free port")
