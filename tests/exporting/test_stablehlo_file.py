"""StableHLO files, called by JAX without Flax and without this package."""

import json
import subprocess
import sys
import zipfile

import jax.export
import numpy as np
import pytest

from cnn.export_config import ExportConfig
from cnn.exporting import export_model
from tests.conftest import ROOT
from tests.exporting.networks import (
    BATCH_SIZES,
    IMAGES,
    NUM_CLASSES,
    predict_proba,
    save_model,
)

# Called with the file, the images and the results. An import of Flax or cnn fails.
CALLER = """
import sys

for name in ("flax", "cnn"):
    sys.modules[name] = None
import numpy as np
import jax.export

network = jax.export.deserialize(bytearray(open(sys.argv[1], "rb").read()))
images = np.load(sys.argv[2])
counts = map(int, sys.argv[4:])
np.savez(sys.argv[3], *[network.call(images[:count]) for count in counts])
print(*network.platforms)
"""


@pytest.mark.parametrize("num_classes", NUM_CLASSES)
def test_jax_alone_gives_our_probabilities(tmp_path, num_classes):
    model, output = save_model(tmp_path, num_classes), tmp_path / "model.stablehlo"
    export_model(ExportConfig(output, model=model))
    np.save(tmp_path / "images.npy", IMAGES)
    paths = [output, tmp_path / "images.npy", tmp_path / "found.npz"]
    done = subprocess.run(
        [sys.executable, "-c", CALLER, *map(str, paths), *map(str, BATCH_SIZES)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.stdout == "cpu cuda rocm tpu\n", done.stderr
    for count, found in zip(BATCH_SIZES, np.load(paths[2]).values(), strict=True):
        assert (found.shape, found.dtype) == ((count, num_classes), np.float32)
        np.testing.assert_allclose(found, predict_proba(model, count), atol=1e-5)


def test_the_description_is_an_archive_behind_the_program(tmp_path):
    model, output = save_model(tmp_path, 26), tmp_path / "model.stablehlo"
    export_model(ExportConfig(output, model=model))
    with zipfile.ZipFile(output) as archive:
        assert archive.testzip() is None
        metadata = json.loads(archive.read("metadata.json"))
    assert metadata["class_names"] == [f"é{i}" for i in range(26)]


def test_other_shapes_are_refused(tmp_path):
    output = tmp_path / "model.stablehlo"
    export_model(ExportConfig(output, model=save_model(tmp_path)))
    network = jax.export.deserialize(bytearray(output.read_bytes()))
    with pytest.raises(ValueError, match="28"):
        network.call(np.zeros((1, 32, 32, 1), np.float32))


def test_the_file_tells_no_path_of_this_machine(tmp_path):
    output = tmp_path / "model.stablehlo"
    export_model(ExportConfig(output, model=save_model(tmp_path)))
    content = output.read_bytes()
    for path in (ROOT, sys.prefix, tmp_path):
        assert str(path).encode() not in content
