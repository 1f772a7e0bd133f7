"""ASANet: two streams, each focused on what the other lacks, fused for the decoder."""

from __future__ import annotations

from mmseg.models.utils import LayerNorm2d
from mmseg.registry import MODELS
from torch import Tensor, nn

from mmcloudseg.models.backbones.asanet_fusion import CascadeFusion, SemanticFocusing
from mmcloudseg.models.backbones.streams import MultiStreamBackbone


@MODELS.register_module()
class ASANetBackbone(MultiStreamBackbone):
    """Optical and SAR streams of any supported backbone (ASANet, Zhang et al., 2412.02044).

    After every stage both features are focused on what the other lacks; so they go on to the next
    stage, and their fusion to the decoder. The paper's streams are ConvNeXt-V2-T.

    Args:
        stream: Name or config of the backbone that either stream is one of.
        bands: Bands of the two modalities in the input, in this order.
        stage_norm: Whether a LayerNorm over channels follows the focusing, for streams whose
            stages end without a norm (ConvNeXt).
        norm_cfg: MMCV's config of the norms in the fusion; BatchNorm by default.
        pretrained: Whether the stream's published weights are loaded, or the path of others.
        init_cfg: MMEngine's initialization config of this module.

    Raises:
        ValueError: The stream's name is not known.
        ValueError: The stream's type has no stage adapter.
    """

    def __init__(
        self,
        stream: str | dict,
        bands: dict[str, int] | None = None,
        stage_norm: bool = False,
        norm_cfg: dict | None = None,
        pretrained: bool | str = True,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(stream, bands, pretrained, init_cfg)
        optical = self.add_stream("optical", self.bands["optical"])
        self.add_stream("sar", self.bands["sar"])
        self.stage_channels = self.stages.channels(optical)
        norm = LayerNorm2d if stage_norm else nn.Identity
        self.focusing = nn.ModuleList(SemanticFocusing(c) for c in self.stage_channels)
        self.optical_norms = nn.ModuleList(norm(c) for c in self.stage_channels)
        self.sar_norms = nn.ModuleList(norm(c) for c in self.stage_channels)
        self.fusion = nn.ModuleList(
            CascadeFusion(c, norm_cfg=norm_cfg) for c in self.stage_channels
        )

    @property
    def out_channels(self) -> tuple[int, ...]:
        """Channels of each feature that :meth:`forward` returns."""
        return self.stage_channels

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Run the streams.

        Args:
            x: N x (optical + SAR bands) x H x W, normalised; H and W at least 128. In training N
                is at least 2, for the BatchNorm of pooled features.

        Returns:
            Fused features of all stages, fine to coarse: N x C_i x H / s_i x W / s_i with the
            stream's strides s_i.

        Raises:
            ValueError: The number of bands is wrong, or the image too small.
        """
        optical, sar = self.split(x)
        fused = []
        for i, (focus, fuse) in enumerate(zip(self.focusing, self.fusion, strict=True)):
            optical = self.stages.run(self.optical, i, optical)
            sar = self.stages.run(self.sar, i, sar)
            optical, sar = focus(optical, sar)
            optical, sar = self.optical_norms[i](optical), self.sar_norms[i](sar)
            fused.append(fuse(optical, sar))
        return tuple(fused)
