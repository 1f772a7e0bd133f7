"""Optical, SAR and cross-modal streams of one backbone with fusion after every stage."""

from __future__ import annotations

from mmseg.registry import MODELS
from torch import Tensor, nn

from mmcloudseg.models.backbones.fusion import FusionBlock
from mmcloudseg.models.backbones.stages import stages_of
from mmcloudseg.models.backbones.streams import MultiStreamBackbone


@MODELS.register_module()
class CrossModalBackbone(MultiStreamBackbone):
    """Three streams of any supported MMSeg backbone (CloudSeg, Xu et al., ISPRS 2024, section 3).

    The input of the cross-modal stream is the output of the fusion, so it has no first stage.

    Arguments and errors are those of ``MultiStreamBackbone``, and:

    Args:
        spatial_gate: Whether fusion gates the optical stream (student) or not (teacher).
        with_optical: Whether to return the optical stages as well (for a cloud-removal head).
    """

    stream_names = ("optical", "sar", "cross")

    def __init__(
        self,
        stream: str | dict,
        bands: dict[str, int] | None = None,
        spatial_gate: bool = True,
        with_optical: bool = False,
        pretrained: bool | str = True,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(stream, bands, pretrained, init_cfg)
        self.with_optical = with_optical
        self.optical = self.build_stream(self.bands["optical"])
        self.sar = self.build_stream(self.bands["sar"])
        self.cross = self.build_stream()
        self.stages = stages_of(self.optical)
        self.stage_channels = self.stages.channels(self.optical)
        self.stages.drop_first_stage(self.cross)

        last = len(self.stage_channels) - 1
        self.fusion = nn.ModuleList(
            FusionBlock(
                channels,
                with_cross=i > 0,
                spatial_gate=spatial_gate,
                return_optical=i < last or with_optical,
                return_sar=i < last,
            )
            for i, channels in enumerate(self.stage_channels)
        )

    @property
    def out_channels(self) -> tuple[int, ...]:
        """Channels of each feature that :meth:`forward` returns, in its order."""
        return self.stage_channels * (2 if self.with_optical else 1)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Run the streams.

        Args:
            x: N x (optical + SAR bands) x H x W, normalised; H and W are at least 128.

        Returns:
            Cross-modal features of all stages, fine to coarse, followed by the optical ones if
            ``with_optical``: N x C_i x H / s_i x W / s_i with the backbone's strides s_i.

        Raises:
            ValueError: The number of bands is wrong, or the image is too small.
        """
        optical, sar = self.split(x)
        cross = None
        fused, optical_stages = [], []
        for i, fusion in enumerate(self.fusion):
            optical = self.stages.run(self.optical, i, optical)
            sar = self.stages.run(self.sar, i, sar)
            if cross is not None:
                cross = self.stages.run(self.cross, i, cross)
            optical, sar, cross = fusion(optical, sar, cross)
            fused.append(cross)
            optical_stages.append(optical)
        return tuple(fused + optical_stages) if self.with_optical else tuple(fused)
