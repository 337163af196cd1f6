"""Plots that nothing in the user's surroundings changes or prevents."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from cnn import plots
from cnn.plot_tag import PLOT_SOFTWARE
from tests.conftest import ROOT
from tests.plots.conftest import read_pixels

NAME = "数字 $x_ 😀.png"
DRAW = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(ROOT)!r})
import numpy as np
from cnn import plots
gray = np.full((28, 28, 3), 200, np.uint8)
ink = np.zeros((28, 28), np.float32)
plots.plot_preprocessing(gray, ink, ink[..., None], {NAME!r}, Path(sys.argv[1]))
"""
SETTINGS = b"backend: nonsense\nsavefig.dpi: 1000\ntext.usetex: True\nfont.size: 40\n"


def draw(path: Path, caption: str = NAME) -> None:
    gray = np.full((28, 28, 3), 200, np.uint8)
    ink = np.zeros((28, 28), np.float32)
    plots.plot_preprocessing(gray, ink, ink[..., None], caption, path)


@pytest.mark.parametrize(
    ("settings", "variables"),
    [
        (b"", {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}),
        (SETTINGS, {"MPLBACKEND": "nonsense", "PYTHONWARNINGS": "error"}),
        (
            b"\xff\xfe no text",
            {"MATPLOTLIBRC": "{cwd}/matplotlibrc", "MPLCONFIGDIR": "/proc/none"},
        ),
        # Neither a home nor a temporary folder.
        (b"", {"HOME": os.devnull, "TMPDIR": os.devnull}),
    ],
)
def test_surroundings_neither_change_a_plot_nor_get_a_file(
    tmp_path, settings, variables
):
    cwd, home = tmp_path / "cwd", tmp_path / "home"
    temporary = tmp_path / "tmp"
    for folder in (cwd, home, temporary):
        folder.mkdir()
    if settings:
        (cwd / "matplotlibrc").write_bytes(settings)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TMPDIR": str(temporary),
    }
    for name, value in variables.items():
        environment[name] = value.replace("{cwd}", str(cwd))
    done = subprocess.run(
        [sys.executable, "-c", DRAW, tmp_path / "found.png"],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    draw(tmp_path / "expected.png")
    expected = read_pixels(tmp_path / "expected.png")
    np.testing.assert_array_equal(read_pixels(tmp_path / "found.png"), expected)
    assert list(temporary.iterdir()) == []
    assert {path.name for path in cwd.iterdir()} <= {"matplotlibrc"}
    assert {path.name for path in home.iterdir()} <= {".cache"}


def test_settings_of_the_users_process_are_neither_used_nor_changed(tmp_path):
    draw(tmp_path / "expected.png")
    with mpl.rc_context({"font.size": 40, "text.usetex": True}):
        draw(tmp_path / "found.png")
        assert mpl.rcParams["font.size"] == 40
        assert mpl.rcParams["text.usetex"]
    expected = read_pixels(tmp_path / "expected.png")
    np.testing.assert_array_equal(read_pixels(tmp_path / "found.png"), expected)


def test_the_users_process_keeps_its_backend():
    script = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from cnn import plots
import matplotlib, os
print(matplotlib.get_backend(), os.environ["MPLBACKEND"])
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "MPLBACKEND": "svg"},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "svg svg\n", done.stderr


@pytest.mark.parametrize("letter", ["字", "😀", "\ud800", "\a", "\u202e", "\U0010ffff"])
def test_a_character_without_a_glyph_is_drawn_without_warning(
    tmp_path, capfd, texts, letter
):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        draw(tmp_path / "a.png", f"a {letter} 7")
    assert capfd.readouterr() == ("", "")
    shown = letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}"
    assert f"a {shown} 7" in texts()


def test_a_plot_that_cannot_be_drawn_or_written_raises_one_kind_of_error(tmp_path):
    with pytest.raises(OSError, match="No such file or directory"):
        draw(tmp_path / "none" / "a.png")
    with pytest.raises(OSError, match="KeyError: 'accuracy'"):
        plots.plot_training_curves([{"epoch": 1}], tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


def test_a_plot_says_that_it_is_one(tmp_path):
    draw(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert image.info["Software"] == PLOT_SOFTWARE
