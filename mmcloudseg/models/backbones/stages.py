"""How a backbone is run stage by stage: the interface, and the adapter of each family.

The adapters themselves are in ``transformer_stages.py`` and ``convolutional_stages.py``. To add a
family, see ``docs/backbones.md``.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn

_ADAPTERS: dict[str, StageAdapter] = {}

OPENS, CLOSES = -1.0, math.inf
"""In the place of a block's number: what comes before the blocks of a stage, and after them."""


class StageAdapter(ABC):
    """Runs single stages of a family of backbones; it keeps no state of its own.

    The type of ``net`` is ``Any`` because every family names its layers in its own way.
    """

    def prepare(self, net: Any) -> None:  # noqa: B027  (most families need nothing)
        """Adjust a newly built backbone where the family needs it."""

    @abstractmethod
    def channels(self, net: Any) -> tuple[int, ...]:
        """The number of output channels of each stage."""

    @abstractmethod
    def run(self, net: Any, stage: int, x: Tensor) -> Tensor:
        """Run one stage, counted from 0, from N x C x H x W to N x C' x H' x W'.

        The input is the image for stage 0, otherwise the output of the previous stage.
        """

    @abstractmethod
    def drop_first_stage(self, net: Any) -> None:
        """Remove what only stage 0 uses; the other stages keep their names and settings."""

    def published(self, net: Any, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Published ImageNet weights under this backbone's names and in its shapes."""
        return dict(weights)

    def made_for_segmentation(self, key: str) -> bool:
        """Whether ImageNet classifiers do not have the parameter ``key``."""
        return False

    def place(self, net: Any, key: str) -> tuple[int, float] | None:
        """Where the parameter ``key`` lies: its stage and block, both from 0.

        In the block's place stands ``OPENS`` or ``CLOSES``. Layer-wise learning rates need this;
        None stands for a family that does not say.
        """
        return None


def register_stages(*type_names: str) -> Callable[[type[StageAdapter]], type[StageAdapter]]:
    """Register an adapter class for backbones of the given class names and their subclasses."""

    def register(adapter: type[StageAdapter]) -> type[StageAdapter]:
        _ADAPTERS.update({name: adapter() for name in type_names})
        return adapter

    return register


def find_stages(net: nn.Module) -> StageAdapter | None:
    """The adapter of a backbone's family, or None if there is none."""
    names = (cls.__name__ for cls in type(net).__mro__)
    return next((_ADAPTERS[name] for name in names if name in _ADAPTERS), None)


def stages_of(net: nn.Module) -> StageAdapter:
    """The adapter of a backbone's family.

    Raises:
        ValueError: No adapter is registered for the backbone's class or any of its bases.
    """
    adapter = find_stages(net)
    if adapter is None:
        raise ValueError(
            f"stream type '{type(net).__name__}' cannot be split into stages. Supported types are "
            f"{', '.join(sorted(_ADAPTERS))} and their subclasses. To add one, write a "
            "StageAdapter and register it with @register_stages (see docs/backbones.md)"
        )
    return adapter
