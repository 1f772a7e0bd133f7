"""The fusion block between the streams of one stage (CloudSeg, Xu et al., ISPRS 2024)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn


class MultiScaleContext(nn.Module):
    """ReLU(conv1x1([f, up(maxpool2(f)), up(maxpool4(f))])), of the same shape as ``f``."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3 * channels, channels, 1)

    def forward(self, feature: Tensor) -> Tensor:
        """N x C x H x W to N x C x H x W; H and W are at least 4."""
        size = feature.shape[2:]
        coarser = [F.interpolate(F.max_pool2d(feature, k), size, mode="nearest") for k in (2, 4)]
        return F.relu(self.conv(torch.cat([feature, *coarser], dim=1)))


class SpatialGate(nn.Module):
    """Maps where optical and SAR disagree to values in (0, 1) that all channels share."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, 7, padding=3, bias=False)
        self.bn = nn.BatchNorm2d(1, momentum=0.01)

    def forward(self, difference: Tensor) -> Tensor:
        """N x C x H x W to N x 1 x H x W."""
        pooled = torch.stack([difference.amax(dim=1), difference.mean(dim=1)], dim=1)
        return torch.sigmoid(self.bn(self.conv(pooled)))


class ChannelWeights(nn.Module):
    """sigmoid(W2 ReLU(W1 mean(z))), without biases."""

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        hidden = max(channels // reduction, 1)
        self.reduce = nn.Linear(channels, hidden, bias=False)
        self.expand = nn.Linear(hidden, channels, bias=False)

    def forward(self, z: Tensor) -> Tensor:
        """N x C x H x W to N x C x 1 x 1."""
        weights = self.expand(F.relu(self.reduce(z.mean(dim=(2, 3)))))
        return torch.sigmoid(weights)[:, :, None, None]


class FusionBlock(BaseModule):
    """Fuses the streams of one stage into the cross-modal one and hands the result back to them.

    Only convolutions whose output is read are built, because DDP refuses unused parameters.

    Args:
        channels: Channels of every stream at this stage.
        with_cross: Whether there is a cross-modal input, as at all stages but the first.
        spatial_gate: Whether to gate the optical feature where it disagrees with SAR. This guards
            the student against clouds; the teacher, which sees none, has no gate.
        return_optical: Whether the optical feature is read after this block.
        return_sar: Whether the SAR feature is read after this block.
    """

    def __init__(
        self,
        channels: int,
        with_cross: bool = True,
        spatial_gate: bool = True,
        return_optical: bool = True,
        return_sar: bool = True,
    ) -> None:
        super().__init__()
        inputs = ["optical", "sar", *(["cross"] if with_cross else [])]
        self.context = nn.ModuleDict({name: MultiScaleContext(channels) for name in inputs})
        self.spatial_gate = SpatialGate() if spatial_gate else None
        self.channel_weights = ChannelWeights(len(inputs) * channels)
        self.distribute = nn.ModuleDict()
        for name, returned in (("optical", return_optical), ("sar", return_sar)):
            if returned:
                self.distribute[name] = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(
        self, optical: Tensor, sar: Tensor, cross: Tensor | None = None
    ) -> tuple[Tensor | None, Tensor | None, Tensor]:
        """Fuse the features of one stage, each N x C x H x W; the first has no cross-modal one.

        Returns:
            Optical and SAR features for the next stage (None if they are not returned) and the
            updated cross-modal feature, each N x C x H x W.
        """
        streams = {"optical": optical, "sar": sar}
        if cross is not None:
            streams["cross"] = cross
        context = {name: self.context[name](feature) for name, feature in streams.items()}

        chunks = dict(context)
        if self.spatial_gate is not None:
            gate = self.spatial_gate(context["optical"] - context["sar"])
            chunks["optical"] = gate * context["optical"]
        z = torch.cat(list(chunks.values()), dim=1)
        weighted = self.channel_weights(z) * z
        fused = sum(weighted.chunk(len(chunks), dim=1))

        handed_back = {}
        for name, conv in self.distribute.items():
            # Not the gated context: the stream receives what fusion adds to its own feature.
            news = fused - context[name]
            handed_back[name] = streams[name] + news * torch.sigmoid(conv(news))
        return handed_back.get("optical"), handed_back.get("sar"), fused
