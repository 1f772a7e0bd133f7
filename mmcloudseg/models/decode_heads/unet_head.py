"""The land-cover head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.registry import MODELS
from torch import Tensor, nn

from mmcloudseg.models.decode_heads.unet_decoder import UNetDecoder


@MODELS.register_module()
class UNetDecodeHead(BaseDecodeHead):
    """A U-Net decoder and a 3 x 3 convolution to classes (CloudSeg's land-cover head).

    Distillation compares the features before the last convolution, which are the output of the
    child module ``decoder``.

    Args:
        in_channels: Channels of the features it reads, fine to coarse.
        in_index: Their indices in the backbone's output.
        num_classes: Number of classes.
        widths: Channels of the decoder's blocks, coarse to fine.
        kwargs: As in MMSeg's ``BaseDecodeHead``.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        in_index: Sequence[int] = (0, 1, 2, 3),
        *,
        num_classes: int,
        widths: Sequence[int] = (256, 128, 64, 32, 16),
        **kwargs: Any,
    ) -> None:
        settings = dict(
            dropout_ratio=0.0,
            norm_cfg=dict(type="BN"),
            init_cfg=dict(type="Xavier", distribution="uniform", override=dict(name="conv_seg")),
        )
        super().__init__(
            in_channels=in_channels,
            in_index=in_index,
            input_transform="multiple_select",
            channels=widths[-1],
            num_classes=num_classes,
            **(settings | kwargs),
        )
        self.decoder = UNetDecoder(in_channels, widths, self.norm_cfg)
        self.conv_seg = nn.Conv2d(widths[-1], self.out_channels, 3, padding=1)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """The backbone's features to logits, N x classes x H x W of the network's input."""
        return self.cls_seg(self.decoder(self._transform_inputs(inputs)))
