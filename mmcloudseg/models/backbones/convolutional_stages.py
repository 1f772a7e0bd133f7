"""Stage adapters of convolutional networks: MMSeg's ResNet and MSCAN, and those of timm."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from mmseg.models.utils import nlc_to_nchw
from torch import Tensor, nn

from mmcloudseg.models.backbones.stages import CLOSES, OPENS, StageAdapter, register_stages


@register_stages("ResNet")
class ResNetStages(StageAdapter):
    """MMSeg's ResNet, ResNetV1c, V1d, ResNeXt and ResNeSt (arXiv 1512.03385, 1611.05431)."""

    def channels(self, net: Any) -> tuple[int, ...]:
        """They double from stage to stage."""
        width = net.base_channels * net.block.expansion
        return tuple(width * 2**i for i in range(net.num_stages))

    def run(self, net: Any, stage: int, x: Tensor) -> Tensor:
        """The stem before the first stage, then residual blocks."""
        if stage == 0:
            x = net.stem(x) if net.deep_stem else F.relu(net.norm1(net.conv1(x)))
            x = net.maxpool(x)
        return getattr(net, net.res_layers[stage])(x)

    def drop_first_stage(self, net: Any) -> None:
        """Empty the stem and ``layer1`` but keep their names, which ``frozen_stages`` looks up."""
        stem = ["stem"] if net.deep_stem else ["conv1", net.norm1_name]
        for name in (*stem, net.res_layers[0]):
            setattr(net, name, nn.Sequential())

    def place(self, net: Any, key: str) -> tuple[int, float]:
        """``layer<stage>.<block>``, the stage counted from 1; all else is the stem."""
        found = re.match(r"layer(\d+)\.(\d+)\.", key)
        return (int(found[1]) - 1, int(found[2])) if found else (0, OPENS)


@register_stages("MSCAN")
class MSCANStages(StageAdapter):
    """MMSeg's MSCAN (SegNeXt, arXiv 2209.08575)."""

    def channels(self, net: Any) -> tuple[int, ...]:
        """The widths of the norms that close the stages."""
        norms = (getattr(net, f"norm{i + 1}") for i in range(net.num_stages))
        return tuple(norm.normalized_shape[0] for norm in norms)

    def run(self, net: Any, stage: int, x: Tensor) -> Tensor:
        """Stem or patch embedding, convolutional attention, norm."""
        x, height, width = getattr(net, f"patch_embed{stage + 1}")(x)
        for block in getattr(net, f"block{stage + 1}"):
            x = block(x, height, width)
        return nlc_to_nchw(getattr(net, f"norm{stage + 1}")(x), (height, width))

    def drop_first_stage(self, net: Any) -> None:
        """Empty the first stage, which MSCAN numbers 1."""
        net.patch_embed1, net.block1, net.norm1 = (nn.ModuleList() for _ in range(3))

    def place(self, net: Any, key: str) -> tuple[int, float]:
        """``patch_embed<stage>``, ``block<stage>.<block>``, ``norm<stage>``, counted from 1."""
        part, block, *_ = key.split(".")
        kind, stage = part[:-1], int(part[-1]) - 1
        return stage, {"patch_embed": OPENS, "norm": CLOSES}.get(kind) or int(block)


@register_stages("TIMMBackbone")
class TimmStages(StageAdapter):
    """Convolutional networks of timm in MMSeg's wrapper: ConvNeXt, ConvNeXtV2, RegNet and others.

    timm cuts them into a chain of modules and returns the outputs of some. A stage is the links
    after one returned module up to and including the next. Features at half the input's size are
    part of the next stage.
    """

    def channels(self, net: Any) -> tuple[int, ...]:
        """As timm reports them, from a quarter of the input's size on."""
        info = net.timm_model.feature_info
        wanted = zip(info.channels(), info.reduction(), strict=True)
        return tuple(channels for channels, reduction in wanted if reduction >= 4)

    def prepare(self, net: Any) -> None:
        """Refuse networks that timm cannot cut into a chain."""
        chain = net.timm_model
        if not isinstance(chain, nn.ModuleDict) or not hasattr(chain, "return_layers"):
            raise ValueError(
                f"timm model '{getattr(net, 'model_name', type(chain).__name__)}' cannot be cut "
                "into a chain of stages (features_only=True gives a FeatureListNet only for "
                "convolutional networks): name one such as convnext_tiny, convnextv2_nano or "
                "regnety_016"
            )

    def run(self, net: Any, stage: int, x: Tensor) -> Tensor:
        """The links of the chain that make up the stage."""
        for name in self._links(net)[stage]:
            x = net.timm_model[name](x)
        return x

    def drop_first_stage(self, net: Any) -> None:
        """Empty the first stage's links."""
        for name in self._links(net)[0]:
            net.timm_model[name] = nn.Sequential()

    @staticmethod
    def _links(net: Any) -> list[list[str]]:
        chain = net.timm_model
        reductions = iter(chain.feature_info.reduction())
        stages: list[list[str]] = [[]]
        for name in chain:
            stages[-1].append(name)
            if name in chain.return_layers and next(reductions) >= 4:
                stages.append([])
        return stages[:-1]

    def published(self, net: Any, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The weights as they are in float32: timm's own names and shapes."""
        return {key: value.to(torch.float32) for key, value in weights.items()}

    def place(self, net: Any, key: str) -> tuple[int, float]:
        """``timm_model.<link>``, and in it ``blocks.<block>``, ``b<block>`` or ``<block>``."""
        _, link, rest = key.split(".", 2)
        stage = next((i for i, links in enumerate(self._links(net)) if link in links), 0)
        found = re.match(r"(?:blocks\.|b)?(\d+)\.", rest)
        return stage, int(found[1]) if found else OPENS
