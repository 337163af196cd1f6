"""Simulated pages: characters written on paper, lit, photographed and cropped."""

from cnn.augmentation.simulated_pages.examples import make_page_examples
from cnn.augmentation.simulated_pages.page_kinds import PAGE_KINDS

__all__ = ["PAGE_KINDS", "make_page_examples"]
