import json
import math
import re
import subprocess
import sys
from pathlib import Path

import pytest

import cnn
from cnn.config import PRESETS, InferConfig, TrainConfig
from cnn.errors import UsageError
from tests import make_flag_tables


def test_the_name_of_the_set_fills_in_the_paths():
    config = TrainConfig()
    assert config.resolved_workdir == Path("runs/mnist")
    assert config.resolved_model == Path("mnist_model.h5")
    letters = TrainConfig(dataset="emnist/letters:3.1.0")
    assert letters.resolved_workdir == Path("runs/emnist_letters")
    assert letters.resolved_model == Path("emnist_letters_model.h5")
    chosen = TrainConfig(model=Path("x.h5"), workdir=Path("w"))
    assert chosen.resolved_workdir == Path("w")
    assert chosen.resolved_model == Path("x.h5")


def test_json_holds_the_resolved_paths():
    saved = json.loads(TrainConfig(dataset="kmnist", data_dir=Path("d")).as_json())
    assert saved["workdir"] == "runs/kmnist"
    assert saved["model"] == "kmnist_model.h5"
    assert saved["data_dir"] == "d"


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_change_only_settings_that_exist(preset):
    config = TrainConfig(preset=preset, **PRESETS[preset])
    assert {name: getattr(config, name) for name in PRESETS[preset]} == PRESETS[preset]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"epochs": 0}, "--epochs: expected 1 or more, got 0"),
        ({"batch_size": -3}, "--batch-size: expected 1 or more, got -3"),
        ({"learning_rate": 0.0}, "--learning-rate: expected 1e-12 or more, got 0.0"),
        ({"ema_decay": 1.0}, "--ema-decay: expected 0.999999 or less, got 1.0"),
        ({"warmup_fraction": 1.5}, "--warmup-fraction: expected 1 or less, got 1.5"),
        ({"scale_range": math.inf}, "--scale-range: expected 0 or more, got inf"),
        ({"scale_range": 0.95}, "--scale-range: expected 0.9 or less, got 0.95"),
        ({"shear_factor": math.nan}, "--shear-factor: expected 0 or more, got nan"),
        ({"corruption_prob": 1.1}, "--corruption-prob: expected 1 or less, got 1.1"),
        ({"seed": 2**32}, "--seed: expected 4294967295 or less, got 4294967296"),
        (
            {"corruption_prob_final": -1.0},
            "--corruption-prob-final: expected 0 or more, got -1.0",
        ),
    ],
)
def test_training_values_out_of_range_are_refused_by_flag(settings, words):
    with pytest.raises(UsageError) as error:
        TrainConfig(**settings)
    assert str(error.value) == words


PROCESS = {"coordinator": "host:1234", "num_processes": 2, "process_id": 1}
TOGETHER = "--coordinator, --num-processes, --process-id go together"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"coordinator": None}, f"--coordinator: missing; {TOGETHER}"),
        ({"num_processes": None}, f"--num-processes: missing; {TOGETHER}"),
        ({"process_id": None}, f"--process-id: missing; {TOGETHER}"),
        (
            {"process_id": None, "num_processes": None},
            f"--num-processes, --process-id: missing; {TOGETHER}",
        ),
        ({"num_processes": 0}, "--num-processes: expected 1 or more, got 0"),
        ({"process_id": -1}, "--process-id: expected 0 or more, got -1"),
        ({"process_id": 2}, "--process-id: expected 1 or less, got 2"),
        ({"coordinator": "host"}, "--coordinator: expected HOST:PORT, got host"),
        ({"coordinator": ":80"}, "--coordinator: expected HOST:PORT, got :80"),
        ({"coordinator": ""}, "--coordinator: expected HOST:PORT, got "),
        (
            {"coordinator": "host:65536"},
            "--coordinator: expected HOST:PORT, got host:65536",
        ),
        ({"coordinator": "host:x"}, "--coordinator: expected HOST:PORT, got host:x"),
    ],
)
def test_an_incomplete_description_of_the_processes_is_refused(changed, words):
    with pytest.raises(UsageError) as error:
        TrainConfig(**PROCESS | changed)
    assert str(error.value) == words


@pytest.mark.parametrize("address", ["host:1234", "10.0.0.1:80", "[::1]:1234"])
def test_a_complete_description_of_the_processes_makes_a_run_distributed(address):
    assert TrainConfig(**PROCESS | {"coordinator": address}).is_distributed
    assert TrainConfig(distributed=True).is_distributed
    assert not TrainConfig().is_distributed


RAY = {"engine": "ray", "output": Path("rows")}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"top_k": 0}, "--top-k: expected 1 or more, got 0"),
        ({"unsure_below": 1.5}, "--unsure-below: expected 1 or less, got 1.5"),
        ({"workers": -1}, "--workers: expected 0 or more, got -1"),
        ({"decode_timeout": 0.0}, "--decode-timeout: expected 0.001 or more, got 0.0"),
        ({"resume": True}, "--resume: needs --output, the file of the interrupted run"),
        ({"ray_address": "auto"}, "--ray-address: goes with --engine ray"),
        (RAY | {"output": None}, "--engine ray: writes many files"),
        (RAY | {"resume": True}, "--resume: not with --engine ray"),
        (RAY | {"debug_dir": Path("d")}, "--debug-dir: not with --engine ray"),
    ],
)
def test_inference_values_that_make_no_sense_are_refused(settings, words):
    with pytest.raises(UsageError, match=f"^{re.escape(words)}"):
        InferConfig(Path("scans"), **settings)


@pytest.mark.parametrize("command", make_flag_tables.DOCUMENTS)
def test_a_document_has_the_flags_of_the_config(command):
    block = make_flag_tables.find_block(
        make_flag_tables.DOCUMENTS[command].read_text(), command
    )
    remedy = "run: python -m tests.make_flag_tables"
    assert block == make_flag_tables.make_block(command), remedy


def test_importing_the_package_imports_neither_jax_nor_numpy():
    script = (
        "import sys, cnn; dir(cnn); cnn.Error\n"
        "heavy = {'jax', 'numpy', 'cv2', 'matplotlib', 'tyro'}\n"
        "print(heavy & set(sys.modules))\n"
        "cnn.Classifier, cnn.Prediction\n"
        "print('numpy' in sys.modules)\n"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\nTrue\n"


def test_the_package_lists_its_public_names_and_no_others():
    assert set(cnn.__all__) <= set(dir(cnn))
    assert {name for name in dir(cnn) if name[0].isupper()} == set(cnn.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'Clasifier'"):
        cnn.Clasifier  # noqa: B018
