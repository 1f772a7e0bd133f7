"""The points of a robustness curve and the test pipeline of each point."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmengine.config import Config

from mmcloudseg.benchmark.robustness_curve import MISSING_TITLES, OWN_CLOUDS
from mmcloudseg.clouds import CLOUD_KINDS
from mmcloudseg.datasets.transforms.modality_dropout import MODALITIES
from mmcloudseg.utils.config_types import type_name


@dataclass(frozen=True)
class RobustnessSettings:
    """What to measure.

    Attributes:
        covers: Shares of cloudy pixels in percent, rising; empty for no simulated clouds.
        kinds: Names of ``CLOUD_KINDS``; empty for no simulated clouds.
        missing: Modalities to remove under the clouds of the dataset itself, one at a time.
        seed: Seed of the simulated clouds.

    Raises:
        ValueError: If a value is unknown or out of range, or there is nothing to measure.
    """

    covers: Sequence[float] = tuple(range(0, 101, 10))
    kinds: Sequence[str] = ("thick", "thin", "fog")
    missing: Sequence[str] = MODALITIES
    seed: int = 0

    def __post_init__(self) -> None:
        if any(not 0 <= cover <= 100 for cover in self.covers):
            raise ValueError(f"covers: expected percent from 0 to 100, found {list(self.covers)}")
        for name, known in (("kinds", CLOUD_KINDS), ("missing", MODALITIES)):
            if unknown := [entry for entry in getattr(self, name) if entry not in known]:
                raise ValueError(f"{name}: expected some of {list(known)}, found {unknown}")
        # Without covers there are no kinds, and without kinds no covers.
        covers = sorted(set(self.covers)) if self.kinds else []
        kinds = list(dict.fromkeys(self.kinds)) if covers else []
        for name, value in (("covers", covers), ("kinds", kinds), ("missing", self.missing)):
            object.__setattr__(self, name, tuple(dict.fromkeys(value)))
        if not self.kinds and not self.missing:
            raise ValueError("nothing to measure: name covers and kinds, or missing modalities")


@dataclass(frozen=True)
class Point:
    """One pass over the test set.

    Attributes:
        kind: Kind of the simulated clouds, ``clear`` for none; None for the dataset's own clouds.
        cover: Cover of the simulated clouds in percent.
        missing: The modality that is removed.
    """

    kind: str | None = None
    cover: float = 0.0
    missing: str | None = None

    @classmethod
    def under(cls, kind: str, cover: float) -> Point:
        """Return a point with simulated clouds; a cover of 0 is the same point for all kinds."""
        return cls(kind=kind if cover else "clear", cover=cover)

    def __str__(self) -> str:
        if self.missing is not None:
            return MISSING_TITLES[self.missing]
        return OWN_CLOUDS if self.kind is None else f"{self.kind} {self.cover:g} %"


def list_points(settings: RobustnessSettings) -> list[Point]:
    """List every pass once: simulated clouds, both modalities for comparison, one missing."""
    simulated = [Point.under(kind, cover) for kind in settings.kinds for cover in settings.covers]
    missing = [Point(missing=name) for name in settings.missing]
    return list(dict.fromkeys([*simulated, *([Point()] if missing else []), *missing]))


def simulation_settings(cfg: Config) -> dict[str, Any]:
    """Return how clouds look to the sensor of a config: arguments of ``SimulateClouds``.

    Raises:
        ValueError: If the config has no ``simulated_clouds``.
    """
    found = cfg.get("simulated_clouds")
    if not isinstance(found, Mapping):
        raise ValueError(
            f"'{cfg.filename}' has no `simulated_clouds`, which describes how clouds look to its "
            "sensor: add simulated_clouds = dict(type='SimulateClouds', gsd_m=…, "
            "wavelengths_um=[…]) as in configs/_base_/datasets/m3mcr.py, or use --kinds without "
            "a value to leave simulated clouds out"
        )
    chosen = {"gsd_m", "wavelengths_um", "white", "scale", "threshold", "octaves"}
    return {key: copy.deepcopy(value) for key, value in found.items() if key in chosen}


def pipeline_of(
    steps: Sequence[Mapping[str, Any]], point: Point, cfg: Config, seed: int
) -> list[dict[str, Any]]:
    """Make the test pipeline of one point from that of a config.

    Raises:
        ValueError: If the pipeline has no ``LoadRasters`` or no ``PackCloudSegInputs``.
    """
    changed = [copy.deepcopy(dict(step)) for step in steps]
    if point.kind is not None:
        changed = [step for step in changed if type_name(step) != "SimulateClouds"]
        clouds = dict(
            type="SimulateClouds",
            cover=point.cover / 100,
            # At a cover of 0 nothing is drawn for any kind.
            kind=next(iter(CLOUD_KINDS)) if point.kind == "clear" else point.kind,
            seed=seed,
            **simulation_settings(cfg),
        )
        changed.insert(_place(changed, "LoadRasters", cfg) + 1, clouds)
    if point.missing is not None:
        drop = dict(type="DropModality", modality=point.missing)
        changed.insert(_place(changed, "PackCloudSegInputs", cfg), drop)
    return changed


def _place(steps: Sequence[Mapping[str, Any]], name: str, cfg: Config) -> int:
    types = [type_name(step) for step in steps]
    if name not in types:
        raise ValueError(
            f"'{cfg.filename}': the test pipeline has no {name} (only {types}); add it, because "
            "clouds are drawn after LoadRasters and modalities removed before PackCloudSegInputs"
        )
    return types.index(name)
