"""The same network in PyTorch: `answer` for steps, or `train DATA` until 99 % of the test set are right."""

import sys
import time

import numpy as np
import torch
from torch import nn


def network() -> nn.Module:
    """The network of `cnn.model`, channels first."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 64, 3), nn.ReLU(), nn.Flatten(), nn.Linear(576, 64), nn.ReLU(), nn.Linear(64, 10),
    )  # fmt: skip


def step(
    model: nn.Module, optimizer: torch.optim.Optimizer, x: torch.Tensor, y: torch.Tensor
) -> None:
    """One step, as the tutorials write it."""
    optimizer.zero_grad(set_to_none=True)
    nn.functional.cross_entropy(model(x), y).backward()
    optimizer.step()


def steps(batch: int):
    """Measures eager training steps of one batch size."""
    model = network()
    optimizer = torch.optim.Adam(model.parameters())
    x, y = torch.rand(batch, 1, 28, 28), torch.randint(0, 10, (batch,))
    count = max(5, 2560 // batch)

    def measure() -> float:
        start = time.perf_counter()
        for _ in range(count):
            step(model, optimizer, x, y)
        return count * batch / (time.perf_counter() - start)

    return measure


def train(path: str) -> None:
    """Trains until 99 % of the test set are right, and saves the model."""
    arrays = np.load(path)
    x, test_x = (
        torch.from_numpy(arrays[n]).permute(0, 3, 1, 2) / 255 for n in ("x", "test_x")
    )
    y, test_y = (torch.from_numpy(arrays[n]).long() for n in ("y", "test_y"))
    model, epoch, accuracy = network(), 0, 0.0
    optimizer = torch.optim.Adam(model.parameters())
    while accuracy < 0.99:
        for rows in torch.randperm(len(y)).split(128):
            step(model, optimizer, x[rows], y[rows])
        with torch.no_grad():
            right = (
                torch.cat([model(part).argmax(1) for part in test_x.split(1000)])
                == test_y
            )
        epoch, accuracy = epoch + 1, right.float().mean().item()
        print(f"epoch {epoch}: {accuracy:.2%}", file=sys.stderr)
    torch.save(model.state_dict(), "model.pt")
    print(accuracy)


if __name__ == "__main__":
    if sys.argv[1] == "train":
        train(sys.argv[2])
    else:
        from answering import (
            answer,  # Beside this file: the package is not in PyTorch's environment.
        )

        answer({f"PyTorch, batch {batch}": steps(batch) for batch in (64, 128, 256)})
