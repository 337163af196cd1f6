"""Every number that decides how ink is separated from its background.

Each file of this folder holds the thresholds of one step, each with its meaning, unit
and reason above it.
"""

from cnn.preprocessing.thresholds.segmentation import THRESHOLDS, SegmentationThresholds

__all__ = ["THRESHOLDS", "SegmentationThresholds"]
