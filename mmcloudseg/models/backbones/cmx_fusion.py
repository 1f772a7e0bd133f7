"""CMX's modules between two streams: rectification and fusion (arXiv 2203.04838, section III).

They are written from the paper. Where it leaves a choice open (a ReLU after the first embedding,
no biases of keys and values, attention scaled by the root of the head's width, hidden widths, a
second norm in the mixed embedding), it is made as in the network whose size and scores the authors
published.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmcv.cnn import build_norm_layer
from mmengine.model.weight_init import constant_init, normal_init, trunc_normal_init
from torch import Tensor, nn


class _CMXModule(nn.Module):
    """Base of modules whose layers are initialized as in MiT."""

    def init_weights(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear):
                trunc_normal_init(module, std=0.02, bias=0)
            elif isinstance(module, nn.LayerNorm | nn.modules.batchnorm._BatchNorm):
                constant_init(module, val=1.0, bias=0)
            elif isinstance(module, nn.Conv2d):
                fan_out = module.weight[0, 0].numel() * module.out_channels // module.groups
                normal_init(module, std=(2 / fan_out) ** 0.5, bias=0)


class CrossModalRectification(_CMXModule):
    """CM-FRM: adds to each feature the other one, weighted by channel and by pixel.

    Eqs. (1) to (6): ``optical + lambda_c * W_sar^C * sar + lambda_s * W_sar^S * sar``, and the
    same with the two exchanged. The weights are sigmoids computed from both features.
    """

    def __init__(self, channels: int, lambda_c: float = 0.5, lambda_s: float = 0.5) -> None:
        super().__init__()
        self.lambda_c = lambda_c
        self.lambda_s = lambda_s
        self.channel_mlp = nn.Sequential(
            nn.Linear(4 * channels, 4 * channels), nn.ReLU(), nn.Linear(4 * channels, 2 * channels)
        )
        self.spatial_mlp = nn.Sequential(
            nn.Conv2d(2 * channels, channels, 1), nn.ReLU(), nn.Conv2d(channels, 2, 1)
        )

    def forward(self, optical: Tensor, sar: Tensor) -> tuple[Tensor, Tensor]:
        """Rectify both features, each N x C x H x W."""
        both = torch.cat([optical, sar], dim=1)
        pooled = torch.cat([both.mean(dim=(2, 3)), both.amax(dim=(2, 3))], dim=1)
        by_channel = torch.sigmoid(self.channel_mlp(pooled))[:, :, None, None].chunk(2, dim=1)
        by_place = torch.sigmoid(self.spatial_mlp(both)).chunk(2, dim=1)
        of_optical, of_sar = (
            self.lambda_c * channel + self.lambda_s * place
            for channel, place in zip(by_channel, by_place, strict=True)
        )
        return optical + of_sar * sar, sar + of_optical * optical


class ExchangePath(nn.Module):
    """One modality's half of the information exchange (FFM, stage 1).

    The number of heads divides the channels.
    """

    def __init__(self, channels: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.scale = (channels // num_heads) ** -0.5
        self.embed = nn.Linear(channels, 2 * channels)
        self.key_value = nn.Linear(channels, 2 * channels, bias=False)
        self.merge = nn.Linear(2 * channels, channels)
        self.norm = nn.LayerNorm(channels)

    def split(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Residual and interactive vectors, each N x L x C, of N x L x C tokens."""
        residual, interactive = F.relu(self.embed(tokens)).chunk(2, dim=-1)
        return residual, interactive

    def context(self, interactive: Tensor) -> Tensor:
        """SoftMax(K^T V), eqs. (7) and (8).

        From N x L x C to N x heads x C / heads x C / heads, so the cost is linear in pixels. The
        weights of each output channel sum to one.
        """
        key, value = (self._heads(x) for x in self.key_value(interactive).chunk(2, dim=-1))
        return torch.softmax((self.scale * key).transpose(-2, -1) @ value, dim=-2)

    def forward(
        self, tokens: Tensor, residual: Tensor, interactive: Tensor, other: Tensor
    ) -> Tensor:
        """Attend to the other modality's context and merge the result into the tokens.

        All but ``other``, the other modality's :meth:`context`, are N x L x C; ``interactive`` are
        the queries.
        """
        attended = (self._heads(interactive) @ other).transpose(1, 2).flatten(2)
        return self.norm(tokens + self.merge(torch.cat([residual, attended], dim=-1)))

    def _heads(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)


class MixedChannelEmbedding(nn.Module):
    """Merges stacked features, with each pixel's neighbours taken into account (FFM, stage 2)."""

    def __init__(self, channels: int, norm_cfg: dict) -> None:
        super().__init__()
        self.skip = nn.Conv2d(2 * channels, channels, 1, bias=False)
        self.mix = nn.Sequential(
            nn.Conv2d(2 * channels, channels, 1),
            nn.Conv2d(channels, channels, 3, padding=1, groups=channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 1, bias=False),
            build_norm_layer(norm_cfg, channels)[1],
        )
        self.norm = build_norm_layer(norm_cfg, channels)[1]

    def forward(self, stacked: Tensor) -> Tensor:
        """N x 2C x H x W to N x C x H x W."""
        return self.norm(self.skip(stacked) + self.mix(stacked))


class FeatureFusion(_CMXModule):
    """FFM: exchanges the global contexts of the two modalities, then fuses the features.

    Args:
        channels: Channels of either feature.
        num_heads: Heads of the cross-attention.
        norm_cfg: MMCV's config of the fused feature's norms; BatchNorm by default.

    Raises:
        ValueError: ``num_heads`` does not divide ``channels``.
    """

    def __init__(self, channels: int, num_heads: int, norm_cfg: dict | None = None) -> None:
        super().__init__()
        if channels % num_heads:
            raise ValueError(
                f"{num_heads} heads do not divide {channels} channels: choose num_heads that do"
            )
        self.optical = ExchangePath(channels, num_heads)
        self.sar = ExchangePath(channels, num_heads)
        self.fuse = MixedChannelEmbedding(channels, norm_cfg or dict(type="BN"))

    def forward(self, optical: Tensor, sar: Tensor) -> Tensor:
        """Fuse the rectified features of one stage, each N x C x H x W, to one of that shape."""
        tokens = [feature.flatten(2).transpose(1, 2) for feature in (optical, sar)]
        parts = [path.split(x) for path, x in zip((self.optical, self.sar), tokens, strict=True)]
        exchanged = [
            self.optical(tokens[0], *parts[0], self.sar.context(parts[1][1])),
            self.sar(tokens[1], *parts[1], self.optical.context(parts[0][1])),
        ]
        stacked = torch.cat(exchanged, dim=-1).transpose(1, 2).unflatten(2, optical.shape[2:])
        return self.fuse(stacked)
