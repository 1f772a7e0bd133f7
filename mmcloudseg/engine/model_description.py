"""What a config says about its model: the bands it sees and the classes it maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmengine.config import Config, ConfigDict
from mmseg.registry import DATASETS
from torch import nn

from mmcloudseg.datasets.settings import radiometry_of
from mmcloudseg.datasets.transforms.modality_dropout import MODALITIES
from mmcloudseg.datasets.wrappers import inner_datasets
from mmcloudseg.rasters.band_names import band_numbers
from mmcloudseg.rasters.radiometry import Radiometry
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
        names: For each modality the names of its bands, if the dataset states them.
        radiometry: For each modality what the dataset states of its files' numbers.
        low: For each modality the values that are scaled to 0, by band; empty if not stated.
        high: Likewise the values that are scaled to 1.
    """

    classes: tuple[str, ...]
    palette: tuple[tuple[int, int, int], ...]
    label_scale: float
    counts: Mapping[str, int]
    bands: Mapping[str, Sequence[int]]
    names: Mapping[str, tuple[str, ...]]
    radiometry: Mapping[str, Radiometry]
    low: Mapping[str, Sequence[float]]
    high: Mapping[str, Sequence[float]]

    @property
    def optical_names(self) -> tuple[str, ...]:
        """Names of the optical bands; numbers if the dataset does not name them."""
        count = self.counts.get("optical", 0)
        return self.names.get("optical") or tuple(f"band {n}" for n in range(1, count + 1))

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
        bands = {
            name: band_numbers(chosen, named.get(name, ()), "LoadRasters(bands=…)")
            for name, chosen in (steps.get("LoadRasters", {}).get("bands") or {}).items()
        }
        settings = getattr(dataset, "settings", None)
        return cls(
            classes=tuple(meta["classes"]),
            palette=tuple(tuple(colour) for colour in meta["palette"]),
            label_scale=float(getattr(dataset, "label_scale", 1.0)),
            counts=counts,
            bands=bands,
            names={
                name: _names(named.get(name), counts[name], bands.get(name)) for name in counts
            },
            radiometry={name: radiometry_of(settings, name) for name in MODALITIES},
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
    known: Sequence[str] | None, count: int, bands: Sequence[int] | None
) -> tuple[str, ...]:
    """Names of the bands that are read, empty if the dataset does not name them."""
    if known and bands:
        known = [known[number - 1] for number in bands]
    return tuple(known) if known and len(known) == count else ()
