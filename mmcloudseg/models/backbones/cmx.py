"""CMX: two streams that rectify each other stage by stage, fused for the decoder."""

from __future__ import annotations

from collections.abc import Sequence

from mmengine.model import ModuleList
from mmseg.registry import MODELS
from torch import Tensor, nn

from mmcloudseg.models.backbones.cmx_fusion import CrossModalRectification, FeatureFusion
from mmcloudseg.models.backbones.streams import MultiStreamBackbone

HEAD_CHANNELS = 64  # of MiT-B1 to B5, whose heads the paper takes over


@MODELS.register_module()
class CMXBackbone(MultiStreamBackbone):
    """Optical and SAR streams of any supported MMSeg backbone (CMX, Zhang et al., 2203.04838).

    After every stage the two features are rectified by each other; so they go on to the next
    stage, and their fusion to the decoder.

    Args:
        stream: Name or config of the backbone that either stream is one of.
        bands: Bands of the two modalities in the input, in this order.
        num_heads: Heads of the fusion's cross-attention, stage by stage. By default those of the
            stream, or, where that has none, as many as have 64 channels each.
        lambda_c: Weight of the channel-wise rectification.
        lambda_s: Weight of the spatial one.
        norm_cfg: MMCV's config of the norms of the fused features; BatchNorm by default.
        pretrained: Whether the stream's published weights are loaded, or the path of others.
        init_cfg: MMEngine's initialization config of this module.

    Raises:
        ValueError: The stream's name is not known.
        ValueError: The stream's type has no stage adapter.
        ValueError: ``num_heads`` are not one for each stage, or don't divide its channels.
    """

    def __init__(
        self,
        stream: str | dict,
        bands: dict[str, int] | None = None,
        num_heads: Sequence[int] | None = None,
        lambda_c: float = 0.5,
        lambda_s: float = 0.5,
        norm_cfg: dict | None = None,
        pretrained: bool | str = True,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(stream, bands, pretrained, init_cfg)
        optical = self.add_stream("optical", self.bands["optical"])
        self.add_stream("sar", self.bands["sar"])
        self.stage_channels = self.stages.channels(optical)
        if num_heads is None:
            num_heads = self._heads_of(optical)
        if len(num_heads) != len(self.stage_channels):
            raise ValueError(
                f"num_heads are {list(num_heads)}, expected one for each of the stream's "
                f"{len(self.stage_channels)} stages"
            )
        self.rectification = ModuleList(
            CrossModalRectification(channels, lambda_c, lambda_s)
            for channels in self.stage_channels
        )
        self.fusion = ModuleList(
            FeatureFusion(channels, heads, norm_cfg)
            for channels, heads in zip(self.stage_channels, num_heads, strict=True)
        )

    def _heads_of(self, net: nn.Module) -> Sequence[int]:
        heads = getattr(net, "num_heads", self._stream.get("num_heads"))
        if heads is not None:
            return heads
        most = [max(channels // HEAD_CHANNELS, 1) for channels in self.stage_channels]
        return [
            next(n for n in range(limit, 0, -1) if channels % n == 0)
            for channels, limit in zip(self.stage_channels, most, strict=True)
        ]

    @property
    def out_channels(self) -> tuple[int, ...]:
        """Channels of each feature that :meth:`forward` returns."""
        return self.stage_channels

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Run the streams.

        Args:
            x: N x (optical + SAR bands) x H x W, normalised; H and W at least 128.

        Returns:
            Fused features of all stages, fine to coarse: N x C_i x H / s_i x W / s_i with the
            stream's strides s_i.

        Raises:
            ValueError: The number of bands is wrong, or the image too small.
        """
        optical, sar = self.split(x)
        fused = []
        for i, (rectify, fuse) in enumerate(zip(self.rectification, self.fusion, strict=True)):
            optical = self.stages.run(self.optical, i, optical)
            sar = self.stages.run(self.sar, i, sar)
            optical, sar = rectify(optical, sar)
            fused.append(fuse(optical, sar))
        return tuple(fused)
