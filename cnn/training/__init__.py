"""Training: from a data set to a model file and the record of its run."""
