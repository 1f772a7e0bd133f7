"""How a backbone splits into stages: one small adapter per family behind one interface.

A new family is one class and one registration::

    @register_stages('MyBackbone')
    class MyBackboneStages(StageAdapter):
        ...
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from mmseg.models.utils import nchw_to_nlc, nlc_to_nchw
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

    def published(self, net: nn.Module, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Published ImageNet weights under this backbone's names and in its shapes.

        Args:
            net: The backbone.
            weights: The file's tensors.
        """
        return dict(weights)

    def made_for_segmentation(self, key: str) -> bool:
        """Whether a parameter is one that ImageNet's classifiers don't have."""
        return False


def register_stages(*type_names: str) -> Callable[[type[StageAdapter]], type[StageAdapter]]:
    """Register an adapter class for backbones of the given class names and their subclasses."""

    def register(adapter: type[StageAdapter]) -> type[StageAdapter]:
        _ADAPTERS.update({name: adapter() for name in type_names})
        return adapter

    return register


def stages_of(net: nn.Module) -> StageAdapter:
    """The adapter of a backbone's family.

    Raises:
        ValueError: No adapter is registered for the backbone's class or one of its bases.
    """
    for cls in type(net).__mro__:
        if cls.__name__ in _ADAPTERS:
            return _ADAPTERS[cls.__name__]
    raise ValueError(
        f"stream type '{type(net).__name__}' cannot be split into stages; supported are "
        f"{', '.join(sorted(_ADAPTERS))} and their subclasses. To add one, write a StageAdapter "
        "and register it with @register_stages (docs/backbones.md shows how)"
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


@register_stages("ResNet")
class ResNetStages(StageAdapter):
    """MMSeg's ResNet, its V1c and V1d, ResNeXt and ResNeSt (arXiv 1512.03385, 1611.05431)."""

    def channels(self, net: nn.Module) -> tuple[int, ...]:
        """Doubled from stage to stage."""
        width = net.base_channels * net.block.expansion
        return tuple(width * 2**i for i in range(net.num_stages))

    def run(self, net: nn.Module, stage: int, x: Tensor) -> Tensor:
        """The stem before the first stage, then residual blocks."""
        if stage == 0:
            x = net.stem(x) if net.deep_stem else F.relu(net.norm1(net.conv1(x)))
            x = net.maxpool(x)
        return getattr(net, net.res_layers[stage])(x)

    def drop_first_stage(self, net: nn.Module) -> None:
        """Empty stem and ``layer1``, by their names: ``frozen_stages`` asks for them."""
        stem = ["stem"] if net.deep_stem else ["conv1", net.norm1_name]
        for name in (*stem, net.res_layers[0]):
            setattr(net, name, nn.Sequential())


@register_stages("SwinTransformer")
class SwinTransformerStages(StageAdapter):
    """MMSeg's Swin (arXiv 2103.14030); patch merging opens a stage instead of closing one."""

    def channels(self, net: nn.Module) -> tuple[int, ...]:
        """Doubled from stage to stage."""
        return tuple(net.num_features)

    def prepare(self, net: nn.Module) -> None:
        """Refuse what depends on the size of the image."""
        if net.use_abs_pos_embed:
            raise ValueError(
                "SwinTransformer(use_abs_pos_embed=True) takes images of one size only; set it "
                "to False"
            )

    def run(self, net: nn.Module, stage: int, x: Tensor) -> Tensor:
        """Patch embedding or merging, attention in shifted windows, the output's norm."""
        if stage == 0:
            x, hw_shape = net.patch_embed(x)
            x = net.drop_after_pos(x)
        else:
            hw_shape = x.shape[2:]
            x, hw_shape = net.stages[stage - 1].downsample(nchw_to_nlc(x), hw_shape)
        for block in net.stages[stage].blocks:
            x = block(x, hw_shape)
        return nlc_to_nchw(getattr(net, f"norm{stage}")(x), hw_shape)

    def drop_first_stage(self, net: nn.Module) -> None:
        """Empty patch embedding, blocks and norm; the merging behind them opens stage 1."""
        net.patch_embed = nn.Sequential()
        net.stages[0].blocks = nn.ModuleList()
        net.norm0 = nn.Sequential()

    def published(self, net: nn.Module, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Position biases of another window size are interpolated."""
        fitted = dict(weights)
        for key, value in net.state_dict().items():
            given = fitted.get(key)
            if given is None or given.shape == value.shape:
                continue
            if key.endswith("relative_position_bias_table"):
                fitted[key] = _resize_bias_table(given, len(value))
            elif key.endswith("relative_position_index"):
                fitted[key] = value  # counted from the window's size, not learnt
        return fitted

    def made_for_segmentation(self, key: str) -> bool:
        """The norms of the stages' outputs."""
        return key.startswith("norm")


def _resize_bias_table(table: Tensor, length: int) -> Tensor:
    """(2w - 1)^2 x heads to ``length`` x heads, bicubic."""
    old, new = (round(n**0.5) for n in (len(table), length))
    square = table.T.reshape(1, -1, old, old)
    resized = F.interpolate(square, size=(new, new), mode="bicubic", align_corners=False)
    return resized.reshape(table.shape[1], length).T.contiguous()


@register_stages("MSCAN")
class MSCANStages(StageAdapter):
    """MMSeg's MSCAN (SegNeXt, arXiv 2209.08575)."""

    def channels(self, net: nn.Module) -> tuple[int, ...]:
        """Widths of the norms that close the stages."""
        return tuple(
            getattr(net, f"norm{i + 1}").normalized_shape[0] for i in range(net.num_stages)
        )

    def run(self, net: nn.Module, stage: int, x: Tensor) -> Tensor:
        """Stem or patch embedding, convolutional attention, norm."""
        x, height, width = getattr(net, f"patch_embed{stage + 1}")(x)
        for block in getattr(net, f"block{stage + 1}"):
            x = block(x, height, width)
        return nlc_to_nchw(getattr(net, f"norm{stage + 1}")(x), (height, width))

    def drop_first_stage(self, net: nn.Module) -> None:
        """Empty stage 1, as MSCAN counts."""
        net.patch_embed1, net.block1, net.norm1 = (nn.ModuleList() for _ in range(3))


@register_stages("PCPVT")
class TwinsStages(StageAdapter):
    """MMSeg's Twins, PCPVT and SVT (arXiv 2104.13840)."""

    def channels(self, net: nn.Module) -> tuple[int, ...]:
        """Widths of the position encodings."""
        return tuple(encoding.proj.out_channels for encoding in net.position_encodings)

    def run(self, net: nn.Module, stage: int, x: Tensor) -> Tensor:
        """Patch embedding, a block, the position encoding, the other blocks."""
        x, hw_shape = net.patch_embeds[stage](x)
        x = net.position_encoding_drops[stage](x)
        first, *others = net.layers[stage]
        x = net.position_encodings[stage](first(x, hw_shape), hw_shape)
        for block in others:
            x = block(x, hw_shape)
        if net.norm_after_stage:
            x = net.norm_list[stage](x)
        return nlc_to_nchw(x, hw_shape)

    def drop_first_stage(self, net: nn.Module) -> None:
        """Empty the first of each list; :meth:`channels` is asked before."""
        parts = [net.patch_embeds, net.layers, net.position_encodings]
        for part in parts + ([net.norm_list] if net.norm_after_stage else []):
            part[0] = nn.ModuleList()

    def made_for_segmentation(self, key: str) -> bool:
        """The norms of the stages' outputs."""
        return key.startswith("norm_list")


@register_stages("TIMMBackbone")
class TimmStages(StageAdapter):
    """Convolutional networks of timm by MMSeg's wrapper: ConvNeXt, ConvNeXtV2, RegNet and others.

    timm cuts them into a chain of modules of which some are returned; a stage is the links after
    one returned module up to the next. Features at half the input's size join the next stage.
    """

    def channels(self, net: nn.Module) -> tuple[int, ...]:
        """As timm tells, from a quarter of the input's size on."""
        info = net.timm_model.feature_info
        wanted = zip(info.channels(), info.reduction(), strict=True)
        return tuple(channels for channels, reduction in wanted if reduction >= 4)

    def prepare(self, net: nn.Module) -> None:
        """Refuse networks that timm cannot cut into a chain."""
        chain = net.timm_model
        if not isinstance(chain, nn.ModuleDict) or not hasattr(chain, "return_layers"):
            raise ValueError(
                f"timm model '{getattr(net, 'model_name', type(chain).__name__)}' is no chain of "
                "stages in timm (features_only=True gives a FeatureListNet only for convolutional "
                "networks): name one such as convnext_tiny, convnextv2_nano or regnety_016"
            )

    def run(self, net: nn.Module, stage: int, x: Tensor) -> Tensor:
        """The stage's links of the chain."""
        for name in self._links(net)[stage]:
            x = net.timm_model[name](x)
        return x

    def drop_first_stage(self, net: nn.Module) -> None:
        """Empty the first stage's links."""
        for name in self._links(net)[0]:
            net.timm_model[name] = nn.Sequential()

    @staticmethod
    def _links(net: nn.Module) -> list[list[str]]:
        chain = net.timm_model
        reductions = iter(chain.feature_info.reduction())
        stages: list[list[str]] = [[]]
        for name in chain:
            stages[-1].append(name)
            if name in chain.return_layers and next(reductions) >= 4:
                stages.append([])
        return stages[:-1]

    def published(self, net: nn.Module, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The weights as they are: :mod:`.streams` takes them from timm itself."""
        return {key: value.to(torch.float32) for key, value in weights.items()}
