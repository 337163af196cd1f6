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
from cnn.serving.admission import Ticket
from cnn.serving.reader import Reader

if TYPE_CHECKING:
    from cnn.classifier import Classifier
    from cnn.number_prediction import NumberPrediction

# Longest side of a picture, in pixels.
MAX_SIDE = 1024


class PreviewMaker:
    """Makes previews of the sources of one request.

    An instance is a function for `Reader.read`.
    """

    def __init__(self, reader: Reader, ticket: Ticket) -> None:
        """Takes what the previews need.

        Args:
          reader: has the pictures made.
          ticket: takes their memory.
        """
        self._reader = reader
        self._ticket = ticket
        self._num_rows = 0

    async def __call__(
        self,
        classifier: "Classifier",
        results: Sequence[SourceResult],
        files: Sequence[PreprocessedFile],
    ) -> list[dict[str, Any]]:
        """Makes the previews of some sources, as JSON values.

        Args:
          classifier: has read them.
          results: what was read, while the files are still open.
          files: the result of preprocessing each.
        """
        previews = []
        for of_source, file in zip(results, files, strict=True):
            picture = await self._make_picture(classifier, of_source)
            preview = await asyncio.to_thread(
                _describe_source, classifier, of_source, file, picture
            )
            end = self._num_rows + len(of_source.predictions)
            preview["rows"] = list(range(self._num_rows, end))
            self._num_rows = end
            previews.append(preview)
        return previews

    async def _make_picture(
        self, classifier: "Classifier", of_source: SourceResult
    ) -> Preview | None:
        prediction = of_source.predictions[0]
        if prediction.status == "unreadable":
            return None
        options = PreviewOptions(MAX_SIDE)
        if isinstance(prediction, Prediction) and prediction.prediction:
            options = options._replace(
                preprocessing=classifier.preprocessing,
                candidate=prediction.candidate,
            )
        file = await self._reader.preprocess(of_source.source, options)
        if file.preview is not None:
            self._ticket.take(len(file.preview.picture))
        return file.preview


def _describe_source(
    classifier: "Classifier",
    of_source: SourceResult,
    file: PreprocessedFile,
    picture: Preview | None,
) -> dict[str, Any]:
    region = of_source.source.region
    return {
        "path": of_source.file.name,
        "page": of_source.source.page,
        "region": region.name if region else None,
        "classes": list(classifier.class_names),
        **_describe_picture(picture),
        "characters": _describe_characters(classifier, of_source, file, picture),
    }


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
