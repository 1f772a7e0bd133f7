from __future__ import annotations

import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from mmcloudseg.models.losses import (
    CloudFreeFeatureLoss,
    CloudRemovalLoss,
    cloud_free_feature_loss,
    cloud_removal_loss,
)


def mask(*rows):
    return torch.tensor(rows, dtype=torch.uint8)[None, None]


def test_cloud_removal_by_hand():
    pred = torch.tensor([[[[0.5, 0.2]]]], dtype=torch.float64)
    target = torch.tensor([[[[0.1, 0.2]]]], dtype=torch.float64)
    cloudy = 6 * (0.16 + 1e-6) ** 0.45
    clear = 1e-6**0.45
    found = cloud_removal_loss(pred, target, mask([1, 0]))
    assert found.item() == pytest.approx((cloudy + clear) / 2, rel=1e-12)


def test_padded_pixels_do_not_count_in_cloud_removal():
    torch.manual_seed(0)
    pred, target = torch.rand(1, 4, 2, 3), torch.rand(1, 4, 2, 3)
    padded = mask([1, 0, 255], [0, 0, 255])
    inner = cloud_removal_loss(pred[..., :2], target[..., :2], padded[..., :2])
    torch.testing.assert_close(cloud_removal_loss(pred, target, padded), inner)
    assert cloud_removal_loss(pred, target, torch.full_like(padded, 255)).item() == 0


def test_gradient_is_finite_where_nothing_differs():
    pred = torch.zeros(1, 1, 2, 2, requires_grad=True)
    cloud_removal_loss(pred, torch.zeros(1, 1, 2, 2), mask([0, 1], [1, 0])).backward()
    assert torch.isfinite(pred.grad).all()


def test_distillation_by_hand():
    student = torch.tensor([[[[1.0, 5.0]], [[2.0, 5.0]]]])
    teacher = torch.zeros_like(student)
    # clouded pixels are zeros in the mean: (1 + 4) / (2 pixels x 2 channels)
    assert cloud_free_feature_loss(student, teacher, mask([0, 1])).item() == pytest.approx(1.25)
    assert cloud_free_feature_loss(student, teacher, mask([0, 255])).item() == pytest.approx(2.5)


def test_distillation_brings_the_mask_to_the_features():
    student, teacher = torch.ones(1, 1, 1, 2), torch.zeros(1, 1, 1, 2)
    fine = mask([0, 0, 1, 1], [0, 0, 1, 1])
    assert cloud_free_feature_loss(student, teacher, fine).item() == pytest.approx(0.5)


def test_modules_weigh_and_name():
    loss = CloudRemovalLoss(loss_weight=2.0, loss_name="loss_x")
    pred, target = torch.rand(1, 1, 1, 2), torch.rand(1, 1, 1, 2)
    torch.testing.assert_close(
        loss(pred, target, mask([0, 1])), 2 * cloud_removal_loss(pred, target, mask([0, 1]))
    )
    assert loss.loss_name == "loss_x"


def test_a_missing_field_is_named_with_its_remedy():
    sample = SegDataSample(metainfo=dict(img_path="a.tif"))
    with pytest.raises(ValueError, match=r"a.tif has no 'gt_cloud_mask'.*with_mask=True"):
        CloudFreeFeatureLoss()(torch.ones(1, 1, 2, 2), torch.ones(1, 1, 2, 2), [sample])
    sample.gt_cloud_mask = PixelData(data=mask([0, 0], [0, 1])[0])
    found = CloudFreeFeatureLoss(loss_weight=4.0)(
        torch.ones(1, 1, 2, 2), torch.zeros(1, 1, 2, 2), [sample]
    )
    assert found.item() == pytest.approx(3.0)
