"""Training: from a data set to a model file and the record of its run."""

from cnn.training.loop import train

__all__ = ["train"]
