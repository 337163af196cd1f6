"""The description of a model that rides along in an exported file.

Example:
  >>> content = append_metadata(b"model", {"class_names": ["a", "b"]})
  >>> content.startswith(b"model")
  True
  >>> with zipfile.ZipFile(io.BytesIO(content)) as archive:
  ...     json.loads(archive.read("metadata.json"))
  {'class_names': ['a', 'b']}
"""

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import cnn
from cnn.classifier import Classifier
from cnn.models import DIGITS
from cnn.preprocessing.network_input import PREPROCESSING

# Names of the network's input and output in every format.
INPUT_NAME = "images"
OUTPUT_NAME = "probabilities"

_FILE_NAME = "metadata.json"
_DIGITS_LICENSE = (
    "CC BY-SA 3.0, as the MNIST database by Yann LeCun, Corinna Cortes and "
    "Christopher J.C. Burges, from which it was trained"
)
# What of the metadata of a model file another program may need, too.
_KEPT_NAMES = ("dataset", "temperature", "string_weights")


def describe_model(classifier: Classifier, model: Path) -> dict[str, Any]:
    """Describes a model and its input, for programs that call the exported network.

    Args:
      classifier: the model.
      model: its file or workdir.

    Returns:
      JSON values by name.
    """
    known = classifier.metadata
    is_file = model.is_file()
    license_text = known.get("license", _DIGITS_LICENSE if model == DIGITS else None)
    optional = {
        "sha256": hashlib.sha256(model.read_bytes()).hexdigest() if is_file else None,
        "license": license_text,
        **{name: known.get(name) for name in _KEPT_NAMES},
    }
    return {
        "name": model.stem if is_file else model.resolve().name,
        "producer": f"cnn {cnn.__version__}",
        "class_names": list(classifier.class_names),
        "input": "float32 (N, 28, 28, 1) in [0, 1]: light ink 1 on dark background 0",
        "output": f"float32 (N, {len(classifier.class_names)}): the probability of "
        "each class, in the order of class_names",
        "preprocessing": classifier.preprocessing,
        "preprocessing_steps": _describe_preprocessing(classifier.preprocessing),
        "calibration": _describe_calibration(classifier),
        "unsure_below": classifier.unsure_below,
        "string_unsure_below": classifier.string_unsure_below,
        **{name: value for name, value in optional.items() if value is not None},
    }


def append_metadata(content: bytes, metadata: dict[str, Any]) -> bytes:
    """Appends a ZIP archive with a description to a flatbuffer.

    A flatbuffer is read from its beginning and a ZIP archive from its end, so readers
    of either ignore the other. So TensorFlow Lite packs "associated files".
    """
    file = io.BytesIO(content)
    # Without the time, the same model gives the same bytes.
    entry = zipfile.ZipInfo(_FILE_NAME)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(entry, json.dumps(metadata, indent=1))
    return file.getvalue()


def _describe_preprocessing(name: str) -> str:
    placement = PREPROCESSING[name]
    if placement is None:
        return "the whole picture, as gray levels, scaled to 28×28"
    center = "center of mass" if placement.by_center_of_mass else "bounding box"
    return (
        "the ink of one character, antialiased, its longer side scaled to "
        f"{placement.box} pixels, in 28×28 centered by its {center}"
    )


def _describe_calibration(classifier: Classifier) -> str:
    if "unsure_below" not in classifier.metadata:
        return "unknown"
    return "temperature scaling, which is part of the last layer"
