"""What the values of cloud masks mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmcloudseg.utils.constants import IGNORE_INDEX

KINDS = ("clear", "cloud", "unknown")
LEGENDS: dict[str, dict[str, Sequence[int]]] = dict(
    binary=dict(clear=[0], cloud=[1]),
    # Sentinel-2 scene classification; shadow, dark and snow pixels are clear, defective ones not.
    s2_scl=dict(clear=[2, 4, 5, 6, 7, 11], cloud=[3, 8, 9, 10], unknown=[0, 1]),
    # Four classes: clear, thick cloud, thin cloud, cloud shadow (CloudSEN12's, for example).
    four_classes=dict(clear=[0], cloud=[1, 2, 3]),
    # Bits of Landsat Collection 2 QA_PIXEL: dilated cloud, cirrus, cloud, cloud shadow; 0 is fill.
    landsat_qa=dict(cloud_bits=[1, 2, 3, 4], unknown_bits=[0]),
    s2_qa60=dict(cloud_bits=[10, 11]),
    nonzero=dict(clear=[0]),
)
"""Names of legends that ``cloud_mask_codes`` may give."""
_MANY = 12


@dataclass(frozen=True)
class CloudMaskRule:
    """How values of a mask become 1 cloud, 0 clear, 255 unknown.

    Attributes:
        codes: ``dict(clear=[…], cloud=[…], unknown=[…])``, ``dict(cloud_bits=[…],
            unknown_bits=[…])`` with numbers of bits from 0, or a name out of ``LEGENDS``; None is
            ``'binary'``: 0 clear, 1 cloud.
        threshold: Of a probability, 0 to 1 or 0 to 100, above which a pixel is cloud; None for
            codes.

    Raises:
        ValueError: Both are given, the legend is unknown, or a code is in two groups.
    """

    codes: str | Mapping[str, Sequence[int]] | None = None
    threshold: float | None = None

    def __post_init__(self) -> None:
        if self.threshold is not None:
            if self.codes is not None or not 0 <= self.threshold < 100:
                raise ValueError(
                    "cloud_mask_threshold must be a probability, 0 to 1 or 0 to 100, without "
                    f"cloud_mask_codes; found {self.threshold} and codes {self.codes}"
                )
            return
        legend = LEGENDS.get(self.codes) if isinstance(self.codes, str) else self.legend
        groups = {*KINDS, "cloud_bits", "unknown_bits"}
        listed = [code for kind in KINDS for code in (legend or {}).get(kind, ())]
        if not legend or not set(legend) <= groups or len(set(listed)) < len(listed):
            raise ValueError(
                f"cloud_mask_codes must be one of {', '.join(LEGENDS)}, or dict(clear=[…], "
                "cloud=[…], unknown=[…]) with each code once, or dict(cloud_bits=[…], "
                f"unknown_bits=[…]); found {self.codes!r}"
            )

    @property
    def legend(self) -> Mapping[str, Sequence[int]]:
        """The groups of codes or bits."""
        return (
            LEGENDS[self.codes or "binary"] if not isinstance(self.codes, Mapping) else self.codes
        )

    def apply(
        self, values: np.ndarray, missing: np.ndarray, path: str
    ) -> tuple[np.ndarray, str | None]:
        """Read a mask.

        Args:
            values: What the file holds, rows x columns.
            missing: Which of them are declared as no data; they are unknown.
            path: The file, for the problem.

        Returns:
            uint8, 1 cloud, 0 clear, 255 unknown; and what does not fit the rule, None if all does.
            Values that do not fit are unknown.
        """
        if self.threshold is not None:
            return self._probability(values, missing, path, self.threshold)
        if {"cloud_bits", "unknown_bits"} & set(self.legend):
            return self._bits(values, missing), None
        groups = {kind: np.isin(values, self.legend.get(kind, ())) for kind in KINDS}
        if self.codes == "nonzero":
            groups["cloud"] = ~groups["clear"] & ~missing
        mask = np.full(values.shape, IGNORE_INDEX, dtype=np.uint8)
        mask[groups["clear"]], mask[groups["cloud"]] = 0, 1
        mask[missing] = IGNORE_INDEX
        strange = ~missing & ~(groups["clear"] | groups["cloud"] | groups["unknown"])
        return mask, self._problem(
            values[strange], strange.mean(), path
        ) if strange.any() else None

    def _probability(
        self, values: np.ndarray, missing: np.ndarray, path: str, threshold: float
    ) -> tuple[np.ndarray, str | None]:
        top = 1 if threshold <= 1 else 100
        outside = ~missing & ~((values >= 0) & (values <= top))
        mask = np.where(missing | outside, IGNORE_INDEX, values > threshold).astype(np.uint8)
        highest = values[~missing].max(initial=0)
        if threshold > 1 and 0 < highest <= 1:
            return np.full_like(mask, IGNORE_INDEX), (
                f"{path}: cloud_mask_threshold={threshold:g} expects probabilities from 0 to 100, "
                f"found none above {highest:g}. State a threshold from 0 to 1"
            )
        if not outside.any():
            return mask, None
        return mask, (
            f"{path}: cloud_mask_threshold={threshold:g} expects probabilities from 0 to "
            f"{top}, found {_listed(values[outside])} in {outside.mean():.1%} of the pixels. "
            "State a threshold from 0 to 1 or from 1 to 100, or the mask's codes by "
            "cloud_mask_codes"
        )

    def _bits(self, values: np.ndarray, missing: np.ndarray) -> np.ndarray:
        whole = np.where(missing, 0, values).astype(np.int64)

        def any_of(kind: str) -> np.ndarray:
            flags = sum(1 << int(bit) for bit in self.legend.get(kind, ()))
            return (whole & flags) != 0

        mask = any_of("cloud_bits").astype(np.uint8)
        mask[missing | any_of("unknown_bits")] = IGNORE_INDEX
        return mask

    def _problem(self, strange: np.ndarray, share: float, path: str) -> str:
        return (
            f"{path}: the cloud mask holds {_listed(strange)} in {share:.1%} of its pixels, "
            f"expected {_legend_text(self.legend)}. State what its codes mean by the dataset's "
            f"cloud_mask_codes (dict(clear=[…], cloud=[…], unknown=[…]) or one of "
            f"{', '.join(LEGENDS)}), or that it is a probability by cloud_mask_threshold"
        )


def _listed(values: np.ndarray) -> str:
    found = np.unique(values)
    if len(found) > _MANY or (found.dtype.kind == "f" and (found % 1).any()):
        return f"{len(found)} values from {np.nanmin(found):g} to {np.nanmax(found):g}"
    return ", ".join(f"{value:g}" for value in found)


def _legend_text(legend: Mapping[str, Sequence[int]]) -> str:
    return "; ".join(
        f"{', '.join(map(str, codes))} for {kind}" for kind, codes in legend.items() if len(codes)
    )
