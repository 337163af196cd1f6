"""The import rules of cnn/README.md, as import-linter reads them from pyproject.toml."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

LINT = Path(sys.executable).with_name("lint-imports")


def lint(folder):
    """Runs import-linter on the package in a folder."""
    return subprocess.run(
        [LINT, "--no-cache"], cwd=folder, capture_output=True, text=True, timeout=100
    )


@pytest.fixture
def copied(tmp_path):
    """A copy of the package and its contracts."""
    ignored = shutil.ignore_patterns("__pycache__", "mnist")
    shutil.copytree(ROOT / "cnn", tmp_path / "cnn", ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_package_keeps_the_import_rules(copied):
    done = lint(copied)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("module", "planted"),
    [
        ("image_files/listing.py", "from cnn.training import loop"),
        ("training/loop.py", "import cnn.inference.cells"),
        ("preprocessing/decode.py", "from cnn.augmentation import affine"),
        ("model.py", "from cnn import classifier"),
        ("errors.py", "import cnn.config"),
    ],
)
def test_a_planted_import_against_the_rules_is_found(copied, module, planted):
    path = copied / "cnn" / module
    path.write_text(f"{path.read_text()}\n\ndef planted():\n    {planted}\n")
    done = lint(copied)
    assert done.returncode == 1
    importer = module.removesuffix(".py").replace("/", ".")
    assert f"cnn.{importer} ->" in done.stdout
    assert "BROKEN" in done.stdout


def test_initializers_only_export():
    for path in (ROOT / "cnn").rglob("__init__.py"):
        lines = path.read_text().splitlines()
        assert len(lines) <= 40, path
        if path.parent.name != "cnn":
            assert not any(line.startswith(("def ", "class ")) for line in lines), path


def test_no_file_has_more_than_300_lines():
    long = [
        p for p in (ROOT / "cnn").rglob("*.py") if len(p.read_text().splitlines()) > 300
    ]
    assert long == []
