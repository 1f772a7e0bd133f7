"""Test-time augmentation: what the views of a sample become."""

from __future__ import annotations

import pytest
import torch
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import nn


class Module(nn.Module):
    """As much of a segmentor as the merging asks for."""

    def __init__(self, threshold=None):
        super().__init__()
        self.decode_head = nn.Module()
        self.decode_head.threshold = threshold
        self.test_step = None


def view(seg_logits, flip=False, size=None, mask=0):
    sample = SegDataSample(
        seg_logits=PixelData(data=seg_logits),
        gt_sem_seg=PixelData(data=torch.full((1, *seg_logits.shape[1:]), int(flip))),
    )
    sample.gt_cloud_mask = PixelData(data=torch.full((1, 8, 8), mask, dtype=torch.uint8))
    sample.pred_cloud_free = PixelData(data=torch.full((4, *(size or (8, 8))), float(flip)))
    sample.set_metainfo(dict(flip=flip, img_path="a.tif"))
    return sample


def merge(views, threshold=None):
    module = Module(threshold)
    (merged,) = MODELS.build(dict(type="CloudSegTTAModel", module=module)).merge_preds([views])
    return merged


def test_the_mean_of_probabilities_with_the_unflipped_views_fields():
    generator = torch.Generator().manual_seed(0)
    logits = [3 * torch.randn(3, 4, 4, generator=generator) for _ in range(3)]
    views = [view(one, flip, mask=int(flip)) for one, flip in zip(logits, (1, 0, 1), strict=True)]
    merged = merge(views)
    mean = torch.stack([one.softmax(0) for one in logits]).mean(0)
    torch.testing.assert_close(merged.seg_logits.data.softmax(0), mean)
    assert (merged.pred_sem_seg.data == mean.argmax(0, keepdim=True)).all()
    assert not merged.gt_sem_seg.data.any() and not merged.gt_cloud_mask.data.any()
    torch.testing.assert_close(merged.pred_cloud_free.data, torch.full((4, 8, 8), 2 / 3))


def test_a_single_channel_is_a_probability_already():
    views = [view(torch.tensor([[[0.2, 0.9]]])), view(torch.tensor([[[0.4, 0.1]]]), flip=True)]
    merged = merge(views, threshold=0.4)
    torch.testing.assert_close(merged.seg_logits.data, torch.tensor([[[0.3, 0.5]]]))
    assert merged.pred_sem_seg.data.tolist() == [[[0, 1]]]


def test_views_of_another_size_come_to_the_first_ones():
    views = [view(torch.zeros(2, 4, 4)), view(torch.zeros(2, 8, 8), True, (16, 16))]
    merged = merge(views)
    assert merged.pred_sem_seg.data.shape == (1, 4, 4)
    assert merged.pred_cloud_free.data.shape == (4, 8, 8)


def test_flipped_views_alone():
    with pytest.raises(ValueError, match=r"a\.tif: every view of tta_pipeline is flipped"):
        merge([view(torch.zeros(2, 4, 4), True)])
