"""The commands: parses the command line, and runs what it asks for."""

from cnn.import_path import SINGLE_THREAD, leave_out_working_directory

leave_out_working_directory()  # Before any other import.

import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from cnn.command import (
    EXIT_FAILURE,
    Advice,
    flush_and_exit,
    run_command,
    started_for_command,
)
from cnn.errors import Error
from cnn.jax_environment import import_jax

if TYPE_CHECKING:
    from cnn.config import TrainConfig

_SMALLER_BATCH = "try a smaller --batch-size"


def main_train(arguments: Sequence[str] | None = None) -> int:
    """Runs `bin/train`.

    Args:
      arguments: the command line. Without it, `sys.argv[1:]`, and this process ends
        early after an error or a signal.

    Returns:
      The exit status.
    """
    advice = Advice("the same command continues the run", _SMALLER_BATCH)
    command = partial(_train, _command_line(arguments))
    return run_command(command, advice, arguments is None and started_for_command())


def main_infer(arguments: Sequence[str] | None = None) -> int:
    """Runs `bin/infer`.

    Args:
      arguments: the command line. Without it, `sys.argv[1:]`, and this process ends.

    Returns:
      The exit status.
    """
    advice = Advice(
        stopped="the rows so far are whole, and --resume continues those of an "
        "--output",
        out_of_memory="try --workers 1",
    )
    command = partial(_infer, _command_line(arguments))
    return _run_and_exit(command, advice, arguments)


def main_serve(arguments: Sequence[str] | None = None) -> int:
    """Runs `bin/serve`.

    Args:
      arguments: as for `main_infer`.

    Returns:
      The exit status.
    """
    advice = Advice("nothing was lost", "try --workers 1")
    command = partial(_serve, _command_line(arguments))
    return _run_and_exit(command, advice, arguments)


def main_export(arguments: Sequence[str] | None = None) -> int:
    """Runs `bin/export`.

    Args:
      arguments: as for `main_infer`.

    Returns:
      The exit status.
    """
    advice = Advice("nothing was written", "end other programs")
    command = partial(_export, _command_line(arguments))
    return _run_and_exit(command, advice, arguments)


def _run_and_exit(
    command: Callable[[], int], advice: Advice, arguments: Sequence[str] | None
) -> int:
    """Runs a command, and ends this process if it was started for the command."""
    is_own = arguments is None and started_for_command()
    status = run_command(command, advice, is_own)
    if is_own:
        # The orderly exit of JAX would take a third of a second.
        flush_and_exit(status)
    return status


def _command_line(arguments: Sequence[str] | None) -> list[str]:
    return sys.argv[1:] if arguments is None else list(arguments)


def _train(arguments: list[str]) -> int:
    from cnn.config import PRESETS, TrainConfig
    from cnn.flags import parse_config, parse_preset

    preset = parse_preset(arguments)
    overrides = {"preset": preset, **PRESETS[preset]}
    config = parse_config("train", TrainConfig, arguments, overrides)
    from cnn.supervisor import has_low_limits, run_supervised

    if not config.is_distributed and not has_low_limits():
        from cnn.plot_process import start_plot_processes

        with start_plot_processes():
            return _train_process(config)
    place = " on all hosts" if config.is_distributed else ""
    advice = Advice(f"the same command{place} continues the run", _SMALLER_BATCH)
    command = partial(run_command, partial(_train_process, config), advice, True)
    return run_supervised(command, config)


def _train_process(config: "TrainConfig") -> int:
    """Trains in this process, which may be one of several on different hosts."""
    import_jax()
    from cnn.training.loop import train

    report = train(config)
    if report is None:  # The first process reports.
        return 0
    accuracy = report["test"]["accuracy"]
    loss = report["test"]["loss"]
    print(
        f"test accuracy {accuracy:.2%}, loss {loss:.4f}, model {config.resolved_model}"
    )
    if config.images is not None:
        print(_describe_pictures(report["images"]), file=sys.stderr)
    print(
        f"metrics, checkpoints and plots are in {config.resolved_workdir}",
        file=sys.stderr,
    )
    return 0


def _describe_pictures(report: dict[str, Any]) -> str:
    """Describes the test of the user's pictures, also that of the initial model."""
    line = f"--images: {report['test']['accuracy']:.2%} of {report['counts']['test']:,}"
    line += " test pictures are read right"
    if "initial_accuracy" in report:
        line += f", by the initial model {report['initial_accuracy']:.2%}"
    return line


def _infer(arguments: list[str]) -> int:
    from cnn.config import InferConfig
    from cnn.flags import parse_config

    config = parse_config("infer", InferConfig, arguments, overrides={})
    os.environ.update(SINGLE_THREAD)
    if config.engine == "ray":
        from cnn.inference.ray_engine import predict_with_ray

        return 0 if predict_with_ray(config) else EXIT_FAILURE
    from cnn.inference.early_start import start_processes

    with start_processes(config):
        from cnn.inference.local_engine import predict_folder

        return 0 if predict_folder(config) else EXIT_FAILURE


def _serve(arguments: list[str]) -> int:
    from cnn.config import ServeConfig
    from cnn.flags import parse_config

    config = parse_config("serve", ServeConfig, arguments, overrides={})
    os.environ.update(SINGLE_THREAD)
    try:
        from cnn.serving.server import serve
    except ModuleNotFoundError as error:
        raise Error(
            f"bin/serve needs the package {error.name}; run: pip install -e '.[serve]'"
        ) from error

    serve(config)
    return 0


def _export(arguments: list[str]) -> int:
    from cnn.config import ExportConfig
    from cnn.flags import name_positional, parse_config

    arguments = name_positional(arguments, "--output")
    config = parse_config("export", ExportConfig, arguments, overrides={})
    from cnn.exporting import export_model

    print(export_model(config), file=sys.stderr)
    return 0
