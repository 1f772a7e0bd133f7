"""Land-cover losses of MMSegmentation, mended where they fail on labels with ignored pixels.

Each takes the place of MMSegmentation's loss of the same name, so that a config names it as usual.
"""

from __future__ import annotations

from typing import Any

import torch
from mmseg.models import losses
from mmseg.models.losses.dice_loss import dice_loss
from mmseg.models.losses.focal_loss import py_sigmoid_focal_loss
from mmseg.registry import MODELS
from torch import Tensor, nn


def one_hot(label: Tensor, channels: int) -> Tensor:
    """Labels, N x H x W, as booleans, N x channels x H x W; a single channel stands for class 1.

    Labels that are no class, such as ignored pixels, are false everywhere.
    """
    first = 1 if channels == 1 else 0
    classes = torch.arange(first, first + channels, device=label.device)
    return label.unsqueeze(1) == classes.view(-1, 1, 1)


@MODELS.register_module(force=True)
class CrossEntropyLoss(losses.CrossEntropyLoss):
    """MMSegmentation's ``CrossEntropyLoss``; the results without ``class_weight`` are the same.

    Unlike the original it takes

    - ``class_weight`` next to ``avg_non_ignore=True`` and ignored pixels. As in PyTorch, the
      divisor of the mean is then the sum of the labelled pixels' weights;
    - ``class_weight`` with ``use_sigmoid=True``, a number for each channel: how much more the
      channel's class counts than its absence (PyTorch's ``pos_weight``);
    - a batch of ignored pixels only with a single sigmoid channel; the loss is then 0.
    """

    def forward(
        self,
        cls_score: Tensor,
        label: Tensor,
        weight: Tensor | None = None,
        avg_factor: float | Tensor | None = None,
        reduction_override: str | None = None,
        ignore_index: int = -100,
        **kwargs: Any,
    ) -> Tensor:
        """The loss; arguments as in MMSegmentation.

        Raises:
            ValueError: ``class_weight`` does not have a number for each sigmoid channel.
        """
        reduction, class_weight = reduction_override or self.reduction, None
        if self.class_weight is not None:
            class_weight = cls_score.new_tensor(self.class_weight)
        if self.use_sigmoid:
            class_weight = self._by_channel(class_weight, cls_score)
            if cls_score.shape[1] == 1 and bool((label == ignore_index).all()):
                # MMSegmentation takes the maximum of the labels that are left.
                label, weight = torch.zeros_like(label), torch.zeros_like(cls_score[:, 0])
        elif class_weight is not None and not self.use_mask and avg_factor is None:
            labelled = class_weight[label[label != ignore_index]]
            avg_factor = labelled.sum() if reduction == "mean" else None
        loss = self.cls_criterion(
            cls_score,
            label,
            weight,
            class_weight=class_weight,
            reduction=reduction,
            avg_factor=avg_factor,
            avg_non_ignore=self.avg_non_ignore,
            ignore_index=ignore_index,
            **kwargs,
        )
        return self.loss_weight * loss

    @staticmethod
    def _by_channel(class_weight: Tensor | None, cls_score: Tensor) -> Tensor | None:
        if class_weight is None:
            return None
        channels = cls_score.shape[1]
        if class_weight.numel() != channels:
            raise ValueError(
                f"class_weight has {class_weight.numel()} numbers, but use_sigmoid=True asks for "
                f"one for each of the {channels} channel(s): how much more a channel's class "
                "counts than its absence"
            )
        return class_weight.view(-1, *[1] * (cls_score.dim() - 2))


@MODELS.register_module()
class LandCoverLoss(CrossEntropyLoss):
    """``CrossEntropyLoss`` as a mean over the labelled pixels, which the shipped configs use.

    As it needs no settings, a config that names another loss ``type`` inherits none from it.

    Args:
        avg_non_ignore: False divides by all pixels, the ignored ones included.
        kwargs: As in ``CrossEntropyLoss``.
    """

    def __init__(self, avg_non_ignore: bool = True, **kwargs: Any) -> None:
        super().__init__(avg_non_ignore=avg_non_ignore, **kwargs)


@MODELS.register_module(force=True)
class DiceLoss(losses.DiceLoss):
    """MMSegmentation's ``DiceLoss`` of the labelled pixels.

    The original counts whatever is predicted at ignored pixels as wrong, takes class 0 for the
    class of a single channel, and refuses the weights of a pixel sampler.
    """

    def forward(
        self,
        pred: Tensor,
        target: Tensor,
        weight: Tensor | None = None,
        avg_factor: float | None = None,
        reduction_override: str | None = None,
        ignore_index: int = 255,
        **kwargs: Any,
    ) -> Tensor:
        """The loss of logits, N x C x H x W, and labels, N x H x W, weighted by ``weight``."""
        if target.shape == pred.shape:  # the shares of the classes: none is ignored
            return super().forward(pred, target, weight, avg_factor, reduction_override)
        counted = (target != ignore_index).to(pred)
        counted = (counted if weight is None else counted * weight).unsqueeze(1)
        if self.activate and self.use_sigmoid:
            pred = pred.sigmoid()
        elif self.activate and pred.shape[1] > 1:
            pred = pred.softmax(dim=1)
        loss = dice_loss(
            pred * counted,
            one_hot(target, pred.shape[1]) * counted,
            None,
            eps=self.eps,
            reduction=reduction_override or self.reduction,
            naive_dice=self.naive_dice,
            avg_factor=avg_factor,
            ignore_index=self.ignore_index,
        )
        return self.loss_weight * loss


@MODELS.register_module(force=True)
class LovaszLoss(losses.LovaszLoss):
    """MMSegmentation's ``LovaszLoss``, whose own defaults contradict each other.

    Args:
        per_image: Whether to average the losses of the images, or take the batch as one image.
        reduction: As in MMSegmentation; by default the one that fits ``per_image``.
        kwargs: As in MMSegmentation.
    """

    def __init__(
        self, *, per_image: bool = False, reduction: str | None = None, **kwargs: Any
    ) -> None:
        fitting = "mean" if per_image else "none"
        super().__init__(per_image=per_image, reduction=reduction or fitting, **kwargs)


@MODELS.register_module(force=True)
class FocalLoss(nn.Module):
    """MMSegmentation's ``FocalLoss`` (Lin et al., 2017, arXiv 1708.02002) in PyTorch alone.

    On a CPU the original takes no labels of classes, and on a GPU it needs MMCV's compiled
    operators. As there, the mean is taken over all pixels and channels; ignored ones count 0.

    Args:
        use_sigmoid: There is only the sigmoid form.
        gamma: How much less a pixel counts that is already right.
        alpha: Weight of a channel's class against its absence, one number or one per channel.
        reduction: ``mean``, ``sum`` or ``none``.
        class_weight: A number for each channel.
        loss_weight: Weight of this loss.
        loss_name: Its name in the log.

    Raises:
        ValueError: ``use_sigmoid`` is False.
    """

    def __init__(
        self,
        use_sigmoid: bool = True,
        gamma: float = 2.0,
        alpha: float | list[float] = 0.5,
        reduction: str = "mean",
        class_weight: list[float] | None = None,
        loss_weight: float = 1.0,
        loss_name: str = "loss_focal",
    ) -> None:
        super().__init__()
        if not use_sigmoid:
            raise ValueError("FocalLoss(use_sigmoid=False) does not exist: leave use_sigmoid out")
        self.use_sigmoid, self.reduction = use_sigmoid, reduction
        self.settings = dict(gamma=gamma, alpha=alpha, class_weight=class_weight)
        self.loss_weight, self.loss_name = loss_weight, loss_name

    def forward(
        self,
        pred: Tensor,
        target: Tensor,
        weight: Tensor | None = None,
        avg_factor: float | None = None,
        reduction_override: str | None = None,
        ignore_index: int = 255,
        **kwargs: Any,
    ) -> Tensor:
        """The loss of logits, N x C x H x W, and labels, N x H x W, weighted by ``weight``.

        Without reduction N x C x H x W. Labels may also be shares of the classes, N x C x H x W.
        """
        shares = target.shape == pred.shape
        wanted = target if shares else one_hot(target, pred.shape[1])
        counted = torch.ones_like(pred[:, 0]) if shares else (target != ignore_index).to(pred)
        counted = counted if weight is None else counted * weight
        reduction = reduction_override or self.reduction
        loss = py_sigmoid_focal_loss(
            _by_pixel(pred),
            _by_pixel(wanted),
            weight=counted.flatten(),
            reduction=reduction,
            avg_factor=avg_factor,
            **self.settings,
        )
        if reduction == "none":
            loss = loss.view(*counted.shape, -1).movedim(-1, 1)
        return self.loss_weight * loss


def _by_pixel(x: Tensor) -> Tensor:
    """N x C x H x W to pixels x C."""
    return x.movedim(1, -1).reshape(-1, x.shape[1])
