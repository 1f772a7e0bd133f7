"""The comparison of real clouds with simulated ones, and its files."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from cloud_realism.comparison import (
    SampleComparison,
    Summary,
    comparison_table,
    percentile_of,
    summarise,
)
from cloud_realism.pairs import CloudPair, list_pairs, read_pair
from cloud_realism.plots import PicturePair, draw_cloud_comparison
from cloud_realism.simulation import ComparisonSettings, Simulator
from cloud_realism.statistics import CloudStatistics
from mmcloudseg.datasets.header_checks import evenly_spaced
from mmcloudseg.utils.errors import DataError
from mmcloudseg.utils.files import atomic_write, write_text

_MAX_PICTURES = 3

Task = tuple[int, str, int]
"""Place of the sample in the list, series and draw; the series is empty for the real image."""


@dataclass
class _Gathered:
    """What has been measured so far."""

    comparisons: list[SampleComparison] = field(default_factory=list)
    pictures: list[PicturePair] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def compare_clouds(
    datasets: Sequence[Mapping],
    out: str | Path,
    settings: ComparisonSettings | None = None,
    progress: Callable[[list[Task]], Iterable[Task]] = iter,
) -> Summary:
    """Compare real clouds with simulated ones; write clouds.json, clouds.md and clouds.png.

    Args:
        datasets: Dataset configs whose samples have a cloudy image, a clear image and a mask.
        out: Folder of the files; created if missing.
        settings: How clouds are simulated and measured.
        progress: Wraps the list of images to measure, as ``tqdm`` does.

    Returns:
        The summary, as ``summarise`` returns it.

    Raises:
        DataError: If the data cannot be compared; nothing is written then.
        ValueError: If the settings do not fit the data.
    """
    settings = settings or ComparisonSettings()
    samples, bands = list_pairs(datasets)
    samples = [samples[i] for i in evenly_spaced(len(samples), settings.max_samples)]
    simulator = Simulator(settings, bands)
    found = _gather(samples, simulator, progress)
    if not found.comparisons:
        raise DataError.from_problems("no sample can be compared", found.skipped)
    summary = summarise(found.comparisons)
    report = dict(
        settings=dict(
            kinds=list(settings.kinds),
            draws=settings.draws,
            seed=settings.seed,
            scale=settings.scale,
            white=settings.white,
            bands=dict(zip(bands, simulator.centres_um, strict=True)),
        ),
        summary=summary,
        samples=[_sample_report(comparison) for comparison in found.comparisons],
        skipped=found.skipped,
    )
    picture = draw_cloud_comparison(found.comparisons, summary, bands, found.pictures)
    out = Path(out)
    numbers = json.dumps(_without_nan(report), indent=1, allow_nan=False)
    write_text(out / "clouds.json", numbers + "\n")
    write_text(out / "clouds.md", _markdown(found, summary, settings.draws))
    with atomic_write(out / "clouds.png") as temporary:
        Image.fromarray(picture).save(temporary, format="PNG")
    return summary


def _gather(
    samples: Sequence[Mapping],
    simulator: Simulator,
    progress: Callable[[list[Task]], Iterable[Task]],
) -> _Gathered:
    settings = simulator.settings
    series = settings.series()
    per_sample = [("", 0), *((s, i) for s in series for i in range(settings.draws))]
    tasks = [(index, *task) for index in range(len(samples)) for task in per_sample]
    shown = set(evenly_spaced(len(samples), _MAX_PICTURES))
    found = _Gathered()
    current: tuple[CloudPair, dict[str, list[CloudStatistics]]] | None = None
    for index, name, draw in progress(tasks):
        if name and current is not None:
            pair, simulated = current
            clouds = simulator.simulate(pair, *series[name], settings.seed + draw)
            simulated[name].append(simulator.statistics(pair, clouds.image, clouds.mask))
        elif not name:
            current = None
            try:
                pair = read_pair(samples[index], settings.gsd_m)
            except DataError as error:
                found.skipped.append(str(error))
                continue
            current = pair, {name: [] for name in series}
            real = simulator.statistics(pair, pair.cloudy, pair.mask)
            found.comparisons.append(SampleComparison(pair.name, real, current[1], pair.gsd_m))
            if index in shown:
                found.pictures.append(simulator.pictures(pair))
    return found


def _sample_report(sample: SampleComparison) -> dict[str, Any]:
    real = sample.real
    simulated = {}
    for series, draws in sample.simulated.items():
        values = {name: [draw.values[name] for draw in draws] for name in real.values}
        places = {name: percentile_of(real.values[name], values[name]) for name in values}
        simulated[series] = {**values, "curves": [*map(_curves, draws)], "percentile": places}
    return dict(
        name=sample.name,
        gsd_m=sample.gsd_m,
        real={**real.values, **_curves(real)},
        simulated=simulated,
    )


def _curves(found: CloudStatistics) -> dict[str, list[float]]:
    return dict(
        wavelengths_m=found.wavelengths_m.tolist(),
        power=found.power.tolist(),
        patch_diameters_m=found.diameters_m.tolist(),
    )


def _markdown(found: _Gathered, summary: Summary, draws: int) -> str:
    lines = [
        "# Real and simulated clouds",
        "",
        f"{len(found.comparisons)} real images; {draws} simulated images of each series over each "
        "clear image, at the same cloud cover.",
        "",
        comparison_table(summary),
    ]
    if found.skipped:
        reasons = [f"- {reason}" for reason in found.skipped]
        lines += [f"Not compared ({len(reasons)}):", "", *reasons, ""]
    return "\n".join(lines)


def _without_nan(content: Any) -> Any:
    """The content with None in place of NaN and infinity, which JSON does not have."""
    if isinstance(content, Mapping):
        return {key: _without_nan(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_without_nan(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content
