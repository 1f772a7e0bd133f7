"""Land-cover losses: MMSegmentation's numbers where it works, and PyTorch's where it does not."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from mmseg.models import losses as stock
from mmseg.models.losses.focal_loss import py_sigmoid_focal_loss
from mmseg.registry import MODELS

IGNORED = 255
WEIGHTS = [1.0, 0.5, 3.0]


def build(kind, **settings):
    return MODELS.build(dict(type=kind, **settings))


@pytest.fixture
def logits():
    return torch.randn(2, 3, 6, 5, generator=torch.Generator().manual_seed(0)).requires_grad_()


@pytest.fixture
def label():
    drawn = torch.randint(0, 3, (2, 6, 5), generator=torch.Generator().manual_seed(1))
    drawn[:, :2] = IGNORED
    return drawn


@pytest.mark.parametrize("kind", ["CrossEntropyLoss", "LandCoverLoss"])
@pytest.mark.parametrize("labelled_only", [True, False])
def test_class_weights_as_in_pytorch(logits, label, kind, labelled_only):
    loss = build(kind, class_weight=WEIGHTS, avg_non_ignore=labelled_only)
    expected = F.cross_entropy(logits, label, torch.tensor(WEIGHTS), ignore_index=IGNORED)
    found = loss(logits, label, ignore_index=IGNORED)
    assert found.item() == pytest.approx(expected.item(), rel=1e-6)


@pytest.mark.parametrize("settings", [{}, dict(use_sigmoid=True), dict(reduction="sum")])
def test_without_class_weights_mmsegs_numbers(logits, label, settings):
    for labelled_only in (True, False):
        mended = build("CrossEntropyLoss", avg_non_ignore=labelled_only, **settings)
        original = stock.CrossEntropyLoss(avg_non_ignore=labelled_only, **settings)
        arguments = (logits, label, (label != 0).float() if not settings else None)
        one, two = (loss(*arguments, ignore_index=IGNORED) for loss in (mended, original))
        assert one.item() == two.item()
    shipped = build("LandCoverLoss")(logits, label, ignore_index=IGNORED)
    expected = stock.CrossEntropyLoss(avg_non_ignore=True)(logits, label, ignore_index=IGNORED)
    assert shipped.item() == expected.item()


def test_class_weights_of_sigmoid_channels(logits, label):
    loss = build("LandCoverLoss", use_sigmoid=True, class_weight=WEIGHTS)
    hot = (label[:, None] == torch.arange(3).view(3, 1, 1)).float()
    by_pixel = F.binary_cross_entropy_with_logits(
        logits, hot, reduction="none", pos_weight=torch.tensor(WEIGHTS).view(3, 1, 1)
    )
    expected = by_pixel[:, :, 2:].mean()
    assert loss(logits, label, ignore_index=IGNORED).item() == pytest.approx(expected.item())
    with pytest.raises(ValueError, match=r"class_weight has 3 numbers.* 1 channel"):
        loss(logits[:, :1], label.clamp(max=1), ignore_index=IGNORED)


def test_one_channel_without_a_labelled_pixel(logits, label):
    loss = build("LandCoverLoss", use_sigmoid=True)
    found = loss(logits[:, :1], torch.full_like(label, IGNORED), ignore_index=IGNORED)
    assert found.item() == 0
    assert torch.autograd.grad(found, logits)[0].abs().sum() == 0


@pytest.mark.parametrize("kind", ["DiceLoss", "FocalLoss", "TverskyLoss", "LovaszLoss"])
def test_ignored_pixels_do_not_matter(logits, label, kind):
    loss = build(kind)
    gradient = torch.autograd.grad(loss(logits, label, ignore_index=IGNORED), logits)[0]
    assert gradient[:, :, :2].abs().max() == 0
    assert gradient[:, :, 2:].abs().min() > 0


@pytest.mark.parametrize("settings", [{}, dict(use_sigmoid=False), dict(naive_dice=True)])
def test_dice_of_labelled_pixels_is_mmsegs(logits, label, settings):
    logits, label = logits[:, :, 2:], label[:, 2:]
    mended, original = build("DiceLoss", **settings), stock.DiceLoss(**settings)
    assert mended(logits, label).item() == pytest.approx(original(logits, label).item(), rel=1e-6)
    shares = F.one_hot(label, 3).permute(0, 3, 1, 2)
    assert mended(logits, shares).item() == original(logits, shares).item()


def test_dice_takes_the_weights_of_a_sampler(logits, label):
    loss, weight = build("DiceLoss"), (label != IGNORED).float()
    unlabelled = torch.where(label == IGNORED, 0, label)
    found = loss(logits, unlabelled, weight=weight)
    assert found.item() == loss(logits, label, ignore_index=IGNORED).item()


@pytest.mark.parametrize(
    "settings",
    [
        dict(type="CrossEntropyLoss", use_sigmoid=True),
        dict(type="LandCoverLoss", use_sigmoid=True, class_weight=[2.0]),
        dict(type="DiceLoss"),
        dict(type="FocalLoss"),
        dict(type="LovaszLoss", loss_type="binary"),
    ],
    ids=lambda settings: settings["type"],
)
def test_one_channel_rises_where_class_1_is(logits, label, settings):
    label = label.clamp(max=1).where(label != IGNORED, IGNORED)
    loss = MODELS.build(settings)(logits[:, :1].contiguous(), label, ignore_index=IGNORED)
    gradient = torch.autograd.grad(loss, logits)[0][:, 0]
    assert gradient[label == 1].sum() < 0 < gradient[label == 0].sum()


def test_focal_loss_by_hand():
    logits, label = torch.tensor([[[[1.0, 2.0]], [[-1.0, 0.5]]]]), torch.tensor([[[0, IGNORED]]])
    p = torch.tensor([1.0, -1.0]).sigmoid()
    first = -0.25 * (1 - p[0]) ** 3 * p[0].log()
    second = -0.75 * p[1] ** 3 * (1 - p[1]).log()
    loss = build("FocalLoss", alpha=0.25, gamma=3.0, class_weight=[1.0, 2.0])
    expected = (first + 2 * second) / 4  # of two pixels, two channels each
    assert loss(logits, label).item() == pytest.approx(expected.item(), rel=1e-6)
    by_pixel = loss(logits, label, reduction_override="none")
    assert by_pixel.shape == logits.shape and by_pixel[..., 1].abs().sum() == 0


def test_focal_loss_of_shares_is_mmsegs(logits):
    shares = torch.rand(2, 3, 6, 5, generator=torch.Generator().manual_seed(2))
    by_pixel = [x.permute(0, 2, 3, 1).reshape(-1, 3) for x in (logits, shares)]
    expected = py_sigmoid_focal_loss(*by_pixel)
    assert build("FocalLoss")(logits, shares).item() == pytest.approx(expected.item(), rel=1e-6)
    with pytest.raises(ValueError, match="use_sigmoid"):
        build("FocalLoss", use_sigmoid=False)


def test_lovasz_takes_the_reduction_that_fits(logits, label):
    by_batch, by_image = build("LovaszLoss"), build("LovaszLoss", per_image=True)
    assert (by_batch.reduction, by_image.reduction) == ("none", "mean")
    single = [by_batch(logits[i : i + 1], label[i : i + 1], ignore_index=IGNORED) for i in (0, 1)]
    mean = by_image(logits, label, ignore_index=IGNORED)
    assert mean.item() == pytest.approx(sum(single).item() / 2)
