import dataclasses
import json
import re
from pathlib import Path

import pytest

from cnn.config import PRESETS, InferConfig, TrainConfig, flag_name
from cnn.errors import UsageError
from tests.conftest import ROOT


def test_names_of_the_set_fill_in_the_paths():
    assert (TrainConfig().folder, TrainConfig().model_file) == (
        Path("runs/mnist"),
        Path("mnist_model.h5"),
    )
    letters = TrainConfig(dataset="emnist/letters:3.1.0")
    assert (letters.folder, letters.model_file) == (
        Path("runs/emnist_letters"),
        Path("emnist_letters_model.h5"),
    )
    assert TrainConfig(model=Path("x.h5"), workdir=Path("w")).folder == Path("w")


def test_settings_survive_json_and_differences_are_named():
    saved = json.loads(TrainConfig(seed=3).as_json())
    assert TrainConfig(seed=3).differences(saved) == []
    assert (
        TrainConfig(seed=3, model=Path("other.h5"), restart=True).differences(saved)
        == []
    )
    assert TrainConfig(seed=4, epochs=5).differences(saved) == ["epochs", "seed"]
    del saved["shear"]
    assert TrainConfig(seed=3).differences(saved) == ["shear"]


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_change_only_what_exists(preset):
    TrainConfig(preset=preset, **PRESETS[preset])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"epochs": 0}, "--epochs: expected 1 or more, got 0"),
        ({"batch_size": -3}, "--batch-size: expected 1 or more, got -3"),
        ({"learning_rate": 0.0}, "--learning-rate: expected 1e-12 or more, got 0.0"),
        ({"ema_decay": 1.0}, "--ema-decay: expected 0.999999 or less, got 1.0"),
        ({"warmup": 1.5}, "--warmup-fraction: expected 1 or less, got 1.5"),
        ({"scale": float("inf")}, "--scale-range: expected 0 or more, got inf"),
        ({"corruption": 1.1}, "--corruption-prob: expected 1 or less, got 1.1"),
    ],
)
def test_values_out_of_range_are_refused_by_flag(settings, words):
    with pytest.raises(UsageError, match=re.escape(words)):
        TrainConfig(**settings)


@pytest.mark.parametrize("config", [TrainConfig, InferConfig])
def test_every_setting_is_in_the_readme_with_its_default(config):
    readme = (ROOT / "README.md").read_text()
    for field in dataclasses.fields(config):
        name = flag_name("no_recursive" if field.name == "recursive" else field.name)
        rows = re.findall(rf"^\| `{name}` \| (.*?) \|", readme, re.MULTILINE)
        if field.default is dataclasses.MISSING:
            assert rows == ["required"]
        elif not isinstance(field.default, bool) and field.default is not None:
            assert f"`{field.default}`" in rows
        else:
            assert rows
