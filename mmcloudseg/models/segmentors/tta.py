"""Test-time augmentation: the mean of what a segmentor says of several views of a sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.structures import PixelData
from mmseg.models.segmentors import SegTTAModel
from mmseg.models.utils import resize
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from mmseg.utils import SampleList
from torch import Tensor

_SMALLEST = torch.finfo(torch.float32).tiny


@MODELS.register_module()
class CloudSegTTAModel(SegTTAModel):
    """MMSegmentation's ``SegTTAModel`` for samples with cloud masks and cloud-free images.

    The first view that is not flipped becomes the result, with its label and masks, which
    MMSegmentation takes from the last view, flipped or not. It gets the mean of the views' class
    probabilities, of which ``seg_logits`` are the logarithm (with one sigmoid channel they are
    the mean probability itself), and the mean of their cloud-free images.
    """

    def merge_preds(self, data_samples_list: list[SampleList]) -> SampleList:
        """Merge the views of each sample.

        Raises:
            ValueError: All views are flipped.
        """
        return [self._merge(views) for views in data_samples_list]

    def _merge(self, views: SampleList) -> SegDataSample:
        merged = next((view for view in views if not view.get("flip")), None)
        if merged is None:
            raise ValueError(
                f"{views[0].get('img_path')}: every view of tta_pipeline is flipped; add one that "
                "is not, dict(type='RandomFlip', prob=0.0), whose label counts"
            )
        logits = [view.seg_logits.data for view in views]
        if len(logits[0]) == 1:
            mean = _mean(logits, merged.seg_logits.data)
            # A distillation predicts by its student.
            network: Any = getattr(self.module, "architecture", self.module)
            prediction = (mean > network.decode_head.threshold).to(mean)
            merged.seg_logits = PixelData(data=mean)
        else:
            mean = _mean([one.softmax(dim=0) for one in logits], merged.seg_logits.data)
            prediction = mean.argmax(dim=0, keepdim=True)
            merged.seg_logits = PixelData(data=mean.clamp(min=_SMALLEST).log())
        merged.pred_sem_seg = PixelData(data=prediction)
        if "pred_cloud_free" in merged:
            images = [view.pred_cloud_free.data for view in views]
            mean = _mean(images, merged.pred_cloud_free.data)
            merged.pred_cloud_free = PixelData(data=mean)
        return merged


def _mean(maps: Sequence[Tensor], like: Tensor) -> Tensor:
    """The mean of maps, C x h x w each, at the size of one of them."""
    size = like.shape[1:]
    sized = [m if m.shape[1:] == size else resize(m[None], size, mode="bilinear")[0] for m in maps]
    return torch.stack(sized).mean(dim=0)
