"""The U-Net decoder that both heads share."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmcv.cnn import build_norm_layer
from mmengine.model import BaseModule
from torch import Tensor, nn


class DecoderBlock(nn.Module):
    """Upsample to the skip's size (or by 2), concatenate, two 3 x 3 conv-norm-ReLU."""

    def __init__(self, in_channels: int, skip_channels: int, width: int, norm_cfg: dict) -> None:
        super().__init__()
        # Not MMCV's ConvModule, which would override the initialization of the decoder.
        self.conv1 = nn.Conv2d(in_channels + skip_channels, width, 3, padding=1, bias=False)
        self.norm1 = build_norm_layer(norm_cfg, width)[1]
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm2 = build_norm_layer(norm_cfg, width)[1]

    def forward(self, x: Tensor, skip: Tensor | None = None) -> Tensor:
        """N x C x h x w and a finer skip to N x width x (skip's size, or 2h x 2w)."""
        if skip is None:
            x = F.interpolate(x, scale_factor=2, mode="nearest")
        else:
            x = torch.cat([F.interpolate(x, size=skip.shape[2:], mode="nearest"), skip], dim=1)
        x = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(x)))


class UNetDecoder(BaseModule):
    """Upsamples the coarsest feature to the input's size, by one block for each width.

    Convolutions start with Kaiming uniform weights (fan-in, ReLU).

    Args:
        in_channels: Channels of the encoder's features, fine to coarse.
        widths: Channels of the blocks, coarse to fine.
        norm_cfg: MMCV's config of the norms; BatchNorm by default.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        widths: Sequence[int] = (256, 128, 64, 32, 16),
        norm_cfg: dict | None = None,
    ) -> None:
        kaiming = dict(type="Kaiming", layer="Conv2d", mode="fan_in", distribution="uniform")
        super().__init__(kaiming)
        norm_cfg = norm_cfg or dict(type="BN")
        *skips, deepest = in_channels
        skips = skips[::-1] + [0] * (len(widths) - len(skips))
        inputs = [deepest, *widths[:-1]]
        self.blocks = nn.ModuleList(
            DecoderBlock(in_width, skip, width, norm_cfg)
            for in_width, skip, width in zip(inputs, skips, widths, strict=True)
        )

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """Encoder features, fine to coarse, to N x widths[-1] x H x W."""
        *skips, x = features
        skips = skips[::-1]
        for i, block in enumerate(self.blocks):
            x = block(x, skips[i] if i < len(skips) else None)
        return x
