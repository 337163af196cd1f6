"""The network on several devices."""

import os
import subprocess
import sys

import numpy as np
import pytest

from cnn import keras_h5
from tests.conftest import ROOT, command
from tests.reference import random_params

SCRIPT = """
import sys
import jax, numpy as np
from cnn.forward import forward_in_batches, images_per_call
from tests.reference import random_params

size = images_per_call() // jax.local_device_count()
images = np.random.default_rng(0).integers(0, 256, (4 * size + 1, 28, 28), np.uint8)
seen = set()
original = jax.device_put

def device_put(array, device):
    seen.add(device)
    return original(array, device)

jax.device_put = device_put
results = []
for count in (0, 1, size, size + 1, 4 * size + 1):
    results += forward_in_batches(random_params(), images[:count], 10)
np.savez(sys.argv[1], *results)
print(jax.local_device_count(), len(seen))
"""


def with_devices(count: int) -> dict[str, str]:
    flags = f"--xla_force_host_platform_device_count={count}"
    return {**os.environ, "XLA_FLAGS": flags}


@pytest.mark.parametrize("num_devices", [2, 3, 7])
def test_any_number_of_devices_gives_the_same_bits(tmp_path, num_devices):
    """The most images are five batches, so at most five devices have work."""
    outputs = []
    for count in (1, num_devices):
        output = tmp_path / f"{count}.npz"
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(output)],
            cwd=ROOT,
            env=with_devices(count),
            capture_output=True,
            text=True,
            timeout=200,
        )
        assert done.stdout == f"{count} {min(count, 5)}\n", done.stderr
        outputs.append(np.load(output))
    one, several = outputs
    assert len(one.files) == 10
    for name in one.files:
        np.testing.assert_array_equal(one[name], several[name])


def test_the_rows_of_a_folder_are_the_same_on_four_devices(tmp_path, digit_paths):
    names = [str(digit) for digit in range(10)]
    metadata = {"class_names": names, "preprocessing": "mnist", "unsure_below": 0.5}
    keras_h5.save(tmp_path / "model.h5", random_params(), metadata)
    folder = os.path.dirname(digit_paths[0])
    outputs = []
    for count in (1, 4):
        output = tmp_path / f"{count}.csv"
        run = command(
            "infer", "--input", folder, "--model", tmp_path / "model.h5",
            "--output", output, "--plot", "none", "--probabilities",
        )  # fmt: skip
        subprocess.run(run, env=with_devices(count), check=True, timeout=200)
        outputs.append(output.read_bytes())
    assert outputs[0] == outputs[1]
    assert outputs[0].count(b"\n") == 301
