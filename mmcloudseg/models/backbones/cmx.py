"""CMX: two streams that rectify each other stage by stage, fused for the decoder."""

from __future__ import annotations

from collections.abc import Sequence

from mmengine.model import ModuleList
from mmseg.registry import MODELS
from torch import Tensor, nn

from mmcloudseg.models.backbones.cmx_fusion import CrossModalRectification, FeatureFusion
from mmcloudseg.models.backbones.two_stream import TwoStreamBackbone

HEAD_CHANNELS = 64  # as in MiT-B1 to B5, whose numbers of heads the paper uses


@MODELS.register_module()
class CMXBackbone(TwoStreamBackbone):
    """Optical and SAR streams of any supported MMSeg backbone (CMX, Zhang et al., 2203.04838).

    After every stage the two features rectify each other and go on to the next stage; their
    fusion goes to the decoder.

    Arguments and errors are those of ``MultiStreamBackbone``, and:

    Args:
        num_heads: Heads of the fusion's cross-attention at each stage. By default those of the
            stream or, if it has none, as many as have about 64 channels each.
        lambda_c: Weight of the channel-wise rectification.
        lambda_s: Weight of the spatial one.
        norm_cfg: MMCV's config of the norms of the fused features; BatchNorm by default.

    Raises:
        ValueError: ``num_heads`` is not one number for each stage that divides its channels.
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
        if num_heads is None:
            num_heads = self._heads_of(self.optical)
        if len(num_heads) != len(self.stage_channels):
            raise ValueError(
                f"num_heads are {list(num_heads)}, expected one for each of the stream's "
                f"{len(self.stage_channels)} stages"
            )
        self.rectification = ModuleList(
            CrossModalRectification(width, lambda_c, lambda_s) for width in self.stage_channels
        )
        self.fusion = ModuleList(
            FeatureFusion(width, heads, norm_cfg)
            for width, heads in zip(self.stage_channels, num_heads, strict=True)
        )

    def _heads_of(self, net: nn.Module) -> Sequence[int]:
        heads = getattr(net, "num_heads", self._stream.get("num_heads"))
        if heads is not None:
            return heads
        return [
            next(n for n in range(max(width // HEAD_CHANNELS, 1), 0, -1) if width % n == 0)
            for width in self.stage_channels
        ]

    def exchange(self, stage: int, optical: Tensor, sar: Tensor) -> tuple[Tensor, Tensor]:
        """Rectify each feature by the other."""
        return self.rectification[stage](optical, sar)
