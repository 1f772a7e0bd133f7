"""What heads take from the backbone that they read, so that configs need not repeat it."""

from __future__ import annotations

import inspect
from collections.abc import Sequence

from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.registry import MODELS
from torch import nn

from mmcloudseg.utils.config_types import type_class, type_name


def with_channels(head: dict, backbone: nn.Module) -> dict:
    """The config of a head with ``in_channels`` from the backbone's ``out_channels``.

    A head that has them, and one of a backbone without ``out_channels``, stay as they are.

    Raises:
        ValueError: The head does not say which features it reads.
    """
    channels = getattr(backbone, "out_channels", None)
    if "in_channels" in head or channels is None:
        return head
    indices = head.get("in_index", _default_indices(type_class(head, MODELS)))
    if indices is None:
        raise ValueError(f"{type_name(head)}: set its in_index or in_channels in the config")
    if isinstance(indices, int):
        return dict(head, in_channels=channels[indices], in_index=indices)
    return dict(head, in_channels=[channels[i] for i in indices], in_index=list(indices))


def _default_indices(made: type | None) -> int | Sequence[int] | None:
    """The ``in_index`` that a head's class states; the -1 of MMSeg's base class does not count."""
    for base in inspect.getmro(made or object):
        if base is BaseDecodeHead:
            break
        init = vars(base).get("__init__")
        parameter = inspect.signature(init).parameters.get("in_index") if init else None
        if parameter is not None and parameter.default is not parameter.empty:
            return parameter.default
    return None


def with_bands(head: dict, backbone: nn.Module) -> dict:
    """The config of a cloud-removal head with ``out_bands`` from the backbone's ``bands``.

    A head of another type, and one of a backbone without ``bands``, stay as they are.
    """
    bands = getattr(backbone, "bands", {}).get("optical")
    if bands is None or not type_name(head).endswith("CloudRemovalHead"):
        return head
    return {"out_bands": bands, **head}
