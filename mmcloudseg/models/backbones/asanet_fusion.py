"""ASANet's modules between two streams: semantic focusing and cascade fusion (arXiv 2412.02044).

Where the paper leaves a choice open (hidden widths, activations, one MLP for both modalities in
the focusing, softmax over channels), it is made as in the network of 82 M parameters for which
the authors published their scores.
"""

from __future__ import annotations

import torch
from mmcv.cnn import ConvModule
from torch import Tensor, nn


class SemanticFocusing(nn.Module):
    """SFM: strengthens in each modality the channels in which it exceeds the other.

    ``optical * (1 + sigmoid(MLP(max(optical - sar))))``, and the same with the two exchanged. The
    maximum is taken over all pixels, and both modalities share the MLP. The difference has a sign,
    which is why the two modalities get different weights.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = max(channels // 16, 32)
        self.mlp = nn.Sequential(
            nn.Linear(channels, hidden), nn.GELU(), nn.Linear(hidden, channels)
        )

    def forward(self, optical: Tensor, sar: Tensor) -> tuple[Tensor, Tensor]:
        """Focus both features, each N x C x H x W."""
        excess = optical - sar
        return self._focus(optical, excess), self._focus(sar, -excess)

    def _focus(self, feature: Tensor, excess: Tensor) -> Tensor:
        weights = torch.sigmoid(self.mlp(excess.amax(dim=(2, 3))))
        return feature * (1 + weights[:, :, None, None])


class ChannelGate(nn.Module):
    """sigmoid(BN(W2 ReLU6(BN(W1 mean(x))))): one weight in (0, 1) for every channel.

    The authors' MLP has a depth-wise 3 x 3 convolution in the middle. On a pooled feature of one
    pixel it amounts to a factor and an offset for every channel, which the preceding norm already
    applies, so it is left out.
    """

    def __init__(self, channels: int, norm_cfg: dict | None = None) -> None:
        super().__init__()
        norm_cfg = norm_cfg or dict(type="BN")
        hidden = 4 * channels
        self.expand = ConvModule(
            channels, hidden, 1, norm_cfg=norm_cfg, act_cfg=dict(type="ReLU6")
        )
        self.reduce = ConvModule(hidden, channels, 1, norm_cfg=norm_cfg, act_cfg=None)

    def forward(self, x: Tensor) -> Tensor:
        """N x C x H x W to N x C x 1 x 1; in training N is at least 2, for BatchNorm."""
        pooled = x.mean(dim=(2, 3), keepdim=True)
        return torch.sigmoid(self.reduce(self.expand(pooled)))


class CascadeFusion(nn.Module):
    """CFM: weights both features by channel, then by pixel, and adds them up.

    By channel, each modality is multiplied by its own :class:`ChannelGate` of the merged features.
    By pixel, each modality is multiplied by weights that sum to one over the channels and are
    computed from both gated features.

    Args:
        channels: Channels of either feature and of the fused one.
        norm_cfg: MMCV's config of the gates' norms; BatchNorm by default.
    """

    def __init__(self, channels: int, norm_cfg: dict | None = None) -> None:
        super().__init__()
        names = ("optical", "sar")
        self.merge = nn.Conv2d(2 * channels, channels, 1)
        self.gate = nn.ModuleDict({name: ChannelGate(channels, norm_cfg) for name in names})
        self.merge_gated = nn.Conv2d(2 * channels, channels, 1)
        self.select = nn.ModuleDict({name: nn.Conv2d(channels, channels, 1) for name in names})

    def forward(self, optical: Tensor, sar: Tensor) -> Tensor:
        """Fuse the features of one stage, each N x C x H x W, to one of the same shape."""
        both = self.merge(torch.cat([optical, sar], dim=1))
        optical = optical * self.gate["optical"](both)
        sar = sar * self.gate["sar"](both)
        both = self.merge_gated(torch.cat([optical, sar], dim=1))
        return optical * self._weights("optical", both) + sar * self._weights("sar", both)

    def _weights(self, modality: str, both: Tensor) -> Tensor:
        return self.select[modality](both).softmax(dim=1)
