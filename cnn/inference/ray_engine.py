"""Inference on a Ray cluster: actors read blocks of file names.

Each actor has a classifier and a decode pool, as the local engine has, and writes its
rows itself. The block of a lost machine is handed to another one, which writes it under
the same name, so that no row is there twice. See
https://docs.ray.io/en/latest/ray-core/actors.html.
"""

import contextlib
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

from cnn.compilation_cache import enable_compilation_cache
from cnn.config import InferConfig
from cnn.image_files.decode_pool import count_workers, open_pool
from cnn.image_files.listing import InputFiles, PathError, list_inputs
from cnn.image_files.page_count import Sources, expand_sources
from cnn.inference.layout_outputs import (
    Statistics,
    check_class_names,
    find_labels_of,
    make_schema,
    make_statistics,
    speed_unit,
)
from cnn.inference.number_statistics import (
    CORRECT,
    LABELED,
    SOURCES,
    NumberStatistics,
    number_summary,
)
from cnn.inference.output_checks import own_files
from cnn.inference.ray_actors import ActorPool
from cnn.inference.ray_cluster import ClusterError, connect_to_cluster
from cnn.inference.ray_output import write_block
from cnn.inference.ray_reader import Block, RayReader, make_blocks
from cnn.inference.row_formats import ROW_FORMATS
from cnn.inference.row_writer import lock_output
from cnn.inference.run_statistics import summary_line
from cnn.preprocessing.documents.page_remark import may_have_pages
from cnn.user_path import as_uri, is_uri

# Files, pages or regions per block, and therefore per output file. A block of pages
# that are read as a whole takes as long.
_BLOCK_SIZE = 2048
_PAGE_BLOCK_SIZE = 64


def predict_with_ray(config: InferConfig) -> bool:
    """Predicts the class of every image in a folder with the machines of a cluster.

    Writes one file of rows per block of file names.

    Args:
      config: settings of `bin/infer`. `output` is a folder or a URI.

    Returns:
      Whether every file could be decoded.

    Raises:
      cnn.Error: an input or output cannot be used, or Ray fails. The message is one
        line.
    """
    assert config.output is not None
    # Actors run in other folders, and do not understand relative paths.
    output = config.output if is_uri(config.output) else config.output.absolute()
    with _reserve_output(output):
        counts = _run_on_cluster(config, output)
    return counts["unreadable"] == 0


@contextlib.contextmanager
def _reserve_output(output: Path) -> Iterator[None]:
    """Keeps other runs from writing a local folder, which must be new or empty."""
    if is_uri(output):
        yield
        return
    _check_output_is_new(output)
    output.parent.mkdir(parents=True, exist_ok=True)
    with lock_output(output):
        yield


def _run_on_cluster(config: InferConfig, output: Path) -> Counter[str]:
    with connect_to_cluster(config.ray_address) as ray:
        try:
            return _predict_and_write(ray, config, output)
        except ray.exceptions.RayError as error:
            last_line = str(error).strip().splitlines()[-1]
            raise ClusterError(f"--engine ray: {last_line}") from error


def _check_output_is_new(output: Path) -> None:
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise PathError(
            f"{output}: is there already; give an --output that is new, or an empty "
            "folder"
        )


def _print_summary(
    statistics: Statistics, counts: Counter[str], seconds: float, output: str
) -> None:
    num_sources = counts[SOURCES]
    unit = statistics.unit
    if isinstance(statistics, NumberStatistics):
        summary = number_summary(counts, unit)
    else:
        summary = summary_line(counts, counts[CORRECT], counts[LABELED], unit)
    speed = f"{seconds:.1f} s, {num_sources / seconds:,.0f} {speed_unit(unit)}/s"
    print(f"{summary}; {speed}; predictions in {output}", file=sys.stderr)


def _predict_and_write(ray: Any, config: InferConfig, output: Path) -> Counter[str]:
    """Writes the rows of all sources, and returns their counts."""
    from cnn.classifier import Classifier

    start = monotonic()
    files = list_inputs(config.inputs, config.recursive, own_files(config))
    classifier = Classifier.load(config.model, config.unsure_below)
    classifier = classifier.restricted_to(config.classes)
    check_class_names(classifier, config.layout)
    sources = _count_pages(files, config)
    find_label = find_labels_of(config, files, classifier.class_names)
    kind = ROW_FORMATS[config.format or "csv"]
    schema = make_schema(
        config,
        classifier.class_names,
        kind,
        has_pages=sources.has_pages,
        has_labels=find_label is not None,
    )
    # The class is sent to the actors, with these variables.
    folder = files.top if is_uri(files.top) else os.path.abspath(files.top)
    uri = as_uri(output)

    class Reader(RayReader):
        """Holds the model, so that no machine that may be lost has to keep it."""

        def __init__(self) -> None:
            enable_compilation_cache()
            super().__init__(folder, classifier, schema, find_label, config)

        def start(self) -> None:
            """Returns once the actor is ready."""

        def work(self, index: int, block: Block) -> Counter[str]:
            return write_block(uri, kind(schema), index, self.read(block))

    resources = _actor_resources(ray, config.workers)
    size = resources.pop("size")
    pool = ActorPool(ray, ray.remote(**resources)(Reader).remote, size)
    counts: Counter[str] = Counter()
    for of_block in pool.map(make_blocks(sources, _block_size(config))):
        counts.update(of_block)
    counts[SOURCES] = len(sources)
    statistics = make_statistics(config, classifier.class_names, sources)
    _print_summary(statistics, counts, monotonic() - start, uri)
    return counts


def _count_pages(files: InputFiles, config: InferConfig) -> Sources:
    """Expands the files on this machine, which starts processes only to count pages."""
    workers = count_workers(config.workers, len(files), (file.path for file in files))
    has_documents = any(may_have_pages(file.name) for file in files)
    with open_pool(workers if has_documents else 0, config.decode_timeout) as pool:
        return expand_sources(files, pool, config.page_range, config.regions)


def _block_size(config: InferConfig) -> int:
    """Returns the number of sources per output file."""
    return _PAGE_BLOCK_SIZE if config.layout == "page" else _BLOCK_SIZE


def _actor_resources(ray: Any, workers: int | None) -> dict[str, Any]:
    """Returns the CPUs and GPUs of each actor, and as `size` their number.

    Args:
      ray: the module, connected to a cluster.
      workers: decode processes per actor, or None for all CPUs of a GPU's share.
    """
    cluster = ray.cluster_resources()
    num_gpus = int(cluster.get("GPU", 0))
    num_cpus = int(cluster.get("CPU", 1))
    if workers is not None:
        cpus_per_actor = min(workers, num_cpus)
    elif num_gpus:
        cpus_per_actor = num_cpus // num_gpus
    else:
        cpus_per_actor = 1
    cpus_per_actor = max(1, cpus_per_actor)
    num_actors = num_gpus or max(1, num_cpus // cpus_per_actor)
    return {
        "num_cpus": cpus_per_actor,
        "num_gpus": 1 if num_gpus else 0,
        "size": num_actors,
    }
