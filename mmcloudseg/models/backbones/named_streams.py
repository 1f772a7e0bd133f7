"""Backbones by name: MMSeg's settings of the published variants and their ImageNet weights.

Every name is short for a config that could be written in its place; see :func:`stream_config`.
"""

from __future__ import annotations

import copy
import difflib
from collections.abc import Mapping
from typing import Any

_MMSEG = "https://download.openmmlab.com/mmsegmentation/v0.5/pretrain"
_MMPRETRAIN = "https://download.openmmlab.com/mmclassification/v0/resnet"
_THIRD_PARTY = "https://download.openmmlab.com/pretrain/third_party"
_TWINS = dict(qkv_bias=True, sr_ratios=[8, 4, 2, 1])


def _mmseg(family: dict, file: str, **settings: Any) -> dict:
    """A variant of a family whose weights MMSegmentation publishes."""
    weights = dict(type="Pretrained", checkpoint=f"{_MMSEG}/{file}.pth")
    return dict(family, init_cfg=weights, **settings)


def _mit(width: int, layers: list[int], file: str) -> dict:
    family = dict(type="MixVisionTransformer", num_heads=[1, 2, 5, 8], drop_path_rate=0.1)
    return _mmseg(family, f"segformer/{file}", embed_dims=width, num_layers=layers)


def _resnet(type_name: str, depth: int, file: str, **settings: int) -> dict:
    if type_name == "ResNet":  # files of whole classifiers
        weights = dict(checkpoint=f"{_MMPRETRAIN}/{file}.pth", prefix="backbone.")
    else:
        weights = dict(checkpoint=f"{_THIRD_PARTY}/{file}.pth")
    return dict(type=type_name, depth=depth, init_cfg=dict(weights, type="Pretrained"), **settings)


def _swin(
    width: int, depths: list[int], heads: list[int], drop_path: float, size: str, version: str
) -> dict:
    family = dict(type="SwinTransformer", window_size=7, drop_path_rate=drop_path)
    file = f"swin/swin_{size}_patch4_window7_224_{version}"
    return _mmseg(family, file, embed_dims=width, depths=depths, num_heads=heads)


def _mscan(widths: list[int], depths: list[int], drop_path: float, file: str) -> dict:
    # Not MMSeg's default SyncBN, which runs on several GPUs only.
    family = dict(type="MSCAN", mlp_ratios=[8, 8, 4, 4], norm_cfg=dict(type="BN"))
    return _mmseg(
        family, f"segnext/{file}", embed_dims=widths, depths=depths, drop_path_rate=drop_path
    )


def _svt(width: int, heads: int, depths: list[int], drop_path: float, file: str) -> dict:
    family = dict(
        _TWINS,
        type="SVT",
        mlp_ratios=[4, 4, 4, 4],
        windiow_sizes=[7, 7, 7, 7],  # MMSeg's spelling
        norm_after_stage=True,
        embed_dims=[width * 2**i for i in range(4)],
        num_heads=[heads * 2**i for i in range(4)],
    )
    return _mmseg(family, f"twins/{file}", depths=depths, drop_path_rate=drop_path)


def _pcpvt(depths: list[int], drop_path: float, file: str) -> dict:
    family = dict(
        _TWINS,
        type="PCPVT",
        mlp_ratios=[8, 8, 4, 4],
        embed_dims=[64, 128, 320, 512],
        num_heads=[1, 2, 5, 8],
    )
    return _mmseg(family, f"twins/{file}", depths=depths, drop_path_rate=drop_path)


def _timm(model_name: str) -> dict:
    """A backbone of timm, an optional dependency that downloads its weights itself."""
    return dict(type="TIMMBackbone", model_name=model_name, pretrained=True)


NAMED_STREAMS: dict[str, dict] = {
    "mit-b0": _mit(32, [2, 2, 2, 2], "mit_b0_20220624-7e0fe6dd"),
    "mit-b1": _mit(64, [2, 2, 2, 2], "mit_b1_20220624-02e5a6a1"),
    "mit-b2": _mit(64, [3, 4, 6, 3], "mit_b2_20220624-66e8bf70"),
    "mit-b3": _mit(64, [3, 4, 18, 3], "mit_b3_20220624-13b1141c"),
    "mit-b4": _mit(64, [3, 8, 27, 3], "mit_b4_20220624-d588d980"),
    "mit-b5": _mit(64, [3, 6, 40, 3], "mit_b5_20220624-658746d9"),
    "resnet-18": _resnet("ResNet", 18, "resnet18_8xb32_in1k_20210831-fbbb1da6"),
    "resnet-50": _resnet("ResNet", 50, "resnet50_8xb32_in1k_20210831-ea4938fc"),
    "resnet-101": _resnet("ResNet", 101, "resnet101_8xb32_in1k_20210831-539c63f8"),
    "resnet-18-v1c": _resnet("ResNetV1c", 18, "resnet18_v1c-b5776b93"),
    "resnet-50-v1c": _resnet("ResNetV1c", 50, "resnet50_v1c-2cccc1ad"),
    "resnet-101-v1c": _resnet("ResNetV1c", 101, "resnet101_v1c-e67eebb6"),
    "resnext-50": _resnet("ResNeXt", 50, "resnext50-32x4d-0ab1a123", groups=32, base_width=4),
    "resnext-101": _resnet("ResNeXt", 101, "resnext101_32x4d-a5af3160", groups=32, base_width=4),
    "swin-t": _swin(96, [2, 2, 6, 2], [3, 6, 12, 24], 0.2, "tiny", "20220317-1cdeb081"),
    "swin-s": _swin(96, [2, 2, 18, 2], [3, 6, 12, 24], 0.3, "small", "20220317-7ba6d6dd"),
    "swin-b": _swin(128, [2, 2, 18, 2], [4, 8, 16, 32], 0.3, "base", "20220317-e9b98025"),
    "mscan-t": _mscan([32, 64, 160, 256], [3, 3, 5, 2], 0.1, "mscan_t_20230227-119e8c9f"),
    "mscan-s": _mscan([64, 128, 320, 512], [2, 2, 4, 2], 0.1, "mscan_s_20230227-f33ccdf2"),
    "mscan-b": _mscan([64, 128, 320, 512], [3, 3, 12, 3], 0.1, "mscan_b_20230227-3ab7d230"),
    "mscan-l": _mscan([64, 128, 320, 512], [3, 5, 27, 3], 0.3, "mscan_l_20230227-cef260d4"),
    "twins-svt-s": _svt(64, 2, [2, 2, 10, 4], 0.2, "alt_gvt_small_20220308-7e1c3695"),
    "twins-svt-b": _svt(96, 3, [2, 2, 18, 2], 0.3, "alt_gvt_base_20220308-1b7eb711"),
    "twins-svt-l": _svt(128, 4, [2, 2, 18, 2], 0.3, "alt_gvt_large_20220308-fb5936f3"),
    "twins-pcpvt-s": _pcpvt([3, 4, 6, 3], 0.2, "pcpvt_small_20220308-e638c41c"),
    "twins-pcpvt-b": _pcpvt([3, 4, 18, 3], 0.3, "pcpvt_base_20220308-0621964c"),
    "twins-pcpvt-l": _pcpvt([3, 8, 27, 3], 0.3, "pcpvt_large_20220308-37579dc6"),
    "convnext-t": _timm("convnext_tiny"),
    "convnext-s": _timm("convnext_small"),
    "convnext-b": _timm("convnext_base"),
    "convnextv2-n": _timm("convnextv2_nano"),
    "convnextv2-t": _timm("convnextv2_tiny"),
    "convnextv2-b": _timm("convnextv2_base"),
}
"""The config of the backbone that each name stands for."""


def _named_stream(name: str) -> dict:
    if name not in NAMED_STREAMS:
        close = difflib.get_close_matches(name, NAMED_STREAMS, n=3)
        hint = f"did you mean {' or '.join(close)}? " if close else ""
        raise ValueError(
            f"stream '{name}' is not known; {hint}Known names: {', '.join(NAMED_STREAMS)}. Or "
            "give the config, dict(type=…), of any backbone whose type has a stage adapter"
        )
    return copy.deepcopy(NAMED_STREAMS[name])


def stream_config(stream: str | Mapping) -> dict:
    """The config of a backbone from its name, a name with changes, or a config.

    Args:
        stream: ``"swin-t"``, ``dict(name="swin-t", window_size=8)`` or ``dict(type=…)``.

    Raises:
        ValueError: The name is unknown.
        ValueError: The dict has neither ``name`` nor ``type``.
    """
    if isinstance(stream, str):
        return _named_stream(stream)
    config = copy.deepcopy(dict(stream))
    if "name" in config:
        return {**_named_stream(config.pop("name")), **config}
    if "type" not in config:
        raise ValueError(
            f"a stream needs a name or a type, got {config}: give dict(name='swin-t', …), say, or "
            "dict(type=…)"
        )
    return config
