"""The points of a robustness curve, and the test pipeline of each."""

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

CLEAR = "clear"
_LOADER, _SIMULATION, _PACKING = "LoadRasters", "SimulateClouds", "PackCloudSegInputs"


@dataclass(frozen=True)
class RobustnessSettings:
    """What to measure.

    Attributes:
        covers: Shares of cloudy pixels in percent, rising; none to leave simulated clouds out.
        kinds: Names of ``CLOUD_KINDS``; none to leave simulated clouds out.
        missing: Modalities to take away under the set's own clouds, one at a time.
        seed: Of the simulated clouds.

    Raises:
        ValueError: If one of them is unknown or out of range, or there is nothing to measure.
    """

    covers: Sequence[float] = tuple(range(0, 101, 10))
    kinds: Sequence[str] = ("thick", "thin", "fog")
    missing: Sequence[str] = MODALITIES
    seed: int = 0

    def __post_init__(self) -> None:
        if any(not 0 <= cover <= 100 for cover in self.covers):
            raise ValueError(f"covers: expected percent from 0 to 100, found {list(self.covers)}")
        for name, found, known in (
            ("kinds", self.kinds, CLOUD_KINDS),
            ("missing", self.missing, MODALITIES),
        ):
            unknown = [entry for entry in found if entry not in known]
            if unknown:
                raise ValueError(f"{name}: expected some of {list(known)}, found {unknown}")
        # No clouds to simulate: neither of the two asks for any.
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
        kind: Of the simulated clouds, ``clear`` where none is drawn; None for the set's own.
        cover: Of the simulated clouds in percent.
        missing: The modality that is taken away.
    """

    kind: str | None = None
    cover: float = 0.0
    missing: str | None = None

    @classmethod
    def under(cls, kind: str, cover: float) -> Point:
        """Simulated clouds; those of a cover of 0 are the same for all kinds."""
        return cls(kind=kind if cover else CLEAR, cover=cover)

    def __str__(self) -> str:
        if self.missing is not None:
            return MISSING_TITLES[self.missing]
        return OWN_CLOUDS if self.kind is None else f"{self.kind} {self.cover:g} %"


def list_points(settings: RobustnessSettings) -> list[Point]:
    """Every pass once, simulated clouds first.

    Without a modality there is also one pass with both, to compare with.
    """
    simulated = [Point.under(kind, cover) for kind in settings.kinds for cover in settings.covers]
    missing = [Point(missing=name) for name in settings.missing]
    return list(dict.fromkeys([*simulated, *([Point()] if missing else []), *missing]))


def simulation_settings(cfg: Config) -> dict[str, Any]:
    """How clouds look to the config's sensor: the arguments of ``SimulateClouds``.

    Raises:
        ValueError: If the config does not say.
    """
    found = cfg.get("simulated_clouds")
    if not isinstance(found, Mapping):
        raise ValueError(
            f"'{cfg.filename}' has no `simulated_clouds`, which says how clouds look to its "
            "sensor: add simulated_clouds = dict(type='SimulateClouds', gsd_m=…, "
            "wavelengths_um=[…]) to it, as in configs/_base_/datasets/m3mcr.py, or leave "
            "simulated clouds out by --kinds without a name"
        )
    chosen = {"gsd_m", "wavelengths_um", "white", "scale", "threshold", "octaves"}
    return {key: copy.deepcopy(value) for key, value in found.items() if key in chosen}


def pipeline_of(
    steps: Sequence[Mapping[str, Any]], point: Point, cfg: Config, seed: int
) -> list[dict[str, Any]]:
    """The test pipeline of one point.

    Args:
        steps: The config's own test pipeline.
        point: What to measure.
        cfg: The config, for ``simulated_clouds``.
        seed: Of simulated clouds.

    Raises:
        ValueError: If the pipeline does not load or pack as ours do.
    """
    steps = [copy.deepcopy(dict(step)) for step in steps]
    if point.kind is not None:
        steps = [step for step in steps if type_name(step) != _SIMULATION]
        clouds = dict(
            type=_SIMULATION,
            cover=point.cover / 100,
            # At a cover of 0 nothing is drawn, whatever the kind.
            kind=next(iter(CLOUD_KINDS)) if point.kind == CLEAR else point.kind,
            seed=seed,
            **simulation_settings(cfg),
        )
        steps.insert(_place(steps, _LOADER, cfg) + 1, clouds)
    if point.missing is not None:
        steps.insert(
            _place(steps, _PACKING, cfg), dict(type="DropModality", modality=point.missing)
        )
    return steps


def _place(steps: Sequence[Mapping[str, Any]], name: str, cfg: Config) -> int:
    types = [type_name(step) for step in steps]
    if name not in types:
        raise ValueError(
            f"'{cfg.filename}': the test pipeline has no {name} (only {types}), beside which "
            "clouds are drawn or a modality is taken away: use it there"
        )
    return types.index(name)
