"""The model that is part of the package, `digits`. README.md here describes it."""

from cnn.models.model_path import DIGITS, describe_default, find_model

__all__ = ["DIGITS", "describe_default", "find_model"]
