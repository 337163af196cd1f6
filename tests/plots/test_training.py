import numpy as np
import pytest

from cnn import plots
from tests.plots.conftest import read_pixels

RNG = np.random.default_rng(0)
HISTORY = [
    {
        "epoch": epoch,
        "loss": 1 / epoch,
        "accuracy": 1 - 0.1 / epoch,
        "val_loss": 0.9 / epoch,
        "val_accuracy": 1 - 0.05 / epoch,
    }
    for epoch in range(1, 13)
]


def test_curves_show_both_splits_with_units(tmp_path, figures, texts):
    plots.plot_training_curves(HISTORY, tmp_path / "c.png")
    words = {"Accuracy", "Loss", "epoch", "accuracy (%)", "cross-entropy (nats)"}
    assert words | {"validation"} <= set(texts())
    accuracy, loss = figures[0].axes
    assert [line.get_ydata()[0] for line in accuracy.lines] == [0.9, 0.95]
    assert [line.get_ydata()[0] for line in loss.lines] == [1.0, 0.9]
    assert min(read_pixels(tmp_path / "c.png").shape[:2]) > 400


@pytest.mark.parametrize("num_epochs", [1, 2, 7, 60])
def test_epochs_are_whole_numbers(num_epochs, tmp_path, figures):
    history = [HISTORY[0] | {"epoch": i + 1} for i in range(num_epochs)]
    plots.plot_training_curves(history, tmp_path / "c.png")
    for axes in figures[0].axes:
        low, high = axes.get_xlim()
        shown = [tick for tick in axes.get_xticks() if low <= tick <= high]
        assert shown
        assert all(tick == int(tick) for tick in shown)


def test_confusion_counts_by_hand(tmp_path, texts):
    labels = np.array([0, 0, 0, 1, 1, 2])
    predictions = np.array([0, 0, 1, 1, 1, 0])
    path = tmp_path / "c.png"
    plots.plot_confusion_matrix(labels, predictions, ["a", "b", "c"], path)
    assert "Confusion matrix: 6 images, 66.67% right" in texts()
    counts = sorted(text for text in texts() if text.isdigit())
    assert counts == ["1", "1", "2", "2"]
    read_pixels(path)


def test_class_names_that_do_not_fit_beside_one_another_stand_on_their_side(
    tmp_path, figures
):
    labels = np.arange(10)
    for name in ("abc", "Ankle boot"):
        names = [name, *"abcdefghi"]
        plots.plot_confusion_matrix(labels, labels, names, tmp_path / "c.png")
    rotations = [f.axes[0].get_xticklabels()[0].get_rotation() for f in figures]
    assert rotations == [0, 90]


def test_mistakes_are_sorted_by_loss_with_truth_guess_and_confidence(tmp_path, texts):
    rows = [[0.9, 0.1], [0.2, 0.8], [0.95, 0.05], [0.6, 0.4]]
    probabilities = np.array(rows, np.float32)
    images = RNG.integers(0, 255, (4, 28, 28, 1), np.uint8)
    labels = np.array([0, 0, 1, 1])
    path = tmp_path / "m.png"
    plots.plot_top_losses(images, labels, probabilities, ["left", "up"], path)
    captions = [text for text in texts() if "read as" in text]
    assert captions == [
        "up read as left\n95.0% sure",
        "left read as up\n80.0% sure",
        "up read as left\n60.0% sure",
    ]
    assert "3 of 4 test images were read wrong (75.00%); highest loss first" in texts()
    read_pixels(path)


def test_only_the_sixty_highest_losses_are_shown(tmp_path, figures, texts):
    images = np.zeros((70, 28, 28, 1), np.uint8)
    labels = np.zeros(70, int)
    wrong = np.linspace(0.51, 0.99, 70)
    probabilities = np.stack([1 - wrong, wrong], -1)
    path = tmp_path / "m.png"
    plots.plot_top_losses(images, labels, probabilities, ["a", "b"], path)
    title = (
        "70 of 70 test images were read wrong (100.00%); highest loss first, 60 shown"
    )
    assert title in texts()
    assert len(figures[0].axes[0].images) == 60
    assert "a read as b\n99.0% sure" in texts()


def test_a_run_without_mistakes_says_so_and_shows_no_image(tmp_path, figures, texts):
    images = np.zeros((1, 28, 28, 1))
    probabilities = np.array([[0.9, 0.1]])
    path = tmp_path / "m.png"
    plots.plot_top_losses(images, np.array([0]), probabilities, ["a", "b"], path)
    assert "0 of 1 test images were read wrong (0.00%); highest loss first" in texts()
    (axes,) = figures[0].axes
    assert list(axes.images) == []
    assert list(axes.texts) == []
    read_pixels(path)


def test_reliability_says_the_calibration_error(tmp_path, texts):
    confidence = np.array([0.8, 0.99])
    accuracy = np.array([0.7, 1.0])
    counts = np.array([100, 300])
    plots.plot_reliability_diagram(confidence, accuracy, counts, tmp_path / "r.png")
    # (0.1 + 3 · 0.01) / 4
    title = "Reliability: 400 images, expected calibration error 3.25%"
    assert title in texts()
    labels = {"confidence (%)", "accuracy (%)", "perfect calibration"}
    assert labels <= set(texts())
    assert min(read_pixels(tmp_path / "r.png").shape[:2]) > 400
