import json
import pydoc

import numpy as np
import pytest
from PIL import Image, ImageDraw

import cnn
from cnn import calibration, checkpoint, keras_h5
from cnn.candidate_mixture import combine_candidates
from cnn.classifier import Classifier, Prediction
from cnn.preprocessing import pipeline
from tests.reference import forward, random_params

NAMES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
METADATA = {"class_names": NAMES, "preprocessing": "mnist", "unsure_below": 0.25}
IMAGES = np.random.default_rng(7).integers(0, 256, (300, 28, 28, 1), np.uint8)


@pytest.fixture
def model() -> Classifier:
    return Classifier(random_params(), METADATA)


def preprocessed(*images, status="ok", detail=""):
    """A preprocessed file with these images, `(28, 28, 1)`, as its candidates."""
    candidates = np.stack(images).astype(np.float32) / 255 if images else None
    return pipeline.PreprocessedFile(candidates, status, detail)


@pytest.mark.parametrize("count", [0, 1, 255, 256, 257, 300])
def test_any_number_of_images_has_the_probabilities_of_the_definition(model, count):
    probabilities = model.predict_proba(IMAGES[:count])
    assert probabilities.shape == (count, 10)
    assert probabilities.dtype == np.float32
    expected = forward(model.params, IMAGES[:count] / 255)
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)


def test_probabilities_do_not_depend_on_the_other_images_of_a_call(model):
    together = model.predict_proba(IMAGES)
    for index in (0, 255, 256, 299):
        alone = model.predict_proba(IMAGES[index : index + 1])
        np.testing.assert_array_equal(alone[0], together[index])


def test_logits_probabilities_and_labels_agree(model):
    logits = model.logits(IMAGES)
    probabilities = model.predict_proba(IMAGES)
    labels = model.predict(IMAGES)
    exponentials = np.exp(logits.astype(np.float64))
    expected = exponentials / exponentials.sum(-1, keepdims=True)
    np.testing.assert_allclose(probabilities, expected, atol=1e-6)
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(labels, probabilities.argmax(-1))


@pytest.mark.parametrize(
    "same",
    [
        IMAGES[..., 0],
        IMAGES.astype(np.int64),
        IMAGES / 255,
        (IMAGES / 255)[..., 0].astype(np.float32),
        IMAGES / 255 * (1 + 5e-7),
    ],
)
def test_integers_floats_and_a_missing_channel_axis_are_the_same_images(model, same):
    expected = model.predict_proba(IMAGES)
    np.testing.assert_allclose(model.predict_proba(same), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (IMAGES[0], "expected shape (N, 28, 28) or (N, 28, 28, 1), got (28, 28, 1)"),
        (IMAGES.reshape(-1, 14, 56), "got (300, 14, 56)"),
        (np.zeros((1, 28, 28, 3)), "got (1, 28, 28, 3)"),
        (np.full((1, 28, 28), 255.0), "got 255.0 to 255.0 as float64"),
        (np.full((1, 28, 28), 256), "got 256 to 256 as int64"),
        (np.full((1, 28, 28), -1), "got -1 to -1 as int64"),
        (np.full((1, 28, 28), np.nan), "got nan to nan as float64"),
    ],
)
def test_images_of_another_shape_or_range_are_refused(model, wrong, words):
    for method in (model.logits, model.predict_proba, model.predict):
        with pytest.raises(ValueError, match="images: expected") as error:
            method(wrong)
        assert words in str(error.value)


def test_files_with_one_several_and_no_candidates_are_classified_in_one_call(model):
    files = [
        preprocessed(IMAGES[0]),
        preprocessed(status="blank", detail="no ink found"),
        preprocessed(*IMAGES[1:5]),
        preprocessed(*IMAGES[5:7])._replace(weights=np.float32([1, 3])),
    ]
    predictions = model.classify(["a", "b", "c", "d"], files)
    assert [p.path for p in predictions] == ["a", "b", "c", "d"]
    assert predictions[1] == Prediction("b", "", 0.0, "blank", "no ink found")
    several = (
        (predictions[2], IMAGES[1:5], np.ones(4)),
        (predictions[3], IMAGES[5:7], np.array([1, 3])),
    )
    for prediction, images, weights in several:
        mixture = combine_candidates(model.predict_proba(images / 255), weights)
        assert prediction.candidate == mixture.best
        assert prediction.confidence == mixture.probabilities.max()
        assert prediction.prediction == NAMES[mixture.probabilities.argmax()]
        np.testing.assert_array_equal(prediction.probabilities, mixture.probabilities)
        image = images[mixture.best].astype(np.float32) / 255
        np.testing.assert_array_equal(prediction.image, image)


def test_the_first_of_equal_candidates_counts(model):
    twice = preprocessed(IMAGES[0], IMAGES[0])
    assert model.classify(["a"], [twice])[0].candidate == 0


def test_files_without_candidates_do_not_run_the_network(model):
    files = [preprocessed(status="unreadable", detail="no such file")] * 2
    predictions = model.classify(["a", "b"], files)
    assert [p.status for p in predictions] == ["unreadable", "unreadable"]
    assert model.classify([], []) == []


def test_paths_and_files_must_be_equally_many(model):
    with pytest.raises(ValueError, match="zip"):
        model.classify(["a", "b"], [preprocessed(IMAGES[0])])


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        ("", "confidence below 0.9900"),
        ("2 characters", "confidence below 0.9900; 2 characters"),
    ],
)
def test_a_confidence_below_the_threshold_is_unsure(detail, expected):
    unsure = Classifier(random_params(), METADATA, unsure_below=0.99)
    sure = Classifier(random_params(), METADATA, unsure_below=0.0)
    file = preprocessed(IMAGES[0], detail=detail)
    doubtful = unsure.classify(["a"], [file])[0]
    assert (doubtful.status, doubtful.detail) == ("unsure", expected)
    certain = sure.classify(["a"], [file])[0]
    assert (certain.status, certain.detail) == ("ok", detail)
    assert certain.confidence == doubtful.confidence < 0.99


def test_a_restricted_classifier_renormalizes_and_keeps_all_else(model):
    model.unsure_below = 0.125
    restricted = model.restricted_to("one,three,eight")
    assert restricted.class_names == ("one", "three", "eight")
    assert restricted.metadata == METADATA | {"class_names": ["one", "three", "eight"]}
    assert (restricted.unsure_below, restricted.string_unsure_below) == (0.125, 0.9)
    kept = model.predict_proba(IMAGES[:20])[:, [1, 3, 8]]
    expected = kept / kept.sum(-1, keepdims=True)
    found = restricted.predict_proba(IMAGES[:20])
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    (prediction,) = restricted.classify(["a"], [preprocessed(IMAGES[0])])
    assert prediction.prediction == restricted.class_names[found[0].argmax()]
    assert len(model.class_names) == len(model.predict_proba(IMAGES[:1])[0]) == 10
    assert model.restricted_to(None) is model
    with pytest.raises(cnn.Error, match="--classes: eleven is no class; the model has"):
        model.restricted_to("one,eleven")


def test_the_threshold_is_that_of_the_file_unless_one_is_given(tmp_path):
    path = tmp_path / "m.h5"
    keras_h5.save(path, random_params(), METADATA)
    assert Classifier.load(path).unsure_below == 0.25
    assert Classifier.load(path, unsure_below=0.0).unsure_below == 0.0
    assert Classifier.load(str(path), unsure_below=0.9).unsure_below == 0.9
    keras_h5.save(path, random_params(), {"class_names": NAMES})
    assert Classifier.load(path).unsure_below == 0.0


def test_a_workdir_is_loaded_from_its_newest_checkpoint_with_its_temperature(tmp_path):
    metadata = METADATA | {"temperature": 1.7}
    with checkpoint.open_manager(tmp_path / "checkpoints") as manager:
        for epoch, seed in ((1, 1), (2, 2)):
            averaged = random_params(seed=seed)
            state = {"params": random_params(), "ema_params": averaged}
            checkpoint.save(manager, epoch, state, metadata, accuracy=0.5)
    loaded = Classifier.load(tmp_path, unsure_below=0.6)
    assert loaded.metadata == metadata
    assert loaded.unsure_below == 0.6
    scaled = calibration.apply_temperature(random_params(seed=2), 1.7)
    expected = Classifier(scaled, metadata).logits(IMAGES)
    np.testing.assert_array_equal(loaded.logits(IMAGES), expected)


def test_a_folder_without_checkpoints_says_that_a_model_or_workdir_is_needed(tmp_path):
    with pytest.raises(cnn.Error, match="a folder without checkpoints; --model needs"):
        Classifier.load(tmp_path)


@pytest.mark.parametrize("preprocessing", ["other", ["mnist"], 3])
def test_an_unknown_preprocessing_is_refused(preprocessing):
    metadata = METADATA | {"preprocessing": preprocessing}
    with pytest.raises(cnn.Error, match="which this version does not know") as error:
        Classifier(random_params(), json.loads(json.dumps(metadata)))
    assert repr(preprocessing) in str(error.value)


def test_files_are_read_in_any_size_color_and_polarity(model, tmp_path):
    image = Image.new("RGB", (200, 150), "white")
    ImageDraw.Draw(image).line([(100, 20), (100, 130)], fill="navy", width=12)
    image.save(tmp_path / "dark.png")
    Image.eval(image, lambda value: 255 - value).save(tmp_path / "light.png")
    Image.new("L", (200, 150), 255).save(tmp_path / "blank.png")
    names = ["dark.png", "none.png", "light.png", "blank.png"]
    predictions = model.predict_files([tmp_path / name for name in names])
    assert [p.path for p in predictions] == [str(tmp_path / name) for name in names]
    dark, missing, light, blank = predictions
    assert dark.prediction == light.prediction
    assert (missing.status, missing.detail) == ("unreadable", "no such file")
    assert (blank.status, blank.prediction, blank.image) == ("blank", "", None)
    for path in (str(tmp_path / "dark.png"), tmp_path / "dark.png"):
        (alone,) = model.predict_files(path)
        assert alone.prediction == dark.prediction
        assert alone.confidence == dark.confidence


def test_help_tells_shapes_ranges_and_the_threshold():
    assert cnn.Classifier is Classifier
    assert cnn.Prediction is Prediction
    text = pydoc.plain(pydoc.render_doc(cnn.Classifier))
    for words in (
        "(N, 28, 28)",
        "[0, 255]",
        "float32 (N, num_classes)",
        "unsure_below",
    ):
        assert words in text


def test_a_model_carries_the_weights_of_its_numbers(tmp_path):
    path = tmp_path / "m.h5"
    of_strings = {"string_weights": {"gap": 0.5}, "string_unsure_below": 0.75}
    keras_h5.save(path, random_params(), METADATA | of_strings)
    classifier = Classifier.load(path)
    assert classifier.string_weights.gap == 0.5
    assert classifier.string_unsure_below == 0.75


def test_weights_of_numbers_that_are_unknown_are_refused():
    with pytest.raises(keras_h5.ModelFileError, match="unknown weight 'breadth'"):
        Classifier(random_params(), METADATA | {"string_weights": {"breadth": 1.0}})
