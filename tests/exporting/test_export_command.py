"""bin/export as a user meets it."""

import json
import os
import shutil
import stat
import subprocess
import sys
import zipfile

import numpy as np
import onnxruntime
import pytest

from cnn import checkpoint, keras_h5
from cnn.models import DIGITS
from tests.conftest import ROOT
from tests.exporting.networks import IMAGES, predict_proba, save_model
from tests.reference import random_params
from tests.test_cli import failure
from tests.test_keras_h5 import keras_model, model_layers


def run_onnx(path):
    return onnxruntime.InferenceSession(path).run(None, {"images": IMAGES[:7]})[0]


def test_without_a_model_the_shipped_one_is_exported(run, tmp_path):
    done = run("export", "--to", "onnx", "out.onnx")
    assert (done.returncode, done.stdout) == (0, "")
    first, second = done.stderr.splitlines()
    assert first == "model: digits, shipped with cnn"
    size = (tmp_path / "out.onnx").stat().st_size
    assert second == f"out.onnx: {size:,} bytes, onnx, 10 classes"
    expected = predict_proba(DIGITS, 7)
    np.testing.assert_allclose(run_onnx(tmp_path / "out.onnx"), expected, atol=1e-5)


def test_a_file_of_keras_is_exported(run, tmp_path):
    keras_model(*model_layers(26)).save(tmp_path / "keras.h5")
    done = run("export", "--model", "keras.h5", "out.onnx")
    assert done.returncode == 0, done.stderr
    expected = predict_proba(tmp_path / "keras.h5", 7)
    assert expected.shape == (7, 26)
    np.testing.assert_allclose(run_onnx(tmp_path / "out.onnx"), expected, atol=1e-5)


def test_a_workdir_is_exported_with_its_temperature(run, tmp_path):
    with checkpoint.open_manager(tmp_path / "run" / "checkpoints") as manager:
        state = {"params": random_params(), "ema_params": random_params(seed=2)}
        metadata = {"class_names": list("0123456789"), "temperature": 1.7}
        checkpoint.save(manager, 1, state, metadata, accuracy=0.5)
    done = run("export", "--model", "run", "out.onnx")
    assert done.returncode == 0, done.stderr
    expected = predict_proba(tmp_path / "run", 7)
    np.testing.assert_allclose(run_onnx(tmp_path / "out.onnx"), expected, atol=1e-5)
    session = onnxruntime.InferenceSession(tmp_path / "out.onnx")
    known = session.get_modelmeta().custom_metadata_map
    assert (known["name"], known["temperature"]) == ("run", "1.7")
    assert "sha256" not in known


@pytest.mark.parametrize("to", ["onnx", "stablehlo", "tflite"])
def test_names_that_are_not_utf_8_are_kept_readable(run, tmp_path, to):
    """As a folder of pictures may have them, whose names become those of classes."""
    folder = os.fsdecode(b"m\xe9")
    (tmp_path / folder).mkdir()
    metadata = {"class_names": [folder, "é"]}
    keras_h5.save(tmp_path / folder / f"{folder}.h5", random_params(2), metadata)
    done = run("export", "--model", f"{folder}/{folder}.h5", f"out.{to}")
    assert done.returncode == 0, done.stderr
    if to == "onnx":
        session = onnxruntime.InferenceSession(tmp_path / "out.onnx")
        known = session.get_modelmeta().custom_metadata_map
        assert json.loads(known["class_names"]) == metadata["class_names"]
        assert known["name"] == "m\\udce9"
    else:
        with zipfile.ZipFile(tmp_path / f"out.{to}") as archive:
            known = json.loads(archive.read("metadata.json"))
        assert known["class_names"] == metadata["class_names"]


def test_what_cannot_be_written_is_said_in_one_line(run, tmp_path):
    (tmp_path / "folder.onnx").mkdir()
    (tmp_path / "a.txt").touch()
    shutil.copy(save_model(tmp_path), tmp_path / "model.onnx")
    (tmp_path / "link.onnx").symlink_to("model.onnx")
    for output, words in (
        ("folder.onnx", "folder.onnx: is a folder; --output needs the name of a file"),
        ("none/out.onnx", "none: no such folder; make it, or give another --output"),
        ("a.txt/out.onnx", "a.txt: no such folder"),
        ("model.onnx", "model.onnx: is also --model; give another --output"),
        ("link.onnx", "link.onnx: is also --model; give another --output"),
    ):
        done = run("export", "--model", "model.onnx", output)
        assert failure(done, 1).startswith(f"error: {words}")
    assert "expected the ending" in failure(run("export", "--to", "onnx", "a.h5"), 2)
    done = run("export", "--model", "none.h5", "out.onnx")
    assert failure(done, 1).startswith("error: none.h5: no such model file")
    assert not (tmp_path / "out.onnx").exists()


def test_a_damaged_model_leaves_the_old_file(run, tmp_path):
    (tmp_path / "out.onnx").write_text("old")
    damaged = bytearray(save_model(tmp_path).read_bytes())
    damaged[-1000] ^= 1
    (tmp_path / "damaged.h5").write_bytes(damaged)
    done = run("export", "--model", "damaged.h5", "out.onnx")
    assert failure(done, 1).startswith("error: damaged.h5: damaged model file")
    assert (tmp_path / "out.onnx").read_text() == "old"


def test_an_old_file_is_replaced_and_a_link_followed(run, tmp_path):
    (tmp_path / "target.onnx").write_text("old")
    (tmp_path / "link.onnx").symlink_to("target.onnx")
    assert run("export", "link.onnx").returncode == 0
    assert (tmp_path / "link.onnx").is_symlink()
    assert run_onnx(tmp_path / "target.onnx").shape == (7, 10)
    assert sorted(os.listdir(tmp_path)) == ["link.onnx", "target.onnx"]
    assert stat.S_ISREG((tmp_path / "target.onnx").lstat().st_mode)


@pytest.mark.parametrize(
    ("to", "package"),
    [("onnx", "onnx"), ("tflite", "ai_edge_litert"), ("stablehlo", "flatbuffers")],
)
def test_a_missing_package_is_named_with_the_command_that_installs_it(
    tmp_path, to, package
):
    code = (
        f"import sys; sys.modules[{package!r}] = None; from cnn import cli; "
        f"sys.exit(cli.main_export(['out.{to}']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=100,
    )
    words = f"error: --to {to}: needs the package {package}; run: pip install -e "
    assert failure(done, 1) == words + "'.[export]'"
    assert os.listdir(tmp_path) == []
