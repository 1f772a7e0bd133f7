"""One stream on the stacked bands of one or both modalities, for the baselines."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmseg.registry import MODELS
from torch import Tensor

from mmcloudseg.models.backbones.stages import find_stages
from mmcloudseg.models.backbones.streams import MultiStreamBackbone


@MODELS.register_module()
class SingleStreamBackbone(MultiStreamBackbone):
    """Any MMSeg backbone on optical bands alone, on SAR alone, or on both stacked.

    This is early fusion, the usual practice: the first convolution sees all bands. Changing
    ``modalities`` turns the config into the baseline of one modality, with the same data and
    pipeline. ImageNet weights are adapted to the bands, as in all backbones here.

    Arguments and errors are those of ``MultiStreamBackbone``, and:

    Args:
        modalities: Those that the stream sees.

    Raises:
        ValueError: ``modalities`` is empty or names an unknown one.
    """

    stream_names = ("net",)

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
        self.net = self.build_stream(sum(self.bands[name] for name in self.modalities))

    @property
    def out_channels(self) -> tuple[int, ...]:
        """Channels of each feature that :meth:`forward` returns.

        Raises:
            AttributeError: The family has no stage adapter, which knows them.
        """
        stages = find_stages(self.net)  # not needed otherwise: the backbone runs as a whole
        if stages is None:
            raise AttributeError(
                f"the channels of {type(self.net).__name__} are unknown: give the head in_channels"
            )
        return stages.channels(self.net)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """The backbone's features of a normalised input, N x (optical + SAR bands) x H x W.

        Raises:
            ValueError: The number of bands is wrong.
        """
        self.check_bands(x)
        parts = dict(zip(self.bands, x.split(list(self.bands.values()), dim=1), strict=True))
        return tuple(self.net(torch.cat([parts[name] for name in self.modalities], dim=1)))
