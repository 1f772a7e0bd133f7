"""Backbones by name: MMSeg's settings of the published variants and their ImageNet weights.

Every name is short for a config that could be written in its place; see :func:`stream_config`.
"""

from __future__ import annotations

import copy
import difflib
from collections.abc import Mapping

_MMSEG = "https://download.openmmlab.com/mmsegmentation/v0.5/pretrain"
_MMPRETRAIN = "https://download.openmmlab.com/mmclassification/v0/resnet"
_THIRD_PARTY = "https://download.openmmlab.com/pretrain/third_party"


def _pretrained(url: str, prefix: str | None = None) -> dict:
    init_cfg = dict(type="Pretrained", checkpoint=url)
    return init_cfg if prefix is None else dict(init_cfg, prefix=prefix)


def _mit(width: int, layers: list[int], file: str) -> dict:
    return dict(
        type="MixVisionTransformer",
        embed_dims=width,
        num_layers=layers,
        num_heads=[1, 2, 5, 8],
        drop_path_rate=0.1,
        init_cfg=_pretrained(f"{_MMSEG}/segformer/{file}.pth"),
    )


def _resnet(type_name: str, depth: int, url: str, **settings: int) -> dict:
    prefix = "backbone." if url.startswith(_MMPRETRAIN) else None  # those are whole classifiers
    return dict(type=type_name, depth=depth, init_cfg=_pretrained(url, prefix), **settings)


def _swin(width: int, depths: list[int], heads: list[int], drop_path: float, file: str) -> dict:
    return dict(
        type="SwinTransformer",
        embed_dims=width,
        depths=depths,
        num_heads=heads,
        window_size=7,
        drop_path_rate=drop_path,
        init_cfg=_pretrained(f"{_MMSEG}/swin/{file}.pth"),
    )


def _mscan(widths: list[int], depths: list[int], drop_path: float, file: str) -> dict:
    return dict(
        type="MSCAN",
        embed_dims=widths,
        mlp_ratios=[8, 8, 4, 4],
        depths=depths,
        drop_path_rate=drop_path,
        norm_cfg=dict(type="BN"),  # SyncBN, MMSeg's default, runs on several GPUs only
        init_cfg=_pretrained(f"{_MMSEG}/segnext/{file}.pth"),
    )


def _svt(width: int, heads: int, depths: list[int], drop_path: float, file: str) -> dict:
    return dict(
        type="SVT",
        embed_dims=[width * 2**i for i in range(4)],
        num_heads=[heads * 2**i for i in range(4)],
        mlp_ratios=[4, 4, 4, 4],
        qkv_bias=True,
        depths=depths,
        windiow_sizes=[7, 7, 7, 7],  # MMSeg's spelling
        sr_ratios=[8, 4, 2, 1],
        norm_after_stage=True,
        drop_path_rate=drop_path,
        init_cfg=_pretrained(f"{_MMSEG}/twins/{file}.pth"),
    )


def _pcpvt(depths: list[int], drop_path: float, file: str) -> dict:
    return dict(
        type="PCPVT",
        embed_dims=[64, 128, 320, 512],
        num_heads=[1, 2, 5, 8],
        mlp_ratios=[8, 8, 4, 4],
        qkv_bias=True,
        depths=depths,
        sr_ratios=[8, 4, 2, 1],
        drop_path_rate=drop_path,
        init_cfg=_pretrained(f"{_MMSEG}/twins/{file}.pth"),
    )


def _timm(model_name: str) -> dict:
    """A backbone of timm, an optional dependency that downloads its weights itself."""
    return dict(type="TIMMBackbone", model_name=model_name, pretrained=True)


_RESNEXT = dict(groups=32, base_width=4)
_MIT_V0, _MIT_V1 = "20220624-7e0fe6dd", "20220624-02e5a6a1"
NAMED_STREAMS: dict[str, dict] = {
    "mit-b0": _mit(32, [2, 2, 2, 2], f"mit_b0_{_MIT_V0}"),
    "mit-b1": _mit(64, [2, 2, 2, 2], f"mit_b1_{_MIT_V1}"),
    "mit-b2": _mit(64, [3, 4, 6, 3], "mit_b2_20220624-66e8bf70"),
    "mit-b3": _mit(64, [3, 4, 18, 3], "mit_b3_20220624-13b1141c"),
    "mit-b4": _mit(64, [3, 8, 27, 3], "mit_b4_20220624-d588d980"),
    "mit-b5": _mit(64, [3, 6, 40, 3], "mit_b5_20220624-658746d9"),
    "resnet-18": _resnet("ResNet", 18, f"{_MMPRETRAIN}/resnet18_8xb32_in1k_20210831-fbbb1da6.pth"),
    "resnet-50": _resnet("ResNet", 50, f"{_MMPRETRAIN}/resnet50_8xb32_in1k_20210831-ea4938fc.pth"),
    "resnet-101": _resnet(
        "ResNet", 101, f"{_MMPRETRAIN}/resnet101_8xb32_in1k_20210831-539c63f8.pth"
    ),
    "resnet-18-v1c": _resnet("ResNetV1c", 18, f"{_THIRD_PARTY}/resnet18_v1c-b5776b93.pth"),
    "resnet-50-v1c": _resnet("ResNetV1c", 50, f"{_THIRD_PARTY}/resnet50_v1c-2cccc1ad.pth"),
    "resnet-101-v1c": _resnet("ResNetV1c", 101, f"{_THIRD_PARTY}/resnet101_v1c-e67eebb6.pth"),
    "resnext-50": _resnet(
        "ResNeXt", 50, f"{_THIRD_PARTY}/resnext50-32x4d-0ab1a123.pth", **_RESNEXT
    ),
    "resnext-101": _resnet(
        "ResNeXt", 101, f"{_THIRD_PARTY}/resnext101_32x4d-a5af3160.pth", **_RESNEXT
    ),
    "swin-t": _swin(
        96, [2, 2, 6, 2], [3, 6, 12, 24], 0.2, "swin_tiny_patch4_window7_224_20220317-1cdeb081"
    ),
    "swin-s": _swin(
        96, [2, 2, 18, 2], [3, 6, 12, 24], 0.3, "swin_small_patch4_window7_224_20220317-7ba6d6dd"
    ),
    "swin-b": _swin(
        128, [2, 2, 18, 2], [4, 8, 16, 32], 0.3, "swin_base_patch4_window7_224_20220317-e9b98025"
    ),
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


def named_stream(name: str) -> dict:
    """The config that a name stands for.

    Args:
        name: A key of ``NAMED_STREAMS``, such as ``"swin-t"``.

    Raises:
        ValueError: The name is unknown.
    """
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
        return named_stream(stream)
    config = copy.deepcopy(dict(stream))
    if "name" in config:
        return {**named_stream(config.pop("name")), **config}
    if "type" not in config:
        raise ValueError(
            f"a stream needs a name or a type, got {config}: give dict(name='swin-t', …), say, or "
            "dict(type=…)"
        )
    return config
