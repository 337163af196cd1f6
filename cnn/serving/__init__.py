"""Reads pictures over HTTP: the page and the interface of `bin/serve`."""
