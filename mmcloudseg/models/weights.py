"""Weights of checkpoints that have to fit a network as a whole."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.runner import CheckpointLoader
from torch import Tensor, nn

from mmcloudseg.utils.text import shorten_list


def read_checkpoint(checkpoint: str) -> dict[str, Any]:
    """Read a checkpoint as tensors and plain values only; no code in it is run.

    Raises:
        ValueError: It cannot be read.
    """
    with _readable(checkpoint):
        content = CheckpointLoader.load_checkpoint(checkpoint, "cpu", logger="silent")
        return dict(content.items())


def read_weights(checkpoint: str) -> dict[str, Tensor]:
    """Read a checkpoint's weights as tensors only.

    Args:
        checkpoint: Path of a checkpoint, with or without a ``state_dict`` in it.

    Returns:
        Weights by name, without the prefix that a distributed model adds.

    Raises:
        ValueError: It cannot be read.
    """
    content = read_checkpoint(checkpoint)
    with _readable(checkpoint):
        weights = content.get("state_dict", content)
        return {key.removeprefix("module."): value for key, value in weights.items()}


@contextlib.contextmanager
def _readable(checkpoint: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        why = (str(error).splitlines() or ["it is empty"])[0]
        raise ValueError(
            f"'{checkpoint}' cannot be read as a checkpoint ({type(error).__name__}: {why}); it "
            "is truncated, of another kind, or carries code, which is never run: name another file"
        ) from error


def check_weights(network: nn.Module, weights: Mapping[str, Tensor], source: str) -> None:
    """Refuse weights that are not those of a network.

    Args:
        network: The network.
        weights: Weights by name.
        source: What to call them, and for what they are.

    Raises:
        ValueError: A name is missing or not the network's, or a weight has another shape.
    """
    own = network.state_dict()
    shapes = {key: tuple(getattr(value, "shape", ())) for key, value in weights.items()}
    other = [f"{k} {shapes[k]}" for k in own if k in shapes and shapes[k] != tuple(own[k].shape)]
    for kind, keys in (
        ("lacks", sorted(own.keys() - weights.keys())),
        ("has the surplus", sorted(weights.keys() - own.keys())),
        ("has another shape for", other),
    ):
        if keys:
            raise ValueError(f"{source}: it {kind} {shorten_list(keys, 3)}")
