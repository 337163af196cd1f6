"""What a person wants to see of a picture that was read: where, and as what."""

import asyncio
import base64
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from cnn.decoding import CharacterReading
from cnn.inference.source_predictions import SourceResult
from cnn.prediction import Prediction
from cnn.preprocessing.preprocessed_file import PreprocessedFile, Preview
from cnn.preprocessing.source import PreviewOptions
from cnn.preprocessing.text_lines import TextLine
from cnn.serving.reader import Reader, ReadResult

if TYPE_CHECKING:
    from cnn.classifier import Classifier
    from cnn.number_prediction import NumberPrediction

# Longest side of a picture, in pixels.
MAX_SIDE = 1024


async def make_previews(reader: Reader, result: ReadResult) -> list[dict[str, Any]]:
    """Makes the previews of all sources of a request, as JSON values.

    Args:
      reader: has the pictures made.
      result: what was read, while its files are still open.
    """
    pictures = [await _make_picture(reader, result, of) for of in result.results]
    return await asyncio.to_thread(_describe_sources, result, pictures)


async def _make_picture(
    reader: Reader, result: ReadResult, of_source: SourceResult
) -> Preview | None:
    prediction = of_source.predictions[0]
    if prediction.status == "unreadable":
        return None
    options = PreviewOptions(MAX_SIDE)
    if isinstance(prediction, Prediction) and prediction.prediction:
        options = options._replace(
            preprocessing=result.classifier.preprocessing,
            candidate=prediction.candidate,
        )
    file = await reader.preprocess(of_source.source, options)
    return file.preview


def _describe_sources(
    result: ReadResult, pictures: Sequence[Preview | None]
) -> list[dict[str, Any]]:
    previews = []
    first_row = 0
    for of, file, picture in zip(result.results, result.files, pictures, strict=True):
        end = first_row + len(of.predictions)
        previews.append(
            {
                "path": of.file.name,
                "page": of.source.page,
                "region": of.source.region.name if of.source.region else None,
                "rows": list(range(first_row, end)),
                "classes": list(result.classifier.class_names),
                **_describe_picture(picture),
                "characters": _describe_characters(
                    result.classifier, of, file, picture
                ),
            }
        )
        first_row = end
    return previews


def _describe_picture(picture: Preview | None) -> dict[str, Any]:
    if picture is None:
        names = ("width", "height", "picture", "picture_box", "mask")
        return dict.fromkeys(names)
    return {
        "width": picture.size[0],
        "height": picture.size[1],
        "picture": _data_url(picture.picture),
        "picture_box": picture.picture_box,
        "mask": _data_url(picture.mask) if picture.mask else None,
    }


def _describe_characters(
    classifier: "Classifier",
    of_source: SourceResult,
    file: PreprocessedFile,
    picture: Preview | None,
) -> list[list[dict[str, Any]]]:
    """Describes the characters of each row of a source."""
    described: list[list[dict[str, Any]]] = []
    for prediction in of_source.predictions:
        if not isinstance(prediction, Prediction):
            described.append(_describe_number(classifier, prediction, file.lines))
        elif prediction.image is None:
            described.append([])
        else:
            box = picture.ink_box if picture else None
            described.append([_describe_character(prediction, box)])
    return described


def _describe_character(
    prediction: Prediction, box: tuple[float, ...] | None
) -> dict[str, Any]:
    assert prediction.image is not None
    assert prediction.probabilities is not None
    return {
        "box": box,
        "prediction": prediction.prediction,
        "confidence": prediction.confidence,
        "runner_up": "",
        "probabilities": _round(prediction.probabilities),
        "image": _network_input(prediction.image),
    }


def _describe_number(
    classifier: "Classifier", number: "NumberPrediction", lines: Sequence[TextLine]
) -> list[dict[str, Any]]:
    pieces = [_find_piece(character, lines) for character in number.characters]
    images = [piece for piece in pieces if piece is not None]
    outputs: Any = iter(())
    if images:
        outputs = iter(classifier.predict_proba(np.stack(images)))
    return [
        {
            "box": character.box,
            "prediction": character.prediction,
            "confidence": character.confidence,
            "runner_up": character.runner_up,
            "probabilities": None if piece is None else _round(next(outputs)),
            "image": None if piece is None else _network_input(piece),
        }
        for character, piece in zip(number.characters, pieces, strict=True)
    ]


def _find_piece(
    character: CharacterReading, lines: Sequence[TextLine]
) -> np.ndarray | None:
    """Finds the network input of a character, or None for a separator."""
    for line in lines:
        for lattice in line.lattices:
            arc = character.arc
            if arc >= len(lattice.starts) or not lattice.is_character[arc]:
                continue
            if tuple(lattice.boxes[arc].tolist()) == character.box:
                image: np.ndarray = lattice.images[arc]
                return image
    return None


def _round(probabilities: np.ndarray) -> list[float]:
    return [round(float(p), 6) for p in probabilities]


def _network_input(image: np.ndarray) -> str:
    """Returns a network input in [0, 1] as the data URL of a PNG."""
    pixels = np.rint(255 * image.reshape(28, 28)).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return _data_url(file.getvalue())


def _data_url(data: bytes) -> str:
    kind = "png" if data.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
