"""The cloud-removal head."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from mmseg.models.utils import resize
from mmseg.registry import MODELS
from mmseg.utils import SampleList
from torch import Tensor, nn

from mmcloudseg.models.decode_heads.unet_decoder import UNetDecoder
from mmcloudseg.models.fields import stack_field


@MODELS.register_module()
class CloudRemovalHead(BaseModule):
    """A U-Net decoder and two 3 x 3 convolutions to the cloud-free image (CloudSeg).

    It serves as the auxiliary head of an MMSeg segmentor, but is no ``BaseDecodeHead``, which
    would build a classifier.

    Args:
        in_channels: Channels of the features it reads, fine to coarse.
        in_index: Their indices in the backbone's output (the optical stages).
        out_bands: Bands of the optical image; ``CloudSeg`` takes them from its backbone.
        hidden_channels: Channels between the two convolutions.
        widths: Channels of the decoder's blocks, coarse to fine.
        norm_cfg: MMCV's config of the decoder's norms; BatchNorm by default.
        loss_decode: Config of the loss, called with prediction, target and cloud mask;
            ``CloudRemovalLoss`` by default.
        init_cfg: MMEngine's initialization config of this module.

    Raises:
        ValueError: ``in_channels`` and ``in_index`` differ in length.
    """

    align_corners = False  # of the resize to another size, as MMSeg's heads name it

    def __init__(
        self,
        in_channels: Sequence[int],
        in_index: Sequence[int] = (4, 5, 6, 7),
        *,
        out_bands: int = 4,
        hidden_channels: int = 64,
        widths: Sequence[int] = (256, 128, 64, 32, 16),
        norm_cfg: dict | None = None,
        loss_decode: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if len(in_channels) != len(in_index):
            raise ValueError(
                f"CloudRemovalHead.in_channels are {list(in_channels)}, but in_index is "
                f"{list(in_index)}: give one number of channels for each index"
            )
        self.in_channels = list(in_channels)
        self.in_index = list(in_index)
        self.loss_decode = MODELS.build(loss_decode or dict(type="CloudRemovalLoss"))
        # MMSeg's heads start by drawing the weights of a classifier. Drawing as many numbers here
        # keeps the initial weights of a seeded training what they have always been.
        torch.rand(out_bands * (widths[-1] + 1))
        self.decoder = UNetDecoder(in_channels, widths, norm_cfg)
        self.conv_hidden = nn.Conv2d(widths[-1], hidden_channels, 3, padding=1)
        self.conv_image = nn.Conv2d(hidden_channels, out_bands, 3, padding=1)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """The backbone's features to the normalised cloud-free image, N x bands x H x W."""
        feature = self.decoder([inputs[i] for i in self.in_index])
        return self.conv_image(self.conv_hidden(feature))

    def loss(
        self, inputs: Sequence[Tensor], batch_data_samples: SampleList, train_cfg: dict | None
    ) -> dict[str, Tensor]:
        """The loss of the backbone's features against ``gt_cloud_free`` under ``gt_cloud_mask``.

        ``train_cfg`` is not read; MMSeg's segmentors pass it to every head.

        Raises:
            ValueError: A sample lacks one of the fields.
        """
        target = stack_field(batch_data_samples, "gt_cloud_free")
        mask = stack_field(batch_data_samples, "gt_cloud_mask")
        image = resize(
            self(inputs), target.shape[2:], mode="bilinear", align_corners=self.align_corners
        )
        return {self.loss_decode.loss_name: self.loss_decode(image, target, mask)}
