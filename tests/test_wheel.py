"""The wheel and the source distribution, and the wheel without its source tree."""

import csv
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from email.parser import Parser
from pathlib import Path
from typing import NamedTuple

import onnxruntime
import pytest

import cnn
from tests.conftest import ROOT
from tests.exporting.networks import IMAGES
from tests.test_typing import USER

# Files of the package that only readers of the source need.
LEFT_OUT = {
    "cnn/CHANGELOG.md",
    "cnn/README.md",
    "cnn/inference/README.md",
    "cnn/serving/README.md",
    "cnn/training/README.md",
}


class Built(NamedTuple):
    """The two distributions, and an environment with the wheel in it."""

    sdist: Path
    wheel: Path
    environment: Path


def run(*arguments, cwd: Path, **variables: str) -> subprocess.CompletedProcess:
    """Runs a command without the variables by which this process finds modules."""
    env = {name: value for name, value in os.environ.items() if "PYTHON" not in name}
    return subprocess.run(
        [str(argument) for argument in arguments],
        cwd=cwd,
        env={**env, **variables},
        capture_output=True,
        text=True,
        timeout=300,
    )


def tracked_files(*folders: str) -> list[str]:
    """Returns the files that git knows, relative to the root."""
    if not (ROOT / ".git").exists():
        pytest.skip("needs a clone of the repository, to know which files belong to it")
    command = ["git", "ls-files", "-z", "--", *folders]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    listed = names.decode().split("\0")
    return [name for name in listed if name and (ROOT / name).exists()]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Builds the wheel from the source distribution, and installs it."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    for name in tracked_files():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    output = folder / "dist"
    build = (sys.executable, "-m", "build", "--no-isolation", "--outdir", output)
    done = run(*build, source, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    shutil.rmtree(source)
    (sdist,) = output.glob("*.tar.gz")
    (wheel,) = output.glob("*.whl")
    return Built(sdist, wheel, install(wheel, folder / "environment"))


def install(wheel: Path, environment: Path) -> Path:
    """Installs a wheel into a new environment that sees the packages of this one."""
    venv = run(
        sys.executable, "-m", "venv", "--without-pip", environment, cwd=wheel.parent
    )
    assert venv.returncode == 0, venv.stderr
    python = environment / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "--no-deps")
    done = run(*pip, "--no-index", wheel, cwd=wheel.parent)
    assert done.returncode == 0, done.stderr
    (packages,) = environment.glob("lib/python*/site-packages")
    # Python does not follow the .pth files of these folders, by which cnn may be
    # installed in this environment as an editable package.
    dependencies = [path for path in sys.path if path.endswith("-packages")]
    (packages / "dependencies.pth").write_text("\n".join(dependencies))
    return environment


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder with copies of some samples in it."""
    (tmp_path / "pictures").mkdir()
    for name in ("large_3.png", "scan_8.tiff", "sideways_4.jpg"):
        shutil.copy(ROOT / "tests" / "samples" / name, tmp_path / "pictures")
    return tmp_path


def test_the_wheel_has_every_file_of_the_package(built):
    with zipfile.ZipFile(built.wheel) as archive:
        names = {name for name in archive.namelist() if name.startswith("cnn/")}
        info = read_metadata(archive)
    assert names == set(tracked_files("cnn")) - LEFT_OUT
    assert {"cnn/py.typed", "cnn/models/digits.h5"} <= names
    assert (info["Name"], info["Version"]) == ("cnn", cnn.__version__)
    assert info["License-Expression"] == "MIT AND CC-BY-SA-3.0"


def read_metadata(archive: zipfile.ZipFile) -> Mapping[str, str]:
    (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
    return Parser().parsestr(archive.read(name).decode())


def test_the_source_distribution_has_what_the_wheel_is_built_from(built):
    with tarfile.open(built.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert set(tracked_files("cnn")) - LEFT_OUT <= names
    assert {"LICENSE", "README.md", "pyproject.toml"} <= names


def test_the_package_is_imported_from_the_environment(built, folder):
    code = "import cnn, json, sys; print(json.dumps([cnn.__file__, sys.path]))"
    done = run(built.environment / "bin" / "python", "-c", code, cwd=folder)
    file, path = json.loads(done.stdout)
    assert Path(file).is_relative_to(built.environment)
    assert str(ROOT) not in path


def test_the_installed_command_reads_pictures_with_the_shipped_model(built, folder):
    command = built.environment / "bin" / "cnn-infer"
    done = run(
        command, "--input", "pictures", "--output", "digits.csv", "--workers", 1,
        cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "model: digits, shipped with cnn" in done.stderr
    with open(folder / "digits.csv") as file:
        rows = list(csv.DictReader(file))
    assert [(row["path"], row["prediction"]) for row in rows] == [
        ("large_3.png", "3"),
        ("scan_8.tiff", "8"),
        ("sideways_4.jpg", "4"),
    ]
    assert (folder / "predictions.png").is_file()


def test_the_installed_command_exports_the_shipped_model(built, folder):
    done = run(built.environment / "bin" / "cnn-export", "digits.onnx", cwd=folder)
    assert done.returncode == 0, done.stderr
    session = onnxruntime.InferenceSession(folder / "digits.onnx")
    (probabilities,) = session.run(None, {"images": IMAGES[:2]})
    assert probabilities.shape == (2, 10)


def test_every_command_is_installed(built, folder):
    names = [path.name for path in (ROOT / "bin").iterdir() if path.is_file()]
    assert len(names) >= 3
    for name in names:
        done = run(built.environment / "bin" / f"cnn-{name}", "--help", cwd=folder)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(f"usage: {name} ")


def test_a_type_checker_finds_the_installed_types(built, folder):
    (folder / "program.py").write_text(USER)
    python = built.environment / "bin" / "python"
    mypy = (sys.executable, "-m", "mypy", "--strict", "--python-executable", python)
    done = run(*mypy, "program.py", cwd=folder)
    assert done.returncode == 0, done.stdout
