"""Runs the documentation: doctests, and the README's commands and snippets."""

import doctest
import importlib
import os
import pkgutil
import re
import shlex
import shutil
import subprocess
import sys

import pytest

import cnn
from cnn.config import PRESETS, ExportConfig, InferConfig, ServeConfig, TrainConfig
from cnn.flags import name_positional, parse_config, parse_preset
from tests.conftest import ROOT

MODULES = [module.name for module in pkgutil.walk_packages(cnn.__path__, "cnn.")]
DOCUMENTS = [
    "README.md",
    "cnn/README.md",
    "cnn/CHANGELOG.md",
    ".github/CONTRIBUTING.md",
]
DOCUMENTS += ["tests/benchmarks/README.md", "cnn/models/README.md"]
# They have commands, too.
MANUALS = [
    "cnn/inference/README.md",
    "cnn/serving/README.md",
    "cnn/training/README.md",
]
DOCUMENTS += MANUALS
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name, data_dir):
    failed, _ = doctest.testmod(
        importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert failed == 0


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def commands(name: str) -> list[str]:
    """Returns every `bin/NAME` command of the documents, with its arguments."""
    texts = [README, *((ROOT / manual).read_text() for manual in MANUALS)]
    found = "".join(block for text in texts for block in blocks("sh", text))
    return re.findall(rf"bin/{name}[^&|;>#\n]*", found)


def test_the_first_two_commands_are_one_line_each():
    first, second = blocks("sh")[:2]
    for command in (first, second):
        assert len(command.splitlines()) == 1
        assert command.startswith("python3 -m venv .venv && .venv/bin/pip install ")
    assert "bin/train && .venv/bin/python bin/infer --input tests/samples" in first
    assert second.rstrip().endswith(".venv/bin/python -m pytest")


def test_ci_takes_the_second_command_from_the_readme():
    """The pattern by which .ci/run finds its command finds the second one alone."""
    script = (ROOT / ".ci" / "run").read_text()
    (pattern,) = re.findall(r"grep -m 1 -- '(.*?)' README.md", script)
    found = [line for line in README.splitlines() if re.search(pattern, line)]
    assert found == [blocks("sh")[1].rstrip()]


@pytest.mark.parametrize("snippet", blocks("python"))
def test_python_snippets_run(snippet, trained, tmp_path):
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


@pytest.mark.parametrize("command", commands("train"))
def test_every_training_command_is_valid(command):
    arguments = shlex.split(command)[1:]
    preset = parse_preset(arguments)
    parse_config("train", TrainConfig, arguments, {"preset": preset, **PRESETS[preset]})


@pytest.mark.parametrize("command", commands("infer"))
def test_every_inference_command_is_valid(command):
    parse_config("infer", InferConfig, shlex.split(command)[1:], {})


@pytest.mark.parametrize("command", commands("export"))
def test_every_export_command_is_valid(command):
    arguments = name_positional(shlex.split(command)[1:], "--output")
    parse_config("export", ExportConfig, arguments, {})


@pytest.mark.parametrize("command", commands("serve"))
def test_every_serving_command_is_valid(command):
    parse_config("serve", ServeConfig, shlex.split(command)[1:], {})


def test_the_readme_has_commands_of_each_kind():
    assert len(commands("train")) >= 5
    assert len(commands("infer")) >= 8
    assert len(commands("export")) >= 3
    assert len(commands("serve")) >= 2


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_that_a_document_links_to_exists(document):
    path = ROOT / document
    for name in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
        assert (path.parent / name).exists(), name


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_module_that_a_document_runs_exists(document):
    text = (ROOT / document).read_text()
    for module in re.findall(r"python -m (tests[\w.]*)", text):
        assert importlib.util.find_spec(module), module
