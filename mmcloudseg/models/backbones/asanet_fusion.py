"""What ASANet puts between two streams: semantic focusing and cascade fusion (arXiv 2412.02044).

Where the paper's text leaves a size open (hidden widths, activations, one MLP for both modalities
in the focusing, softmax over channels), it is the one with which the authors published their
scores and the 82 M parameters.
"""

from __future__ import annotations

import torch
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from torch import Tensor, nn


class SemanticFocusing(BaseModule):
    """SFM: strengthens in each modality the channels in which it exceeds the other.

    ``optical * (1 + sigmoid(MLP(max(optical - sar))))``, and the same with the two changed over:
    the maximum is over all places, and the MLP is one for both. The difference has a sign, so the
    two modalities get different weights; hence the asymmetry.

    Args:
        channels: Channels of either feature.
        reduction: The MLP's hidden layer has ``channels / reduction`` channels.
        min_hidden: But no fewer than these.
        init_cfg: MMEngine's initialization config of this module.
    """

    def __init__(
        self,
        channels: int,
        reduction: int = 16,
        min_hidden: int = 32,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        hidden = max(channels // reduction, min_hidden)
        self.mlp = nn.Sequential(
            nn.Linear(channels, hidden), nn.GELU(), nn.Linear(hidden, channels)
        )

    def forward(self, optical: Tensor, sar: Tensor) -> tuple[Tensor, Tensor]:
        """Focus both.

        Args:
            optical: N x C x H x W.
            sar: N x C x H x W.

        Returns:
            The focused optical and SAR features, each N x C x H x W.
        """
        excess = optical - sar
        return self._focus(optical, excess), self._focus(sar, -excess)

    def _focus(self, feature: Tensor, excess: Tensor) -> Tensor:
        weights = torch.sigmoid(self.mlp(excess.amax(dim=(2, 3))))
        return feature * (1 + weights[:, :, None, None])


class ChannelGate(BaseModule):
    """sigmoid(BN(W2 ReLU6(BN(W1 mean(x))))): one weight in (0, 1) for every channel.

    The authors' MLP has a depth-wise 3 x 3 convolution in its middle. On a pooled feature of one
    pixel that is a factor and an offset for every channel, which the norm before it has already:
    it is left out.

    Args:
        channels: Of input and output.
        expansion: Hidden channels for each of them.
        norm_cfg: MMCV's config of the norms; BatchNorm by default.
        init_cfg: MMEngine's initialization config of this module.
    """

    def __init__(
        self,
        channels: int,
        expansion: int = 4,
        norm_cfg: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        norm_cfg = norm_cfg or dict(type="BN")
        hidden = expansion * channels
        self.expand = ConvModule(
            channels, hidden, 1, norm_cfg=norm_cfg, act_cfg=dict(type="ReLU6")
        )
        self.reduce = ConvModule(hidden, channels, 1, norm_cfg=norm_cfg, act_cfg=None)

    def forward(self, x: Tensor) -> Tensor:
        """N x C x H x W to N x C x 1 x 1; in training N is at least 2, for BatchNorm."""
        pooled = x.mean(dim=(2, 3), keepdim=True)
        return torch.sigmoid(self.reduce(self.expand(pooled)))


class CascadeFusion(BaseModule):
    """CFM: selects from both features by channel, then from what is left by place, and adds up.

    By channel, each modality is multiplied by its own :class:`ChannelGate` of both. By place,
    every pixel of each is multiplied by weights that sum to one over its channels, from both
    gated features.

    Args:
        channels: Channels of either feature and of the fused one.
        expansion: Hidden channels of the gates for each of these.
        norm_cfg: MMCV's config of the gates' norms; BatchNorm by default.
        init_cfg: MMEngine's initialization config of this module.
    """

    def __init__(
        self,
        channels: int,
        expansion: int = 4,
        norm_cfg: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.merge = nn.Conv2d(2 * channels, channels, 1)
        self.gate = nn.ModuleDict(
            {name: ChannelGate(channels, expansion, norm_cfg) for name in ("optical", "sar")}
        )
        self.merge_gated = nn.Conv2d(2 * channels, channels, 1)
        self.select = nn.ModuleDict(
            {name: nn.Conv2d(channels, channels, 1) for name in ("optical", "sar")}
        )

    def forward(self, optical: Tensor, sar: Tensor) -> Tensor:
        """Fuse.

        Args:
            optical: N x C x H x W.
            sar: N x C x H x W.

        Returns:
            N x C x H x W.
        """
        both = self.merge(torch.cat([optical, sar], dim=1))
        optical = optical * self.gate["optical"](both)
        sar = sar * self.gate["sar"](both)
        both = self.merge_gated(torch.cat([optical, sar], dim=1))
        return optical * self._weights("optical", both) + sar * self._weights("sar", both)

    def _weights(self, modality: str, both: Tensor) -> Tensor:
        return self.select[modality](both).softmax(dim=1)
