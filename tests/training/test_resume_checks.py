import json
from pathlib import Path

from cnn.config import TrainConfig
from cnn.training.resume_checks import changed_settings


def test_differences_from_saved_settings_are_named():
    saved = json.loads(TrainConfig(seed=3).as_json())
    assert changed_settings(TrainConfig(seed=3), saved) == []
    other = TrainConfig(seed=4, epochs=5)
    assert changed_settings(other, saved) == ["epochs", "seed"]
    del saved["shear_factor"]
    assert changed_settings(TrainConfig(seed=3), saved) == ["shear_factor"]


def test_paths_and_processes_may_differ():
    saved = json.loads(TrainConfig(seed=3).as_json())
    elsewhere = TrainConfig(
        seed=3,
        model=Path("other.h5"),
        restart=True,
        coordinator="host:1",
        num_processes=4,
        process_id=2,
        heartbeat_timeout=5,
    )
    assert changed_settings(elsewhere, saved) == []
