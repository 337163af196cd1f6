"""Augmentation of the training set: random distortions and synthetic examples."""
