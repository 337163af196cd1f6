"""Writes a model in the formats of other programs: ONNX, StableHLO and LiteRT."""

from cnn.exporting.export_model import export_model

__all__ = ["export_model"]
