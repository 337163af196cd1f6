"""The same network in PyTorch.

`answer` measures training steps; `train DATA.npz` trains to a test accuracy of 99 %.
"""

import sys
import time

import numpy as np
import torch
from torch import nn


def network() -> nn.Module:
    """The network of `cnn.model`, channels first."""
    return nn.Sequential(
        *(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(64, 64, 3), nn.ReLU(), nn.Flatten()),
        *(nn.Linear(576, 64), nn.ReLU(), nn.Linear(64, 10)),
    )


def train_step(
    model: nn.Module, optimizer: torch.optim.Optimizer, x: torch.Tensor, y: torch.Tensor
) -> None:
    """Takes one step, as the tutorials write it."""
    optimizer.zero_grad(set_to_none=True)
    nn.functional.cross_entropy(model(x), y).backward()
    optimizer.step()


def measure_steps(batch: int):
    """Returns a measurement of eager training steps, in images per second."""
    model = network()
    optimizer = torch.optim.Adam(model.parameters())
    x = torch.rand(batch, 1, 28, 28)
    y = torch.randint(0, 10, (batch,))
    count = max(5, 2560 // batch)

    def measure() -> float:
        start = time.perf_counter()
        for _ in range(count):
            train_step(model, optimizer, x, y)
        return count * batch / (time.perf_counter() - start)

    return measure


def train(path: str) -> None:
    """Trains to a test accuracy of 99 %, and saves the model."""
    arrays = np.load(path)
    x = torch.from_numpy(arrays["x"]).permute(0, 3, 1, 2) / 255
    test_x = torch.from_numpy(arrays["test_x"]).permute(0, 3, 1, 2) / 255
    y = torch.from_numpy(arrays["y"]).long()
    test_y = torch.from_numpy(arrays["test_y"]).long()
    model = network()
    epoch = 0
    accuracy = 0.0
    optimizer = torch.optim.Adam(model.parameters())
    while accuracy < 0.99:
        for rows in torch.randperm(len(y)).split(128):
            train_step(model, optimizer, x[rows], y[rows])
        with torch.no_grad():
            right = (
                torch.cat([model(part).argmax(1) for part in test_x.split(1000)])
                == test_y
            )
        epoch += 1
        accuracy = right.float().mean().item()
        print(f"epoch {epoch}: {accuracy:.2%}", file=sys.stderr)
    torch.save(model.state_dict(), "model.pt")
    print(accuracy)


if __name__ == "__main__":
    if sys.argv[1] == "train":
        train(sys.argv[2])
    else:
        # From the folder of this file: the package is not in PyTorch's environment.
        from answering import answer

        answer(
            {
                f"PyTorch, batch {batch}": measure_steps(batch)
                for batch in (64, 128, 256)
            }
        )
