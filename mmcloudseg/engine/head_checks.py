"""Refuses heads that do not fit the data, before the first training step."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from mmengine.config import Config
from mmengine.model import is_model_wrapper
from mmengine.structures import PixelData
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.registry import DATASETS
from mmseg.structures import SegDataSample
from torch import nn

from mmcloudseg.engine.configs import DATALOADERS, datasets
from mmcloudseg.utils.config_types import type_name
from mmcloudseg.utils.text import shorten_list

HEADS = ("decode_head", "auxiliary_head")


def check_classes(cfg: Config, loaders: Sequence[str] = DATALOADERS) -> None:
    """Refuse a config whose heads have another number of classes than its data.

    Args:
        cfg: The config; its data need not exist.
        loaders: The dataloaders that count.

    Raises:
        ValueError: A head's ``num_classes`` is not the number of the data set's classes.
    """
    heads = dict(_heads(cfg.model, "model"))
    for loader in loaders:
        for dataset in datasets(cfg, [loader]):
            built = DATASETS.build(dict(dataset, pipeline=[], lazy_init=True))
            classes = list(built.metainfo.get("classes") or ())
            for key, head in heads.items():
                if classes and head["num_classes"] != len(classes):
                    raise ValueError(
                        f"{key}.num_classes={head['num_classes']}, but the "
                        f"{type_name(dataset)} of {loader}.dataset has {len(classes)} classes "
                        f"({shorten_list(classes, 8)}): set {key}.num_classes={len(classes)}, or "
                        f"correct {loader}.dataset.metainfo.classes"
                    )


def _heads(node: Any, path: str) -> Iterator[tuple[str, Mapping]]:
    """The heads of a model's config that state ``num_classes``, by their dotted keys."""
    if isinstance(node, Mapping):
        if path.split(".")[-1] in HEADS and node.get("num_classes") is not None:
            yield path, node
        for key, child in node.items():
            if key in HEADS and isinstance(child, list | tuple):
                for index, head in enumerate(child):
                    if head.get("num_classes") is not None:
                        yield f"{path}.{key}.{index}", head
            else:
                yield from _heads(child, f"{path}.{key}")


def check_losses(model: nn.Module) -> None:
    """Compute the losses of each head once, on made-up logits and labels.

    Only heads that compute their losses as MMSegmentation's base class does are tried.

    Args:
        model: The model, which is not changed; wrapped or not.

    Raises:
        ValueError: A loss or the pixel sampler fails, or does not teach a single channel to rise
            where the class is; or a cascade of heads has a single channel.
    """
    network: Any = model.module if is_model_wrapper(model) else model
    heads = getattr(network, "decode_head", None)
    if isinstance(heads, nn.ModuleList) and heads[-1].out_channels == 1:
        raise ValueError(
            "model.decode_head: out_channels=1 in a cascade of heads, whose threshold "
            "MMSegmentation does not find: leave out out_channels and threshold"
        )
    for name, head in network.named_modules():
        usual = getattr(type(head), "loss_by_feat", None) is BaseDecodeHead.loss_by_feat
        if isinstance(head, BaseDecodeHead) and usual:
            _try_losses(f"model.{name}", head)


def _try_losses(key: str, head: BaseDecodeHead) -> None:
    # A copy on the CPU: a label that is out of range makes a GPU useless for the whole process.
    tried = copy.deepcopy(head).cpu()
    label = torch.arange(2 * 8 * 8).view(2, 1, 8, 8) % head.num_classes
    label[:, :, 0, 0] = head.ignore_index
    samples = [SegDataSample(gt_sem_seg=PixelData(data=one)) for one in label]
    count = 2 * head.out_channels * 8 * 8
    logits = torch.arange(count).sin().view(2, -1, 8, 8).requires_grad_()
    named = f"{key}.loss_decode ({_loss_names(head)}), out_channels={head.out_channels}"
    remedy = "Correct its settings, its sampler or its type; docs/configs.md lists what was tried"
    if head.out_channels == 1:
        remedy = (
            "A single channel takes losses of a sigmoid: CrossEntropyLoss(use_sigmoid=True), "
            "DiceLoss, FocalLoss, LovaszLoss(loss_type='binary'). Or leave out out_channels"
        )
    try:
        losses = tried.loss_by_feat(logits, samples)
        total = sum(value.mean() for name, value in losses.items() if "loss" in name)
        (gradient,) = torch.autograd.grad(total, logits)
    except Exception as error:
        reason = (str(error).splitlines() or [""])[0]
        raise ValueError(
            f"{named}: the loss cannot be computed ({type(error).__name__}: {reason}). {remedy}"
        ) from error
    if head.out_channels == 1 and not gradient[label == 1].sum() < 0:
        raise ValueError(f"{named}: the loss does not raise it where class 1 is. {remedy}")


def _loss_names(head: BaseDecodeHead) -> str:
    losses = head.loss_decode
    found = losses if isinstance(losses, nn.ModuleList) else [losses]
    return ", ".join(type(loss).__name__ for loss in found)
