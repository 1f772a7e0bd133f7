"""What a config says about the files of an optical and SAR dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from mmcloudseg.datasets.sample_lists import MODALITY_NAMES


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
    label_codes: Mapping[int, int] | None = None
    label_scale: float = 1.0
    sar_scale: float = 1.0
    clouds: str = "stored"
    optical: str = "cloudy"
    num_header_checks: int = 256

    def __post_init__(self) -> None:
        if not 0 < self.label_scale <= 1 or self.sar_scale <= 0:
            raise ValueError(
                "label_scale must be above 0 and at most 1, sar_scale above 0; found "
                f"{self.label_scale} and {self.sar_scale}. Resample labels that are finer than "
                "the optical image."
            )
        if self.optical not in ("cloudy", "cloud_free"):
            raise ValueError(f"optical must be 'cloudy' or 'cloud_free', found {self.optical!r}")
        if self.clouds not in ("stored", "simulated"):
            raise ValueError(f"clouds must be 'stored' or 'simulated', found {self.clouds!r}")

    @classmethod
    def pop_from(cls, kwargs: dict[str, Any]) -> OpticalSARSettings:
        """Take the settings out of a dataset's keyword arguments; the others stay."""
        names = [field.name for field in fields(cls) if field.name in kwargs]
        return cls(**{name: kwargs.pop(name) for name in names})

    @property
    def suffixes(self) -> dict[str, str]:
        """Path key -> how its files end."""
        return {key: getattr(self, key.replace("_path", "_suffix")) for key in MODALITY_NAMES}
