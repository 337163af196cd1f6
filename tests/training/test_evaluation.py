import numpy as np

from cnn.classifier import Classifier
from cnn.data import Dataset
from cnn.data.pictures import Pictures
from cnn.preprocessing.preprocessed_file import PreprocessedFile
from cnn.training.evaluation import (
    Evaluation,
    evaluate_pictures,
    join_evaluations,
)


def test_pictures_are_evaluated_by_all_their_candidates(trained, mnist_test):
    classifier = Classifier.load(trained / "mnist_model.h5")
    images = mnist_test.images[:6].astype(np.float32) / 255
    weights = np.array([0.7, 0.3], np.float32)
    files = tuple(
        PreprocessedFile(images[i : i + 2], "ok", "", weights) for i in range(4)
    )
    labels = mnist_test.labels[:4]
    names = ("a", "b", "c", "d")
    pictures = Pictures(names, files, labels, tuple("0123456789"), "mnist")
    found = evaluate_pictures(classifier, pictures)
    predictions = classifier.classify(names, files)
    for logits, prediction in zip(found.logits, predictions, strict=True):
        exponents = np.exp(logits - logits.max())
        np.testing.assert_allclose(
            exponents / exponents.sum(), prediction.probabilities, atol=1e-6
        )
    right = [
        prediction.prediction == str(label)
        for prediction, label in zip(predictions, labels, strict=True)
    ]
    assert found.accuracy == np.mean(right)
    assert found.report()["accuracy"] == np.mean(right)


def test_evaluations_are_joined_in_order():
    def evaluate(labels, first):
        count = len(labels)
        images = np.full((count, 28, 28, 1), first, np.uint8)
        dataset = Dataset(images, np.array(labels), ("a", "b"))
        return Evaluation(dataset, np.full((count, 2), first, np.float32))

    joined = join_evaluations([evaluate([0, 1], 3), evaluate([1], 4)])
    assert joined.dataset.labels.tolist() == [0, 1, 1]
    assert joined.dataset.images[:, 0, 0, 0].tolist() == [3, 3, 4]
    assert joined.logits[:, 0].tolist() == [3, 3, 4]
