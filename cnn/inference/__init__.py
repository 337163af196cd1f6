"""Inference: from a folder of files to rows."""
