"""What CMX and ASANet have in common: an optical and a SAR stream, fused after every stage."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor, nn

from mmcloudseg.models.backbones.stages import stages_of
from mmcloudseg.models.backbones.streams import MultiStreamBackbone


class TwoStreamBackbone(MultiStreamBackbone):
    """Base of backbones of an optical and a SAR stream.

    After every stage the two features are exchanged by :meth:`exchange` and go on to the next
    stage; ``fusion``, which the subclass builds with one module for each stage, makes of them the
    feature that the decoder reads.

    Arguments and errors are those of ``MultiStreamBackbone``.
    """

    stream_names = ("optical", "sar")
    fusion: nn.ModuleList

    def __init__(
        self,
        stream: str | dict,
        bands: dict[str, int] | None = None,
        pretrained: bool | str = True,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(stream, bands, pretrained, init_cfg)
        self.optical = self.build_stream(self.bands["optical"])
        self.sar = self.build_stream(self.bands["sar"])
        self.stages = stages_of(self.optical)
        self.stage_channels = self.stages.channels(self.optical)

    @abstractmethod
    def exchange(self, stage: int, optical: Tensor, sar: Tensor) -> tuple[Tensor, Tensor]:
        """Let the optical and SAR features of a stage, each N x C x H x W, change each other."""

    @property
    def out_channels(self) -> tuple[int, ...]:
        """Channels of each feature that :meth:`forward` returns."""
        return self.stage_channels

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Run the streams.

        Args:
            x: N x (optical + SAR bands) x H x W, normalised; H and W are at least 128.

        Returns:
            Fused features of all stages, fine to coarse: N x C_i x H / s_i x W / s_i with the
            stream's strides s_i.

        Raises:
            ValueError: The number of bands is wrong, or the image is too small.
        """
        optical, sar = self.split(x)
        fused = []
        for stage, fuse in enumerate(self.fusion):
            optical = self.stages.run(self.optical, stage, optical)
            sar = self.stages.run(self.sar, stage, sar)
            optical, sar = self.exchange(stage, optical, sar)
            fused.append(fuse(optical, sar))
        return tuple(fused)
