"""The cloud-removal head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.utils import resize
from mmseg.registry import MODELS
from mmseg.utils import SampleList
from torch import Tensor, nn

from mmcloudseg.models.decode_heads.unet_decoder import UNetDecoder
from mmcloudseg.models.losses.fields import stack_cloud_free, stack_cloud_mask


@MODELS.register_module()
class CloudRemovalHead(BaseDecodeHead):
    """A U-Net decoder and two 3 x 3 convolutions to the cloud-free image (CloudSeg).

    Args:
        in_channels: Channels of the features it reads, fine to coarse.
        in_index: Their indices in the backbone's output (the optical stages).
        out_bands: Bands of the optical image; ``CloudSeg`` takes them from its backbone.
        hidden_channels: Channels between the two convolutions.
        widths: Channels of the decoder's blocks, coarse to fine.
        loss_decode: Config of the loss, called with prediction, target and cloud mask.
        kwargs: As in MMSeg's ``BaseDecodeHead``.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        in_index: Sequence[int] = (4, 5, 6, 7),
        *,
        out_bands: int = 4,
        hidden_channels: int = 64,
        widths: Sequence[int] = (256, 128, 64, 32, 16),
        loss_decode: dict | None = None,
        **kwargs: Any,
    ) -> None:
        settings = dict(dropout_ratio=0.0, norm_cfg=dict(type="BN"), init_cfg=None)
        super().__init__(
            in_channels=in_channels,
            in_index=in_index,
            input_transform="multiple_select",
            channels=widths[-1],
            num_classes=out_bands,
            loss_decode=loss_decode or dict(type="CloudRemovalLoss"),
            **(settings | kwargs),
        )
        del self.conv_seg  # an image, not classes
        self.decoder = UNetDecoder(in_channels, widths, self.norm_cfg)
        self.conv_hidden = nn.Conv2d(widths[-1], hidden_channels, 3, padding=1)
        self.conv_image = nn.Conv2d(hidden_channels, out_bands, 3, padding=1)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """The backbone's features to the normalised cloud-free image, N x bands x H x W."""
        feature = self.decoder(self._transform_inputs(inputs))
        return self.conv_image(self.conv_hidden(feature))

    def loss_by_feat(self, seg_logits: Tensor, batch_data_samples: SampleList) -> dict:
        """The loss against ``gt_cloud_free`` under ``gt_cloud_mask``.

        Args:
            seg_logits: The predicted image, N x bands x H x W.
            batch_data_samples: Samples with both fields, normalised.

        Raises:
            ValueError: A sample lacks one of the fields.
        """
        target = stack_cloud_free(batch_data_samples)
        mask = stack_cloud_mask(batch_data_samples)
        image = resize(
            seg_logits, target.shape[2:], mode="bilinear", align_corners=self.align_corners
        )
        return {self.loss_decode.loss_name: self.loss_decode(image, target, mask)}
