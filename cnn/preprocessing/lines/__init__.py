"""Printed lines: finds them, weighs whether they are strokes, and removes them."""
