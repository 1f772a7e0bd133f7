"""The cloud-removal loss."""

from __future__ import annotations

from mmseg.registry import MODELS
from torch import Tensor, nn

from mmcloudseg.utils.constants import IGNORE_INDEX


def cloud_removal_loss(
    pred: Tensor,
    target: Tensor,
    cloud_mask: Tensor,
    cloud_weight: float = 5.0,
    eps: float = 1e-6,
    exponent: float = 0.45,
) -> Tensor:
    """Mean over pixels and bands of (1 + cloud_weight m) ((p - t)^2 + eps)^exponent, a scalar.

    A generalised Charbonnier penalty that gives more weight to cloudy pixels (CloudSeg, Xu et al.,
    ISPRS 2024). Padded pixels (mask 255) do not count; a batch that has no others gives 0.

    Args:
        pred: N x bands x H x W.
        target: N x bands x H x W, the normalised cloud-free image.
        cloud_mask: N x 1 x H x W, 1 cloud, 0 clear, 255 padded.
        cloud_weight: Additional weight of a cloudy pixel.
        eps: Keeps the gradient finite at zero difference.
        exponent: Exponent of the squared difference.
    """
    valid = (cloud_mask != IGNORE_INDEX).to(pred)
    weight = valid * (1 + cloud_weight * (cloud_mask == 1).to(pred))
    penalty = ((pred - target).square() + eps).pow(exponent)
    count = (valid.sum() * pred.shape[1]).clamp(min=1)
    return (weight * penalty).sum() / count


@MODELS.register_module()
class CloudRemovalLoss(nn.Module):
    """:func:`cloud_removal_loss` as a module, with its ``cloud_weight``, ``eps`` and ``exponent``.

    Args:
        loss_weight: Factor of the loss in the total.
        loss_name: Its name in the log, which must start with ``loss`` to be back-propagated.
    """

    def __init__(
        self,
        cloud_weight: float = 5.0,
        eps: float = 1e-6,
        exponent: float = 0.45,
        loss_weight: float = 1.0,
        loss_name: str = "loss_cloud_removal",
    ) -> None:
        super().__init__()
        self.cloud_weight = cloud_weight
        self.eps = eps
        self.exponent = exponent
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(self, pred: Tensor, target: Tensor, cloud_mask: Tensor) -> Tensor:
        """See :func:`cloud_removal_loss`."""
        return self.loss_weight * cloud_removal_loss(
            pred, target, cloud_mask, self.cloud_weight, self.eps, self.exponent
        )
