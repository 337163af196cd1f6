"""Inference: list the files, decode them, classify them, make rows, write rows.

Modules in the order of that flow: `cnn.image_files.listing` and `decode_pool`,
`cnn.classifier`, `schema`, `row_formats` and `row_writer`. `local_engine` runs it on
this machine, `ray_engine` on a cluster.
"""
