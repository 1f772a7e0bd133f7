"""One stream on the stacked bands of one or both modalities: what baselines are made of."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmseg.registry import MODELS
from torch import Tensor, nn

from mmcloudseg.models.backbones.stages import StageAdapter, stages_of
from mmcloudseg.models.backbones.streams import MultiStreamBackbone


@MODELS.register_module()
class SingleStreamBackbone(MultiStreamBackbone):
    """Any MMSeg backbone on optical bands alone, on SAR alone, or on both stacked.

    Early fusion, the habit: the first convolution sees all bands. With ``modalities`` changed the
    same config is the baseline of one modality; data and pipeline stay as they are. ImageNet
    weights are adapted to the bands, as in all backbones here.

    Args:
        stream: Name or config of the backbone.
        bands: Bands of the two modalities in the input, in this order.
        modalities: What the stream sees of them.
        pretrained: Whether the stream's published weights are loaded, or the path of others.
        init_cfg: MMEngine's initialization config of this module.

    Raises:
        ValueError: The stream's name is not known.
        ValueError: ``modalities`` is empty or names another modality.
    """

    def __init__(
        self,
        stream: str | dict,
        bands: dict[str, int] | None = None,
        modalities: Sequence[str] = ("optical", "sar"),
        pretrained: bool | str = True,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(stream, bands, pretrained, init_cfg)
        self.modalities = tuple(modalities)
        if not self.modalities or not set(self.modalities) <= set(self.bands):
            raise ValueError(
                f"modalities are {list(modalities)}, expected one or both of {list(self.bands)}"
            )
        self.add_stream("net", sum(self.bands[name] for name in self.modalities))

    @staticmethod
    def adapter_of(net: nn.Module) -> StageAdapter | None:
        """None for a family without adapter: here the backbone runs as a whole."""
        try:
            return stages_of(net)
        except ValueError:
            return None

    @property
    def out_channels(self) -> tuple[int, ...]:
        """Channels of each feature that :meth:`forward` returns, where the family is known."""
        if self.stages is None:
            raise AttributeError(f"{type(self.net).__name__} does not tell; give in_channels")
        return self.stages.channels(self.net)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Run the stream.

        Args:
            x: N x (optical + SAR bands) x H x W, normalised.

        Returns:
            What the backbone returns.

        Raises:
            ValueError: The number of bands is wrong.
        """
        self.check_bands(x)
        parts = dict(zip(self.bands, x.split(list(self.bands.values()), dim=1), strict=True))
        return tuple(self.net(torch.cat([parts[name] for name in self.modalities], dim=1)))
