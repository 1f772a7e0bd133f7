"""Stage adapters of MMSeg's transformers: MiT, Swin and Twins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch.nn.functional as F
from mmseg.models.utils import nchw_to_nlc, nlc_to_nchw
from torch import Tensor, nn

from mmcloudseg.models.backbones.stages import CLOSES, OPENS, StageAdapter, register_stages


@register_stages("MixVisionTransformer")
class MixVisionTransformerStages(StageAdapter):
    """MMSeg's MiT (SegFormer, arXiv 2105.15203)."""

    def prepare(self, net: Any) -> None:
        """Set the eps that the published ImageNet weights were trained with.

        MMSeg builds every LayerNorm with 1e-6; patch embeddings and the attention's spatial
        reduction were trained with PyTorch's 1e-5, which moves outputs by 1e-3.
        """
        for embed, blocks, _ in net.layers:
            embed.norm.eps = 1e-5
            for block in blocks:
                if hasattr(block.attn, "norm"):
                    block.attn.norm.eps = 1e-5

    def channels(self, net: Any) -> tuple[int, ...]:
        """The embedding width times the heads of each stage."""
        return tuple(net.embed_dims * heads for heads in net.num_heads)

    def run(self, net: Any, stage: int, x: Tensor) -> Tensor:
        """Patch embedding, transformer blocks, norm."""
        embed, blocks, norm = net.layers[stage]
        x, hw_shape = embed(x)
        for block in blocks:
            x = block(x, hw_shape)
        return nlc_to_nchw(norm(x), hw_shape)

    def drop_first_stage(self, net: Any) -> None:
        """Empty ``layers.0``."""
        net.layers[0] = nn.ModuleList()

    def place(self, net: Any, key: str) -> tuple[int, float]:
        """``layers.<stage>.<patch embedding, blocks or norm>``."""
        _, stage, part, block, *_ = key.split(".")
        return int(stage), {"0": OPENS, "2": CLOSES}.get(part) or int(block)


@register_stages("SwinTransformer")
class SwinTransformerStages(StageAdapter):
    """MMSeg's Swin (arXiv 2103.14030); patch merging opens a stage instead of closing one."""

    def channels(self, net: Any) -> tuple[int, ...]:
        """They double from stage to stage."""
        return tuple(net.num_features)

    def prepare(self, net: Any) -> None:
        """Refuse position embeddings that depend on the size of the image."""
        if net.use_abs_pos_embed:
            raise ValueError(
                "SwinTransformer(use_abs_pos_embed=True) takes images of one size only: set "
                "stream.use_abs_pos_embed=False"
            )

    def run(self, net: Any, stage: int, x: Tensor) -> Tensor:
        """Patch embedding or merging, attention in shifted windows, the output's norm."""
        if stage == 0:
            x, hw_shape = net.patch_embed(x)
            x = net.drop_after_pos(x)
        else:
            hw_shape = x.shape[2:]
            x, hw_shape = net.stages[stage - 1].downsample(nchw_to_nlc(x), hw_shape)
        for block in net.stages[stage].blocks:
            x = block(x, hw_shape)
        return nlc_to_nchw(getattr(net, f"norm{stage}")(x), hw_shape)

    def drop_first_stage(self, net: Any) -> None:
        """Empty the patch embedding, blocks and norm; the patch merging belongs to stage 1."""
        net.patch_embed = nn.Sequential()
        net.stages[0].blocks = nn.ModuleList()
        net.norm0 = nn.Sequential()

    def published(self, net: Any, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Interpolate position biases that were trained with another window size."""
        fitted = dict(weights)
        for key, value in net.state_dict().items():
            given = fitted.get(key)
            if given is None or given.shape == value.shape:
                continue
            if key.endswith("relative_position_bias_table"):
                fitted[key] = _resize_bias_table(given, len(value))
            elif key.endswith("relative_position_index"):
                fitted[key] = value  # derived from the window size, not learnt
        return fitted

    def made_for_segmentation(self, key: str) -> bool:
        """The norms of the stages' outputs, which classifiers lack."""
        return key.startswith("norm")

    def place(self, net: Any, key: str) -> tuple[int, float]:
        """``stages.<stage>.blocks.<block>``, ``stages.<stage>.downsample``, ``norm<stage>``."""
        kind, *rest = key.split(".")
        if kind == "stages":
            stage = int(rest[0])
            return (stage, int(rest[2])) if rest[1] == "blocks" else (stage + 1, OPENS)
        return (int(kind[-1]), CLOSES) if kind.startswith("norm") else (0, OPENS)


def _resize_bias_table(table: Tensor, length: int) -> Tensor:
    """Resize (2w - 1)^2 x heads to ``length`` x heads by bicubic interpolation."""
    old, new = (round(n**0.5) for n in (len(table), length))
    square = table.T.reshape(1, -1, old, old)
    resized = F.interpolate(square, size=(new, new), mode="bicubic", align_corners=False)
    return resized.reshape(table.shape[1], length).T.contiguous()


@register_stages("PCPVT")
class TwinsStages(StageAdapter):
    """MMSeg's Twins, PCPVT and SVT (arXiv 2104.13840)."""

    def channels(self, net: Any) -> tuple[int, ...]:
        """The widths of the position encodings."""
        return tuple(encoding.proj.out_channels for encoding in net.position_encodings)

    def run(self, net: Any, stage: int, x: Tensor) -> Tensor:
        """Patch embedding, first block, position encoding, other blocks."""
        x, hw_shape = net.patch_embeds[stage](x)
        x = net.position_encoding_drops[stage](x)
        first, *others = net.layers[stage]
        x = net.position_encodings[stage](first(x, hw_shape), hw_shape)
        for block in others:
            x = block(x, hw_shape)
        if net.norm_after_stage:
            x = net.norm_list[stage](x)
        return nlc_to_nchw(x, hw_shape)

    def drop_first_stage(self, net: Any) -> None:
        """Empty the first entry of each list; :meth:`channels` no longer works after that."""
        parts = [net.patch_embeds, net.layers, net.position_encodings]
        for part in parts + ([net.norm_list] if net.norm_after_stage else []):
            part[0] = nn.ModuleList()

    def made_for_segmentation(self, key: str) -> bool:
        """The norms of the stages' outputs, which classifiers lack."""
        return key.startswith("norm_list")

    def place(self, net: Any, key: str) -> tuple[int, float]:
        """``layers.<stage>.<block>``, ``norm_list.<stage>``, ``patch_embeds.<stage>``, ``…``."""
        kind, stage, block, *_ = key.split(".")
        if kind == "layers":
            return int(stage), int(block)
        return int(stage), CLOSES if kind == "norm_list" else OPENS
