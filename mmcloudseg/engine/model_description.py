"""What a config says about its model: the bands it sees and the classes it maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmengine.config import Config, ConfigDict
from mmseg.registry import DATASETS
from torch import nn

from mmcloudseg.datasets.transforms.modality_dropout import MODALITIES
from mmcloudseg.datasets.wrappers import inner_datasets
from mmcloudseg.utils.config_types import type_name


@dataclass(frozen=True)
class ModelDescription:
    """The images that a model takes and the map that it makes.

    Attributes:
        classes: Class names, in the order of their indices.
        palette: RGB colours of the classes, 0 to 255.
        label_scale: Label pixels per optical pixel.
        counts: Number of bands of ``'optical'`` and ``'sar'``, those that the model sees, in its
            order.
        bands: Which bands of a file to read, from 1, for the modalities whose pipeline says so.
        optical_names: Names of the optical bands.
        low: For each modality the values that are scaled to 0, by band; empty if not stated.
        high: Likewise the values that are scaled to 1.
    """

    classes: tuple[str, ...]
    palette: tuple[tuple[int, int, int], ...]
    label_scale: float
    counts: Mapping[str, int]
    bands: Mapping[str, Sequence[int]]
    optical_names: tuple[str, ...]
    low: Mapping[str, Sequence[float]]
    high: Mapping[str, Sequence[float]]

    @classmethod
    def from_config(cls, cfg: Config) -> ModelDescription:
        """Read a config; its data need not exist.

        Raises:
            ValueError: It has no test set, or does not state how many bands the model sees.
        """
        if cfg.get("test_dataloader") is None:
            raise ValueError(
                f"{cfg.filename}: has no test_dataloader, whose dataset states classes, bands and "
                "label grid: name the config that the model was tested with"
            )
        described = next(inner_datasets(cfg.test_dataloader.dataset))
        steps = {type_name(step): step for step in described.get("pipeline", [])}
        dataset = DATASETS.build(dict(described, pipeline=[], lazy_init=True))
        meta = dataset.metainfo
        packed = steps.get("PackCloudSegInputs", {}).get("modalities", MODALITIES)
        modalities = ["optical" if name == "cloud_free" else name for name in packed]
        ranges, named = value_ranges(cfg.model), meta.get("bands") or {}
        known = {name: len(limits["low"]) for name, limits in ranges.items()}
        known = known or {name: len(named.get(name, ())) for name in modalities}
        counts = {name: known[name] for name in modalities if name in known}
        if not counts or not all(counts.values()):
            raise ValueError(
                f"{cfg.filename}: does not state how many bands the model sees: set "
                "model.data_preprocessor=CloudSegDataPreprocessor(optical=…, sar=…), or `bands` "
                "in the dataset's metainfo"
            )
        bands = steps.get("LoadRasters", {}).get("bands") or {}
        return cls(
            classes=tuple(meta["classes"]),
            palette=tuple(tuple(colour) for colour in meta["palette"]),
            label_scale=float(getattr(dataset, "label_scale", 1.0)),
            counts=counts,
            bands={name: list(numbers) for name, numbers in bands.items()},
            optical_names=_names(named.get("optical"), counts, bands),
            low={name: list(limits["low"]) for name, limits in ranges.items()},
            high={name: list(limits["high"]) for name, limits in ranges.items()},
        )


def value_ranges(model: ConfigDict) -> dict[str, Mapping[str, Sequence[float]]]:
    """``low`` and ``high`` of each modality's bands, as ``CloudSegDataPreprocessor`` takes them.

    Empty if the model's data preprocessor states no ranges, as MMSegmentation's own does not.
    """
    preprocessor: Mapping[str, Any] = model.get("data_preprocessor") or {}
    return {name: preprocessor[name] for name in MODALITIES if preprocessor.get(name)}


def accepts_missing_modality(model: nn.Module) -> bool:
    """Whether a model's data preprocessor defines what replaces a missing modality."""
    # A distributed model is wrapped in another module.
    return hasattr(getattr(model, "module", model).data_preprocessor, "missing_val")


def _names(
    known: Sequence[str] | None, counts: Mapping[str, int], bands: Mapping[str, Sequence[int]]
) -> tuple[str, ...]:
    """Names of the optical bands that are read; numbers if the dataset does not name them."""
    if known and "optical" in bands:
        known = [known[number - 1] for number in bands["optical"]]
    if known and len(known) == counts.get("optical"):
        return tuple(known)
    return tuple(f"band {number}" for number in range(1, counts.get("optical", 0) + 1))
