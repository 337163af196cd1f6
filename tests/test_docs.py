"""What is written for people is run: doctests, and the README's commands and snippets."""

import doctest
import importlib
import os
import pkgutil
import re
import shutil
import subprocess
import sys

import pytest

import cnn
from tests.conftest import ROOT

MODULES = [module.name for module in pkgutil.walk_packages(cnn.__path__, "cnn.")]
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name, data_dir):
    failed, _ = doctest.testmod(
        importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert failed == 0


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_the_first_two_commands_are_one_line_each():
    first, second = blocks("sh")[:2]
    for command in (first, second):
        assert len(command.splitlines()) == 1
        assert command.startswith("python3 -m venv .venv && .venv/bin/pip install ")
    assert "bin/train && .venv/bin/python bin/infer --input tests/samples" in first
    assert second.rstrip().endswith(".venv/bin/python -m pytest")
    assert (
        second in (ROOT / ".ci" / "run").read_text()
        or "README.md" in (ROOT / ".ci" / "run").read_text()
    )


@pytest.mark.parametrize("snippet", blocks("python"))
def test_python_snippets_run(snippet, trained, tmp_path):
    if "tf_keras" in snippet:
        pytest.importorskip("tf_keras")
    shutil.copy(trained / "mnist_model.h5", tmp_path)
    shutil.copytree(ROOT / "tests" / "samples", tmp_path / "tests" / "samples")
    env = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", snippet],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "line", [line for block in blocks("sh")[2:] for line in block.splitlines()]
)
def test_every_command_parses(line):
    """Each `bin/...` command of the README is one that the program takes: with --help it says so."""
    for command in re.findall(r"bin/(?:train|infer)[^&|;>#]*", line):
        words = command.split()
        done = subprocess.run(
            [sys.executable, *words, "--help"], cwd=ROOT, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr


def test_every_file_named_in_the_readme_exists():
    for name in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / name).exists(), name
