"""The same rows in every locale."""

import os
import subprocess
import unicodedata
from pathlib import Path

import pytest

from tests.conftest import command
from tests.inference.conftest import read_folder

NOT_UTF8 = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.fixture(scope="module")
def latin_1(tmp_path_factory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("locales")
    name = "en_US.ISO-8859-1"
    line = ["localedef", "-i", "en_US", "-f", "ISO-8859-1", str(folder / name)]
    try:
        subprocess.run(line, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("localedef cannot make a locale")
    return {"LOCPATH": str(folder), "LC_ALL": name, **NOT_UTF8}


@pytest.fixture
def ascii_only() -> dict[str, str]:
    return {"LC_ALL": "C", **NOT_UTF8}


@pytest.fixture
def named(digits, tmp_path) -> Path:
    """Two digits with names beyond latin-1, and one that is no UTF-8."""
    folder = tmp_path / "é"
    folder.mkdir()
    names = ["é.png".encode(), "日本.png".encode(), b"\xff.png"]
    for index, name in enumerate(names):
        (digits / f"a/scan{index}.png").rename(folder / os.fsdecode(name))
    return folder


@pytest.mark.parametrize("locale", ["latin_1", "ascii_only"])
def test_names_are_utf8_in_every_locale(locale, named, model, tmp_path, request):
    table = tmp_path / "l.csv"
    rows = unicodedata.normalize("NFD", "é.png,7\n日本.png,2\n")
    table.write_text(rows, encoding="utf-8")
    read_folder(named, model, tmp_path / "expected.csv", labels=table)
    flags = ["--input", named, "--model", model, "--labels", table, "--plot", "none"]
    environment = os.environ | request.getfixturevalue(locale)
    line = command("infer", *flags, "--debug-dir", "ü")
    done = subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (tmp_path / "expected.csv").read_bytes()
    drawn = sorted(os.listdir(tmp_path / "ü"))
    assert drawn == sorted(f"{name}.png" for name in os.listdir(named))


@pytest.mark.parametrize("name", ["train", "infer"])
def test_the_help_is_printed_in_every_locale(name, ascii_only):
    environment = os.environ | ascii_only
    line = command(name, "--help")
    done = subprocess.run(line, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "--model" in done.stdout
