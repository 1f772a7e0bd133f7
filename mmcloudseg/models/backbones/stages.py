"""How a backbone splits into stages: one small adapter per family behind one interface.

A new family is one class and one registration::

    @register_stages('MyBackbone')
    class MyBackboneStages(StageAdapter):
        ...
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from mmseg.models.utils import nlc_to_nchw
from torch import Tensor, nn

_ADAPTERS: dict[str, StageAdapter] = {}


class StageAdapter(ABC):
    """Runs single stages of a family of backbones; keeps no state of its own."""

    def prepare(self, net: nn.Module) -> None:  # noqa: B027  (most families need nothing)
        """Adjust a freshly built backbone where the family needs it."""

    @abstractmethod
    def channels(self, net: nn.Module) -> tuple[int, ...]:
        """The number of output channels of each stage."""

    @abstractmethod
    def run(self, net: nn.Module, stage: int, x: Tensor) -> Tensor:
        """Run one stage.

        Args:
            net: The backbone.
            stage: Index of the stage, from 0.
            x: N x C x H x W, the image for stage 0, else the output of the stage before.

        Returns:
            N x C' x H' x W'.
        """

    @abstractmethod
    def drop_first_stage(self, net: nn.Module) -> None:
        """Remove what only stage 0 uses; the other stages keep their names and settings."""


def register_stages(*type_names: str) -> Callable[[type[StageAdapter]], type[StageAdapter]]:
    """Register an adapter class for backbones of the given class names and their subclasses."""

    def register(adapter: type[StageAdapter]) -> type[StageAdapter]:
        _ADAPTERS.update({name: adapter() for name in type_names})
        return adapter

    return register


def stages_of(net: nn.Module) -> StageAdapter:
    """The adapter of a backbone's family.

    Raises:
        TypeError: No adapter is registered for the backbone's class or one of its bases.
    """
    for cls in type(net).__mro__:
        if cls.__name__ in _ADAPTERS:
            return _ADAPTERS[cls.__name__]
    raise TypeError(
        f"stream type '{type(net).__name__}' cannot be split into stages; supported are "
        f"{', '.join(sorted(_ADAPTERS))} and their subclasses. To add one, write a StageAdapter "
        "and register it with @register_stages (mmcloudseg/models/backbones/stages.py)"
    )


@register_stages("MixVisionTransformer")
class MixVisionTransformerStages(StageAdapter):
    """MMSeg's MiT (SegFormer, arXiv 2105.15203)."""

    def prepare(self, net: nn.Module) -> None:
        """Set the eps with which the published ImageNet weights were trained.

        MMSeg builds every LayerNorm with 1e-6; patch embeddings and the attention's spatial
        reduction were trained with PyTorch's 1e-5, which moves outputs by 1e-3.
        """
        for embed, blocks, _ in net.layers:
            embed.norm.eps = 1e-5
            for block in blocks:
                if hasattr(block.attn, "norm"):
                    block.attn.norm.eps = 1e-5

    def channels(self, net: nn.Module) -> tuple[int, ...]:
        """Embedding width times heads, stage by stage."""
        return tuple(net.embed_dims * heads for heads in net.num_heads)

    def run(self, net: nn.Module, stage: int, x: Tensor) -> Tensor:
        """Patch embedding, transformer blocks, norm."""
        embed, blocks, norm = net.layers[stage]
        x, hw_shape = embed(x)
        for block in blocks:
            x = block(x, hw_shape)
        return nlc_to_nchw(norm(x), hw_shape)

    def drop_first_stage(self, net: nn.Module) -> None:
        """Empty ``layers.0``."""
        net.layers[0] = nn.ModuleList()
