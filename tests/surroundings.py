"""Surroundings in which programs like this one break, for the tests of both commands.

The working directory is the folder above a clone, and has a decoy for every module that
is imported. The user has no home and no entry in passwd. Shared memory is read-only, the
temporary folder has a long name, the locale is latin-1, and variables of libraries are
set.

`python -m tests.surroundings ARGUMENTS` runs pytest in them, by default on
`QUICK_TESTS`. Some of the others need UTF-8 for what they do themselves.
"""

import ast
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.conftest import ROOT

QUICK_TESTS = [
    "tests/data/test_data_folder.py",
    "tests/image_files/test_decode_pool.py",
    "tests/image_files/test_label_table.py",
    "tests/image_files/test_labels.py",
    "tests/image_files/test_listing.py",
    "tests/image_files/test_natural_sort.py",
    "tests/test_plot_process.py",
    "tests/inference/test_schema.py",
    "tests/plots/test_inference.py",
    "tests/plots/test_training.py",
    "tests/preprocessing/test_decode.py",
    "tests/preprocessing/test_pipeline.py",
    "tests/preprocessing/test_truncation.py",
    "tests/serving/test_read.py",
    "tests/test_atomic_write.py",
    "tests/test_child_process.py",
    "tests/test_flags.py",
    "tests/test_h5_process.py",
    "tests/test_user_path.py",
]
USER = "12345"
# Variables of libraries that change numbers, print something, or stop a program.
VARIABLES = {
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "JAX_ENABLE_X64": "1",
    "JAX_NUMPY_RANK_PROMOTION": "raise",
    "OPENCV_LOG_LEVEL": "DEBUG",
    "PILLOW_BLOCK_SIZE": "x",
    "TQDM_MININTERVAL": "x",
}
DECOY = "open({log!r}, 'a').write({name!r} + ' ')\nraise SystemExit('a decoy')\n"
# As root: another user, who may read what is root's but write only what is his.
AS_USER = (
    f"exec setpriv --reuid {USER} --regid {USER} --clear-groups "
    "--inh-caps=+dac_read_search --ambient-caps=+dac_read_search -- "
)
READ_ONLY_SHARED_MEMORY = "mount -t tmpfs -o ro none /dev/shm && "


def missing_tools() -> str:
    """Why these surroundings cannot be made here, empty if they can."""
    if os.getuid() != 0:
        return "needs root, to become a user without a home"
    for tool in ("unshare", "setpriv"):
        if shutil.which(tool) is None:
            return f"needs {tool}"
    done = subprocess.run(["unshare", "-m", "true"], capture_output=True)
    return "" if done.returncode == 0 else "needs the right to unshare mounts"


def imported_modules() -> set[str]:
    """The top-level names of all modules that the package imports."""
    names = set()
    for path in (ROOT / "cnn").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.partition(".")[0])
    return names - {"cnn"}


class Surroundings:
    """A working directory above a clone, with a temporary folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.work = folder / "work"
        self.temporary = folder / ("t" * 100)
        self.log = folder / "executed"
        self.mark = f"CNN_TEST_MARK={folder}"
        for path in (self.work, self.temporary):
            path.mkdir(parents=True)
            os.chown(path, int(USER), int(USER))
        ignored = shutil.ignore_patterns("__pycache__", ".*")
        shutil.copytree(ROOT, self.work / "cnn", ignore=ignored)
        # OpenCV adds the working directory to the folders of shared libraries.
        (self.work / "libz.so.1").write_bytes(b"no library")
        self.log.touch()
        self.log.chmod(0o666)
        for name in imported_modules():
            decoy = DECOY.format(log=str(self.log), name=name)
            (self.work / f"{name}.py").write_text(decoy)
        self.environment = {
            "PATH": os.environ["PATH"],
            "TMPDIR": str(self.temporary),
            "PYTHONCOERCECLOCALE": "0",
            "PYTHONUTF8": "0",
            "CNN_TEST_MARK": str(folder),
            **latin_1_locale(folder / "locale"),
        }

    def command(self, *arguments: object) -> list[str]:
        """Returns the command line that runs Python in these surroundings."""
        script = READ_ONLY_SHARED_MEMORY + AS_USER + '"$@"'
        run = [sys.executable, *map(str, arguments)]
        return ["unshare", "-m", "sh", "-c", script, "sh", *run]

    def start(self, name: str, *arguments: object) -> subprocess.Popen:
        return subprocess.Popen(
            self.command(f"cnn/bin/{name}", *arguments),
            cwd=self.work,
            env=self.environment | VARIABLES,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="latin-1",
        )

    def run(self, name: str, *arguments: object) -> subprocess.CompletedProcess:
        process = self.start(name, *arguments)
        stdout, stderr = process.communicate(timeout=300)
        return subprocess.CompletedProcess(
            process.args, process.returncode, stdout, stderr
        )

    def left_behind(self) -> list[str]:
        """Executed decoys, processes and temporary files of the runs so far."""
        deadline = time.monotonic() + 10
        while self._processes() and time.monotonic() < deadline:
            time.sleep(0.05)
        executed = self.log.read_text().split()
        return executed + self._processes() + os.listdir(self.temporary)

    def _processes(self) -> list[str]:
        found = []
        for process in Path("/proc").iterdir():
            try:
                if self.mark.encode() in (process / "environ").read_bytes():
                    found.append((process / "cmdline").read_text())
            except OSError:  # Not a process, or no more.
                continue
        return [command for command in found if command]  # A zombie has none.


def latin_1_locale(folder: Path) -> dict[str, str]:
    """Makes a locale, where the system has the tools, and returns its variables."""
    folder.mkdir()
    make = ["localedef", "-i", "en_US", "-f", "ISO-8859-1"]
    try:
        subprocess.run(
            [*make, str(folder / "en_US.ISO-8859-1")], check=True, capture_output=True
        )
    except (OSError, subprocess.CalledProcessError):
        return {"LC_ALL": "POSIX"}
    return {"LC_ALL": "en_US.ISO-8859-1", "LOCPATH": str(folder)}


def main() -> int:
    """Runs pytest in the copy, and returns its exit status."""
    reason = missing_tools()
    if reason:
        print(f"skipped the tests in hostile surroundings: {reason}")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        hostile = Surroundings(Path(folder))
        # Otherwise pytest itself, and what tests run by `python -c`, would import decoys.
        environment = hostile.environment | {
            "PYTHONSAFEPATH": "1",
            "CNN_TEST_VARIABLES": json.dumps(VARIABLES),
        }
        run = hostile.command("-m", "pytest", "-p", "no:cacheprovider")
        arguments = [
            f"cnn/{argument}" if argument.startswith("tests/") else argument
            for argument in sys.argv[1:] or QUICK_TESTS
        ]
        done = subprocess.run(
            [*run, "--rootdir=cnn", "-c", "cnn/pyproject.toml", *arguments],
            cwd=hostile.work,
            env=environment,
        )
        return done.returncode


if __name__ == "__main__":
    sys.exit(main())
