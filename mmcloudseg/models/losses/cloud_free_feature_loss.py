"""The distillation loss."""

from __future__ import annotations

import torch.nn.functional as F
from mmseg.registry import MODELS
from mmseg.utils import SampleList
from torch import Tensor, nn

from mmcloudseg.models.fields import stack_field
from mmcloudseg.utils.constants import IGNORE_INDEX


def cloud_free_feature_loss(student: Tensor, teacher: Tensor, cloud_mask: Tensor) -> Tensor:
    """Mean over all pixels and channels of (1 - m) (f_student - f_teacher)^2, a scalar.

    Cloudy pixels count as zeros in the mean (CloudSeg, Xu et al., ISPRS 2024); padded pixels do
    not count at all.

    Args:
        student: N x C x H x W.
        teacher: N x C x H x W.
        cloud_mask: N x 1 x h x w, 1 cloud, 0 clear, 255 padded; it is resized to H x W by nearest
            neighbour.
    """
    if cloud_mask.shape[2:] != student.shape[2:]:
        cloud_mask = F.interpolate(cloud_mask.float(), student.shape[2:], mode="nearest-exact")
    valid = (cloud_mask != IGNORE_INDEX).to(student)
    clear = (cloud_mask == 0).to(student)
    count = (valid.sum() * student.shape[1]).clamp(min=1)
    return (clear * (student - teacher).square()).sum() / count


@MODELS.register_module()
class CloudFreeFeatureLoss(nn.Module):
    """:func:`cloud_free_feature_loss` as a module for MMRazor's ``ConfigurableDistiller``."""

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def forward(self, s_feature: Tensor, t_feature: Tensor, data_samples: SampleList) -> Tensor:
        """The loss of the student's and the teacher's feature; samples have ``gt_cloud_mask``."""
        mask = stack_field(data_samples, "gt_cloud_mask")
        return self.loss_weight * cloud_free_feature_loss(s_feature, t_feature, mask)
