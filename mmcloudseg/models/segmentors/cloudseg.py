"""The segmentor: land cover, and the cloud-free image when asked for."""

from __future__ import annotations

from typing import Any

import torch
from mmseg.models.segmentors import EncoderDecoder
from mmseg.models.utils import resize
from mmseg.registry import MODELS
from torch import Tensor

from mmcloudseg.models.segmentors.heads import with_bands, with_channels
from mmcloudseg.models.segmentors.sliding import SlidingInference


@MODELS.register_module()
class CloudSeg(SlidingInference, EncoderDecoder):
    """Land cover and cloud removal by one network (CloudSeg, Xu et al., ISPRS 2024).

    Beside what MMSeg's ``EncoderDecoder`` takes:

    - heads without ``in_channels`` take them from the backbone, and an auxiliary head without
      ``out_bands`` as many as the backbone has optical bands;
    - ``test_cfg.cloud_free=True`` also runs the auxiliary head at inference, whose image arrives
      as ``pred_cloud_free``, normalised, on the optical grid;
    - ``test_cfg.window_batch`` is the number of sliding windows per forward pass, default 16.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self._wants_cloud_free and not self.with_auxiliary_head:
            raise ValueError(
                "test_cfg.cloud_free=True asks for the cloud-free image, but the model has no "
                "auxiliary_head that makes it: add a CloudRemovalHead or set it to False"
            )

    def _init_decode_head(self, decode_head: dict) -> None:
        super()._init_decode_head(with_channels(decode_head, self.backbone))

    def _init_auxiliary_head(self, auxiliary_head: dict | None) -> None:
        if auxiliary_head is not None:
            auxiliary_head = with_channels(auxiliary_head, self.backbone)
            auxiliary_head = with_bands(auxiliary_head, self.backbone)
        super()._init_auxiliary_head(auxiliary_head)

    def _maps(self, inputs: Tensor, cloud_free: bool) -> Tensor:
        features = self.extract_feat(inputs)
        maps = [self.decode_head(features)]
        if cloud_free:
            maps.append(self.auxiliary_head(features))
        size = inputs.shape[2:]
        sized = [resize(m, size, mode="bilinear", align_corners=self.align_corners) for m in maps]
        return torch.cat(sized, dim=1)
