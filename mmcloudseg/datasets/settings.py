"""What a config says about the files of an optical and SAR dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from mmcloudseg.datasets.cloud_masks import CloudMaskRule
from mmcloudseg.datasets.label_codes import readable_codes
from mmcloudseg.datasets.sample_lists import MODALITY_NAMES
from mmcloudseg.rasters.radiometry import Radiometry

MODALITIES = ("optical", "sar")
RESAMPLING = ("nearest", "bilinear")


@dataclass(frozen=True)
class OpticalSARSettings:
    """Settings of :class:`~mmcloudseg.datasets.OpticalSARDataset`, which describes them.

    Raises:
        ValueError: If a value is out of its range.
    """

    img_suffix: str = ".tif"
    sar_suffix: str = ".tif"
    cloud_free_suffix: str = ".tif"
    cloud_mask_suffix: str = ".tif"
    seg_map_suffix: str = ".tif"
    csv_columns: Sequence[str] | None = None
    label_codes: Mapping[float, int] | None = None
    label_scale: float = 1.0
    sar_scale: float | None = None
    cloud_mask_scale: float | None = None
    align: str = "none"
    sar_resampling: str = "nearest"
    radiometry: Mapping[str, Mapping[str, Any]] | None = None
    nodata: Mapping[str, float] | None = None
    cloud_mask_codes: str | Mapping[str, Sequence[int]] | None = None
    cloud_mask_threshold: float | None = None
    allow_missing: Sequence[str] = ()
    clouds: str = "stored"
    optical: str = "cloudy"
    num_header_checks: int = 256

    def __post_init__(self) -> None:
        for name in ("label_scale", "sar_scale", "cloud_mask_scale"):
            scale = getattr(self, name)
            if scale is not None and scale <= 0:
                raise ValueError(f"{name} is pixels per optical pixel, above 0; found {scale}")
        choices: dict[str, Sequence[str]] = dict(
            optical=("cloudy", "cloud_free"),
            clouds=("stored", "simulated"),
            align=("none", "warp"),
            sar_resampling=RESAMPLING,
        )
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                expected = " or ".join(map(repr, allowed))
                raise ValueError(f"{name} must be {expected}, found {getattr(self, name)!r}")
        for name in ("radiometry", "nodata", "allow_missing"):
            unknown = set(getattr(self, name) or ()) - set(MODALITIES)
            if unknown:
                raise ValueError(
                    f"{name}: unknown modalities {sorted(unknown)}; expected some of "
                    f"{list(MODALITIES)}"
                )
        for modality in MODALITIES:
            radiometry_of(self, modality)
        CloudMaskRule(self.cloud_mask_codes, self.cloud_mask_threshold)
        if self.label_codes is not None:
            object.__setattr__(self, "label_codes", readable_codes(self.label_codes))

    @classmethod
    def pop_from(cls, kwargs: dict[str, Any]) -> OpticalSARSettings:
        """Take the settings out of a dataset's keyword arguments; the others stay."""
        names = [field.name for field in fields(cls) if field.name in kwargs]
        return cls(**{name: kwargs.pop(name) for name in names})

    @property
    def suffixes(self) -> dict[str, str]:
        """Path key -> how its files end."""
        return {key: getattr(self, key.replace("_path", "_suffix")) for key in MODALITY_NAMES}

    def reading(self) -> dict[str, Any]:
        """What :class:`LoadRasters` has to know, as keys of each sample; only what is stated."""
        names = (
            "radiometry", "nodata", "align", "sar_resampling", "cloud_mask_scale",
            "cloud_mask_codes", "cloud_mask_threshold", "allow_missing",
        )  # fmt: skip
        defaults = {field.name: field.default for field in fields(self)}
        stated = {name: getattr(self, name) for name in names}
        return {name: value for name, value in stated.items() if value != defaults[name]}


def radiometry_of(stated: OpticalSARSettings | Mapping[str, Any] | None, name: str) -> Radiometry:
    """What settings, or a sample's keys, state of the numbers in a modality's files."""
    if isinstance(stated, Mapping):
        found = stated.get("radiometry")
    else:
        found = getattr(stated, "radiometry", None)
    return Radiometry.of(name, (found or {}).get(name))
