"""Checkpoints of CloudSeg's reference implementation, converted to ours.

A reference checkpoint is ``{'network': state_dict}`` with every key behind ``module.``. It carries
parameters that nothing reads (the cross-modal stream's first stage, a SAR decoder, …): they are
checked for and dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from mmcloudseg.utils.files import atomic_write
from mmcloudseg.utils.text import shorten_list

Role = Literal["student", "teacher"]

_STREAMS = {"modality1": "optical", "modality2": "sar", "cross_modality": "cross"}
_STAGES = (1, 2, 3, 4)
_BATCH_NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
_AFFINE = ("weight", "bias")


def convert_reference(
    network: Mapping[str, Tensor], role: Role | None = None
) -> tuple[dict[str, Tensor], Role]:
    """Rename a reference state dict to ours.

    Args:
        network: The reference's state dict, with or without the prefix ``module.``.
        role: What it should be; it is found out from the keys.

    Returns:
        Our state dict (``backbone``, ``decode_head`` and, for a student, ``auxiliary_head``) and
        the role.

    Raises:
        ValueError: Keys are missing or surplus, or the role is another.
    """
    network = {key.removeprefix("module."): value for key, value in network.items()}
    found: Role = "student" if any(key.startswith("cr_head.") for key in network) else "teacher"
    if role is not None and role != found:
        raise ValueError(
            f"the checkpoint is a {found}'s ({'has' if found == 'student' else 'no'} cr_head), "
            f"not a {role}'s: leave out --role or give --role {found}"
        )
    names = dict(_names(_depths(network), found))
    _refuse_other_keys(set(network), set(names))

    converted: dict[str, Tensor] = {}
    for key, name in names.items():
        if name is None:
            continue
        value = network[key]
        if key.endswith((".attn.q.weight", ".attn.q.bias")):
            value = torch.cat([value, network[key.replace(".attn.q.", ".attn.kv.")]])
        elif re.search(r"mlp\.fc[12]\.weight$", key):
            value = value[:, :, None, None]
        converted[name] = value.clone()
    return converted, found


def convert_file(source: str | Path, target: str | Path, role: Role | None = None) -> Role:
    """Convert a reference checkpoint file; the target appears only when it is complete.

    Raises:
        FileNotFoundError: The source does not exist.
        ValueError: It is no reference checkpoint, or lacks or has surplus keys.
    """
    source = Path(source)
    if not source.is_file():
        raise FileNotFoundError(f"reference checkpoint '{source}' does not exist")
    try:
        content = torch.load(source, map_location="cpu", weights_only=True)
    except Exception as error:
        raise ValueError(
            f"'{source}' cannot be read as tensors only ({str(error).splitlines()[0]}); it is "
            "truncated, or carries code, which is never run: copy it again, or name another file"
        ) from error
    if not isinstance(content, dict) or "network" not in content:
        raise ValueError(
            f"'{source}' has no entry 'network', which holds the weights in a reference "
            "checkpoint: name a file that the reference code has saved"
        )
    try:
        state_dict, found = convert_reference(content["network"], role)
    except ValueError as error:
        raise ValueError(f"'{source}': {error}") from error
    meta = dict(converted_from=source.name, role=found)
    with atomic_write(target) as temporary:
        torch.save(dict(meta=meta, state_dict=state_dict), temporary)
    return found


def _depths(network: Mapping[str, Tensor]) -> tuple[int, ...]:
    """Transformer blocks per stage, counted in the optical stream."""
    block = re.compile(r"modality1_stream\.encoder\.block(\d)\.(\d+)\.")
    seen = {(int(m[1]), int(m[2])) for m in map(block.match, network) if m}
    return tuple(sum(stage == s for s, _ in seen) for stage in _STAGES)


def _refuse_other_keys(given: set[str], expected: set[str]) -> None:
    sides = {"lacks": sorted(expected - given), "has the surplus": sorted(given - expected)}
    problems = [f"{what} {shorten_list(keys)}" for what, keys in sides.items() if keys]
    if problems:
        raise ValueError(
            f"not a whole checkpoint of the reference's network: it {'; it '.join(problems)}. "
            "Copy the file again, or name another"
        )


def _names(depths: tuple[int, ...], role: Role) -> Iterator[tuple[str, str | None]]:
    """Every key of a reference state dict with our name for it, None if nothing reads it."""
    for stream, ours in _STREAMS.items():
        for stage in _STAGES:
            unread = stream == "cross_modality" and stage == 1
            for key, name in _stage_names(stage, depths[stage - 1]):
                name = None if unread or name is None else f"backbone.{ours}.{name}"
                yield f"{stream}_stream.encoder.{key}", name
    for stage in _STAGES:
        for key, name in _fusion_names(stage, role):
            yield f"fuse_block_stage{stage}.{key}", name and f"backbone.fusion.{stage - 1}.{name}"
    heads = {"cross_modality": "decode_head"}
    if role == "student":
        heads["modality1"] = "auxiliary_head"
        yield from _leaves("cr_head.0", "auxiliary_head.conv_hidden")
        yield from _leaves("cr_head.1", "auxiliary_head.conv_image")
    for stream in _STREAMS:
        head = heads.get(stream)
        for key, name in _decoder_names():
            yield f"{stream}_stream.decoder.{key}", head and f"{head}.decoder.{name}"
        conv = "decode_head.conv_seg" if stream == "cross_modality" else None
        yield from _leaves(f"{stream}_stream.segmentation_head.0", conv)


def _leaves(
    key: str, name: str | None, leaves: tuple[str, ...] = _AFFINE
) -> Iterator[tuple[str, str | None]]:
    """The parameters of a module."""
    for leaf in leaves:
        yield f"{key}.{leaf}", name and f"{name}.{leaf}"


def _stage_names(stage: int, depth: int) -> Iterator[tuple[str, str | None]]:
    layer = f"layers.{stage - 1}"
    modules = {
        f"patch_embed{stage}.proj": f"{layer}.0.projection",
        f"patch_embed{stage}.norm": f"{layer}.0.norm",
        f"norm{stage}": f"{layer}.2",
    }
    parts = {"norm1": "norm1", "norm2": "norm2", "attn.proj": "attn.attn.out_proj"}
    parts |= {"mlp.fc1": "ffn.layers.0", "mlp.dwconv.dwconv": "ffn.layers.1"}
    parts |= {"mlp.fc2": "ffn.layers.4"}
    if stage < 4:  # the last one does not reduce the attention's keys and values
        parts |= {"attn.sr": "attn.sr", "attn.norm": "attn.norm"}
    for i in range(depth):
        modules |= {f"block{stage}.{i}.{k}": f"{layer}.1.{i}.{v}" for k, v in parts.items()}
        for leaf in _AFFINE:
            # q, k and v are one projection here; kv is read together with q
            yield f"block{stage}.{i}.attn.q.{leaf}", f"{layer}.1.{i}.attn.attn.in_proj_{leaf}"
            yield f"block{stage}.{i}.attn.kv.{leaf}", None
    for key, name in modules.items():
        yield from _leaves(key, name)


def _fusion_names(stage: int, role: Role) -> Iterator[tuple[str, str | None]]:
    for stream, ours in _STREAMS.items():
        unread = stream == "cross_modality" and stage == 1
        yield from _leaves(f"{stream}_msc.conv.0", None if unread else f"context.{ours}.conv")
    if role == "student":
        yield "spatial_attn_block.spatial.conv.weight", "spatial_gate.conv.weight"
        yield from _leaves("spatial_attn_block.spatial.bn", "spatial_gate.bn", _BATCH_NORM)
    block = "update_cross_modality_block.excitation"
    yield f"{block}.0.weight", "channel_weights.reduce.weight"
    yield f"{block}.2.weight", "channel_weights.expand.weight"
    for stream, ours in (("modality1", "optical"), ("modality2", "sar")):
        unread = stage == 4 and (stream == "modality2" or role == "teacher")
        yield from _leaves(f"{stream}_distribute_conv", None if unread else f"distribute.{ours}")


def _decoder_names() -> Iterator[tuple[str, str | None]]:
    for block in range(5):
        for i in (1, 2):
            yield f"blocks.{block}.conv{i}.0.weight", f"blocks.{block}.conv{i}.weight"
            yield from _leaves(f"blocks.{block}.conv{i}.1", f"blocks.{block}.norm{i}", _BATCH_NORM)
