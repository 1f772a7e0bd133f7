"""ASANet: two streams, each focused on what the other lacks, fused for the decoder."""

from __future__ import annotations

from mmseg.models.utils import LayerNorm2d
from mmseg.registry import MODELS
from torch import Tensor, nn

from mmcloudseg.models.backbones.asanet_fusion import CascadeFusion, SemanticFocusing
from mmcloudseg.models.backbones.two_stream import TwoStreamBackbone


@MODELS.register_module()
class ASANetBackbone(TwoStreamBackbone):
    """Optical and SAR streams of any supported backbone (ASANet, Zhang et al., 2412.02044).

    After every stage both features are focused on what the other lacks, and go on to the next
    stage; their fusion goes to the decoder. The paper's streams are ConvNeXt-V2-T. An input in
    training has at least two images, for the BatchNorm of pooled features.

    Arguments and errors are those of ``MultiStreamBackbone``, and:

    Args:
        stage_norm: Whether a LayerNorm over channels follows the focusing, for streams whose
            stages end without a norm (ConvNeXt).
        norm_cfg: MMCV's config of the norms in the fusion; BatchNorm by default.
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
        norm = LayerNorm2d if stage_norm else nn.Identity
        widths = self.stage_channels
        self.focusing = nn.ModuleList(SemanticFocusing(c) for c in widths)
        self.optical_norms = nn.ModuleList(norm(c) for c in widths)
        self.sar_norms = nn.ModuleList(norm(c) for c in widths)
        self.fusion = nn.ModuleList(CascadeFusion(c, norm_cfg) for c in widths)

    def exchange(self, stage: int, optical: Tensor, sar: Tensor) -> tuple[Tensor, Tensor]:
        """Focus each feature on what the other lacks."""
        optical, sar = self.focusing[stage](optical, sar)
        return self.optical_norms[stage](optical), self.sar_norms[stage](sar)
