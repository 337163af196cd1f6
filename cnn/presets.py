"""The recipes of training that `--preset` chooses."""

from pathlib import Path
from typing import Literal

Preset = Literal["fast", "default", "best", "finetune"]

# Recipes, as differences from the defaults of `TrainConfig`.
PRESETS: dict[str, dict[str, int | float | str | Path]] = {
    # For a first look: six of ten images once, without corruptions and outliers.
    "fast": {
        "epochs": 1,
        "epoch_fraction": 0.6,
        "batch_size": 32,
        "learning_rate": 6e-3,
        "warmup_fraction": 0.1,
        "label_smoothing": 0.03,
        "ema_decay": 0.99,
        "corruption_prob": 0.0,
        "outlier_fraction": 0.0,
    },
    "default": {},
    # For the highest accuracy, also on pages: long, regularized, with all additional
    # examples.
    "best": {
        "epochs": 60,
        "batch_size": 128,
        "optimizer": "adam",
        "learning_rate": 3e-3,
        "elastic_sigma": 0.3,
        "corruption_prob": 0.5,
        "corruption_prob_final": 0.03,
        "outlier_fraction": 0.03,
        "synthetic_glyph_fraction": 0.2,
        "simulated_page_fraction": 0.16,
        "simulated_string_fraction": 0.3,
    },
    # For a model that reads already, and some pictures that it shall read better.
    "finetune": {
        "init": Path("digits"),
        "epochs": 2,
        "rehearsal_size": 20_000,
        "images_share": 0.33,
        "batch_size": 128,
        "optimizer": "adam",
        "weight_decay": 0.0,
        "learning_rate": 3e-3,
        "ema_decay": 0.997,
        "rotation_degrees": 15.0,
        "scale_range": 0.15,
        "shear_factor": 0.2,
        "elastic_sigma": 0.5,
        "corruption_prob": 0.0,
        "outlier_fraction": 0.05,
    },
}
