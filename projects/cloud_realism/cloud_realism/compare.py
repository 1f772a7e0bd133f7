"""Comparing real clouds with simulated ones over the same clear images."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from cloud_realism.comparison import (
    SampleComparison,
    Summary,
    comparison_table,
    percentile_of,
    summarise,
)
from cloud_realism.pairs import (
    CloudPair,
    band_centres_um,
    list_pairs,
    read_pair,
)
from cloud_realism.plots import PicturePair, draw_cloud_comparison
from cloud_realism.statistics import CloudStatistics, cloud_statistics
from mmcloudseg.clouds import (
    CLOUD_KINDS,
    KIND_ODDS,
    CloudSettings,
    SimulatedClouds,
    simulate_clouds,
)
from mmcloudseg.datasets.header_checks import evenly_spaced
from mmcloudseg.utils.errors import DataError
from mmcloudseg.utils.files import atomic_write

DEFAULT_MIX = "default"
"""Name of the series that draws kinds by the simulation's own odds."""
REAL_MASK = "real mask"

_MAX_PICTURES = 3
_LONGEST_VISIBLE_UM = 0.7

Task = tuple[int, str, int]


@dataclass(frozen=True)
class ComparisonSettings:
    """How clouds are drawn and measured.

    Attributes:
        kinds: Series to draw: ``default``, the simulation's own mix, or names of kinds.
        draws: Simulated images for each real one in each series.
        seed: Of the first draw; the others count up.
        real_masks: Draw each series again in the place and shape of the real mask.
        max_samples: Most samples to take, evenly spaced.
        gsd_m: Side of a pixel in metres; None takes the images' own.
        wavelengths_um: Band centres in micrometres; None goes by the bands' names.
        scale: Image value of a reflectance of 1.
        white: Image value of an opaque cloud, for all bands or each; None leaves it to the
            simulation.
    """

    kinds: Sequence[str] = (DEFAULT_MIX,)
    draws: int = 20
    seed: int = 0
    real_masks: bool = False
    max_samples: int = 30
    gsd_m: float | None = None
    wavelengths_um: Sequence[float] | None = None
    scale: float = 10_000.0
    white: Sequence[float] | None = None

    def __post_init__(self) -> None:
        unknown = [kind for kind in self.kinds if kind not in (DEFAULT_MIX, *CLOUD_KINDS)]
        if unknown or not self.kinds:
            raise ValueError(
                f"kinds: expected some of {[DEFAULT_MIX, *CLOUD_KINDS]}, found {unknown or 'none'}"
            )

    def series(self) -> dict[str, tuple[str | Mapping[str, float], bool]]:
        """Series' name -> kind or odds, and whether it takes the real mask."""
        chosen = dict.fromkeys(self.kinds)
        odds = {k: KIND_ODDS if k == DEFAULT_MIX else k for k in chosen}
        plain = {k: (odd, False) for k, odd in odds.items()}
        masked = {f"{k}, {REAL_MASK}": (odd, True) for k, odd in odds.items()}
        return {**plain, **masked} if self.real_masks else plain


@dataclass
class _Gathered:
    """What has been measured so far, by the sample's place in the list."""

    names: dict[int, str] = field(default_factory=dict)
    gsd_m: dict[int, float] = field(default_factory=dict)
    real: dict[int, CloudStatistics] = field(default_factory=dict)
    simulated: dict[int, dict[str, list[CloudStatistics]]] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    pictures: list[PicturePair] = field(default_factory=list)

    def comparisons(self) -> list[SampleComparison]:
        return [
            SampleComparison(self.names[i], self.real[i], self.simulated[i]) for i in self.real
        ]


def compare_clouds(
    datasets: Sequence[Mapping],
    out: str | Path,
    settings: ComparisonSettings | None = None,
    progress: Callable[[list[Task]], Iterable[Task]] = iter,
) -> Summary:
    """Compare real clouds with simulated ones; write clouds.json, clouds.md and clouds.png.

    Args:
        datasets: Dataset configs whose samples have a cloudy and a clear image and a mask.
        out: Folder to write to; made if missing.
        settings: How clouds are drawn and measured.
        progress: Wraps the list of images to measure, as ``tqdm`` does.

    Returns:
        The summary, as ``summarise`` gives it.

    Raises:
        DataError: If the data cannot be compared; nothing is written then.
        ValueError: If settings do not fit the data.
    """
    settings = settings or ComparisonSettings()
    samples, bands = list_pairs(datasets)
    samples = [samples[i] for i in evenly_spaced(len(samples), settings.max_samples)]
    centres_um = tuple(settings.wavelengths_um or band_centres_um(bands))
    if len(centres_um) != len(bands):
        raise ValueError(
            f"wavelengths: expected the centres of the {len(bands)} bands {', '.join(bands)}, "
            f"found {len(centres_um)}"
        )
    gathered = _gather(samples, _Measure(settings, bands, centres_um), progress)
    if not gathered.real:
        raise DataError.from_problems("no sample can be compared", gathered.skipped)
    comparisons = gathered.comparisons()
    summary = summarise(comparisons)
    report = _report(settings, bands, centres_um, gathered, summary)
    text = _markdown(comparisons, summary, settings, gathered.skipped)
    picture = draw_cloud_comparison(comparisons, summary, bands, gathered.pictures)
    _write(Path(out), report, text, picture)
    return summary


class _Measure:
    """Simulates and measures in the units of one set of bands."""

    def __init__(
        self, settings: ComparisonSettings, bands: Sequence[str], centres_um: Sequence[float]
    ) -> None:
        self.settings, self.bands, self.centres_um = settings, bands, centres_um
        short = [i for i, um in enumerate(centres_um) if um <= _LONGEST_VISIBLE_UM]
        self.visible = short or list(range(len(bands)))
        # Red, green and blue for pictures: the bands nearest to them.
        self.rgb = [int(np.argmin(np.abs(np.array(centres_um) - um))) for um in (0.66, 0.56, 0.48)]

    def statistics(self, pair: CloudPair, cloudy: np.ndarray, mask: np.ndarray) -> CloudStatistics:
        """Statistics in reflectance."""
        clear, cloudy = (x.astype(np.float64) / self.settings.scale for x in (pair.clear, cloudy))
        return cloud_statistics(clear, cloudy, mask, pair.gsd_m, self.bands, self.visible)

    def simulate(
        self, pair: CloudPair, kind: str | Mapping[str, float], real_mask: bool, seed: int
    ) -> SimulatedClouds:
        """Clouds over the pair's clear image, at its cover or in its mask."""
        white = self.settings.white
        if white is not None:
            white = list(white) if len(white) > 1 else white[0]
        clouds = CloudSettings(
            gsd_m=pair.gsd_m,
            wavelengths_um=self.centres_um,
            cover=float(pair.mask.mean()),
            kind=kind,
            white=white,
            scale=self.settings.scale,
        )
        mask = pair.mask if real_mask else None
        return simulate_clouds(pair.clear, clouds, name=pair.name, seed=seed, mask=mask)

    def pictures(self, pair: CloudPair) -> PicturePair:
        """What the picture shows of a pair: every kind, whichever are measured."""
        seed = self.settings.seed
        transplanted = self.simulate(pair, KIND_ODDS, True, seed)
        images = {f"simulated, {REAL_MASK}": transplanted.image} | {
            f"simulated, {kind}": self.simulate(pair, kind, False, seed).image
            for kind in CLOUD_KINDS
        }
        chosen = {title: image[self.rgb] for title, image in images.items()}
        return PicturePair(
            pair.name, pair.clear[self.rgb], pair.cloudy[self.rgb], pair.mask, chosen
        )


def _gather(
    samples: Sequence[Mapping],
    measure: _Measure,
    progress: Callable[[list[Task]], Iterable[Task]],
) -> _Gathered:
    settings = measure.settings
    series = settings.series()
    per_sample = [("", 0), *((s, i) for s in series for i in range(settings.draws))]
    tasks = [(index, *task) for index in range(len(samples)) for task in per_sample]
    shown = set(evenly_spaced(len(samples), _MAX_PICTURES))
    gathered, pair = _Gathered(), None
    for index, name, draw in progress(tasks):
        if not name:
            pair = _read_or_skip(samples[index], settings, gathered)
        if pair is None:
            continue
        if not name:
            gathered.names[index], gathered.gsd_m[index] = pair.name, pair.gsd_m
            gathered.real[index] = measure.statistics(pair, pair.cloudy, pair.mask)
            gathered.simulated[index] = {name: [] for name in series}
            if index in shown:
                gathered.pictures.append(measure.pictures(pair))
        else:
            clouds = measure.simulate(pair, *series[name], settings.seed + draw)
            found = measure.statistics(pair, clouds.image, clouds.mask)
            gathered.simulated[index][name].append(found)
    return gathered


def _read_or_skip(
    sample: Mapping, settings: ComparisonSettings, gathered: _Gathered
) -> CloudPair | None:
    try:
        return read_pair(sample, settings.gsd_m)
    except DataError as error:
        gathered.skipped.append(str(error))
        return None


def _report(
    settings: ComparisonSettings,
    bands: Sequence[str],
    centres_um: Sequence[float],
    gathered: _Gathered,
    summary: Summary,
) -> dict[str, Any]:
    def curves(found: CloudStatistics) -> dict[str, list[float]]:
        return dict(
            wavelengths_m=found.wavelengths_m.tolist(),
            power=found.power.tolist(),
            patch_diameters_m=found.diameters_m.tolist(),
        )

    listed = [
        dict(
            name=gathered.names[index],
            gsd_m=gathered.gsd_m[index],
            real={**real.values, **curves(real)},
            simulated={
                series: {
                    **{name: [d.values[name] for d in draws] for name in real.values},
                    "curves": [curves(d) for d in draws],
                    "percentile": {
                        name: percentile_of(value, [d.values[name] for d in draws])
                        for name, value in real.values.items()
                    },
                }
                for series, draws in gathered.simulated[index].items()
            },
        )
        for index, real in gathered.real.items()
    ]
    recipe = dict(
        kinds=list(settings.kinds),
        draws=settings.draws,
        seed=settings.seed,
        scale=settings.scale,
        white=settings.white,
        bands=dict(zip(bands, centres_um, strict=True)),
    )
    return dict(settings=recipe, summary=summary, samples=listed, skipped=gathered.skipped)


def _markdown(
    comparisons: Sequence[SampleComparison],
    summary: Summary,
    settings: ComparisonSettings,
    skipped: Sequence[str],
) -> str:
    lines = [
        "# Real and simulated clouds",
        "",
        f"{len(comparisons)} real images; {settings.draws} simulated ones of each series over "
        "each clear image, at its cloud cover.",
        "",
        comparison_table(summary),
    ]
    if skipped:
        lines += [
            f"Not compared ({len(skipped)}):",
            "",
            *(f"- {reason}" for reason in skipped),
            "",
        ]
    return "\n".join(lines)


def _write(out: Path, report: Mapping[str, Any], text: str, picture: np.ndarray) -> None:
    with atomic_write(out / "clouds.json") as temporary:
        numbers = json.dumps(_without_nan(report), indent=1, allow_nan=False)
        temporary.write_text(numbers + "\n", "utf-8")
    with atomic_write(out / "clouds.md") as temporary:
        temporary.write_text(text, "utf-8")
    with atomic_write(out / "clouds.png") as temporary:
        Image.fromarray(picture).save(temporary, format="PNG")


def _without_nan(content: Any) -> Any:
    """The same with None for nan and infinity, which JSON lacks."""
    if isinstance(content, Mapping):
        return {key: _without_nan(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_without_nan(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content
