"""Layer-wise learning rates for backbones made of streams.

MMSegmentation's constructors know ConvNeXt, BEiT and MAE by the names of their parameters. Those
here have the same names and settings and take their places: they know the streams whose stage
adapter says where a parameter lies, and leave other models to MMSegmentation.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Any

from mmengine.logging import print_log
from mmseg.engine import optimizers
from mmseg.registry import OPTIM_WRAPPER_CONSTRUCTORS
from torch import nn

from mmcloudseg.models.backbones.stages import CLOSES, OPENS, find_stages
from mmcloudseg.models.backbones.streams import MultiStreamBackbone

Place = tuple[int, float]


class _StreamDecay:
    """Makes one of MMSegmentation's constructors, which is the next base, know streams."""

    # From MMEngine's constructor.
    base_lr: float
    base_wd: float | None
    paramwise_cfg: dict

    def add_params(self, params: list[dict], module: nn.Module, **kwargs: Any) -> None:
        """Add a group of parameters for each layer, with and without weight decay.

        What a stream starts with is layer 0. Its blocks are divided evenly among the layers 1 to
        ``num_layers`` (``layer_wise``, which agrees with MMSegmentation's ConvNeXt), or its stages
        are the layers from 1 on (``stage_wise``). All else, such as fusion and heads, is layer
        ``num_layers + 1`` and trains at the base learning rate, every layer before at
        ``decay_rate`` times that of the next. Biases and norms have no weight decay.

        Args:
            params: The groups, which are added to.
            module: The model.
            kwargs: As in MMSegmentation.

        Raises:
            ValueError: A setting is missing or does not fit, or the backbone is not known.
        """
        rate, head = self._number("decay_rate"), int(self._number("num_layers")) + 1
        layers = self._layers(module, head - 1)
        if not layers:
            self._leave_to_mmseg(params, module, **kwargs)
            return
        groups: dict[str, dict] = {}
        for name, param in module.named_parameters():
            if not param.requires_grad:
                continue
            layer, decays = layers.get(name, head), param.ndim > 1
            scale = rate ** (head - layer)
            group_name = f"layer_{layer}_{'decay' if decays else 'no_decay'}"
            new: dict[str, Any] = dict(params=[], param_names=[], group_name=group_name)
            new |= dict(lr_scale=scale, lr=scale * self.base_lr)
            new |= dict(weight_decay=decays * (self.base_wd or 0.0))
            group = groups.setdefault(group_name, new)
            group["params"].append(param)
            group["param_names"].append(name)
        for name, group in groups.items():
            lr, count = group["lr"], len(group["params"])
            print_log(f"{name}: {count} parameters, lr {lr:.4g}", "current")
        params.extend(groups.values())

    def _layers(self, module: nn.Module, count: int) -> dict[str, int]:
        """The layers of the parameters of all streams, by name."""
        decay_type = self.paramwise_cfg.get("decay_type", "layer_wise")
        if decay_type != "stage_wise" and "layer_wise" not in decay_type:
            raise ValueError(
                f"optim_wrapper.paramwise_cfg.decay_type='{decay_type}': expected 'layer_wise' or "
                "'stage_wise'"
            )
        found: dict[str, int] = {}
        for path, backbone in module.named_modules():
            if not isinstance(backbone, MultiStreamBackbone):
                continue
            # The first stream is whole; another may lack its first stage.
            known = set(_places(getattr(backbone, backbone.stream_names[0])).values())
            blocks = sorted(place for place in known if OPENS < place[1] < CLOSES)
            stages = blocks[-1][0] + 1
            if decay_type == "stage_wise" and count < stages:
                raise ValueError(
                    f"optim_wrapper.paramwise_cfg.num_layers={count}: decay_type='stage_wise' "
                    f"needs at least the {stages} stages of {path}"
                )
            for stream in backbone.stream_names:
                for key, place in _places(getattr(backbone, stream)).items():
                    by_stage = 0 if place == (0, OPENS) else place[0] + 1
                    by_block = _layer_of(place, blocks, count)
                    layer = by_stage if decay_type == "stage_wise" else by_block
                    found[f"{path}.{stream}.{key}"] = layer
        return found

    def _number(self, key: str) -> float:
        found = self.paramwise_cfg.get(key)
        if not isinstance(found, int | float) or found <= 0:
            raise ValueError(
                f"optim_wrapper.paramwise_cfg.{key}={found}: {type(self).__name__} needs a number "
                "above 0, as in dict(decay_rate=0.9, decay_type='layer_wise', num_layers=12)"
            )
        return found

    def _leave_to_mmseg(self, params: list[dict], module: nn.Module, **kwargs: Any) -> None:
        try:
            super().add_params(params, module, **kwargs)  # type: ignore[misc]
        except (AttributeError, NotImplementedError) as error:
            raise _unknown(getattr(module, "backbone", module)) from error


def _places(stream: nn.Module) -> dict[str, Place]:
    adapter = find_stages(stream)
    if adapter is None:
        raise _unknown(stream)
    places: dict[str, Place] = {}
    for key, _ in stream.named_parameters():
        place = adapter.place(stream, key)
        if place is None:
            raise _unknown(stream)
        places[key] = place
    return places


def _unknown(backbone: nn.Module) -> ValueError:
    return ValueError(
        f"optim_wrapper.constructor: the layers of a {type(backbone).__name__} are not known, so "
        "they cannot have learning rates of their own. Known are those of all named streams, of "
        "others whose stage adapter has `place` (docs/backbones.md), and of MMSegmentation's "
        "ConvNeXt, BEiT and MAE"
    )


def _layer_of(place: Place, blocks: list[Place], count: int) -> int:
    """The layer of a place, where the blocks of a stream are divided evenly among the layers."""
    if place == (0, OPENS):
        return 0
    closes = place[1] == CLOSES
    index = bisect_right(blocks, place) - 1 if closes else bisect_left(blocks, place)
    return 1 + min(index, len(blocks) - 1) * count // len(blocks)


@OPTIM_WRAPPER_CONSTRUCTORS.register_module(force=True)
class LearningRateDecayOptimizerConstructor(
    _StreamDecay, optimizers.LearningRateDecayOptimizerConstructor
):
    """MMSegmentation's constructor of this name, for streams as well."""


@OPTIM_WRAPPER_CONSTRUCTORS.register_module(force=True)
class LayerDecayOptimizerConstructor(_StreamDecay, optimizers.LayerDecayOptimizerConstructor):
    """MMSegmentation's older constructor, layer-wise only, for streams as well.

    Raises:
        ValueError: ``paramwise_cfg`` has no ``layer_decay_rate``.
    """

    def __init__(self, optim_wrapper_cfg: dict, paramwise_cfg: dict | None = None) -> None:
        settings = dict(paramwise_cfg or {})  # which MMSegmentation changes
        if "layer_decay_rate" not in settings:
            raise ValueError(
                f"optim_wrapper.paramwise_cfg={settings}: LayerDecayOptimizerConstructor needs "
                "layer_decay_rate, as in dict(layer_decay_rate=0.9, num_layers=12)"
            )
        super().__init__(optim_wrapper_cfg, settings)
