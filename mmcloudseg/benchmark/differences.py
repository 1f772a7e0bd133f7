"""Which differences between methods hold: paired bootstrap over areas, ``differences.md``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from mmcloudseg.benchmark.paired_runs import stack_runs
from mmcloudseg.benchmark.results import MethodResult
from mmcloudseg.evaluation.bootstrap import PairedDifference, compare_methods
from mmcloudseg.utils.files import atomic_write

_DRAWS = 10_000
_FEW_AREAS = 20
_REGIONS = {"cloudy": "cloudy pixels", "all": "all pixels"}


def write_differences(
    folder: Path,
    results: Sequence[MethodResult],
    reference: str | None = None,
    draws: int = _DRAWS,
) -> list[str]:
    """Write ``differences.md``: every method against the best and against the reference.

    Args:
        folder: Where to.
        results: Methods, best first.
        reference: Key of the reference method.
        draws: Of the bootstrap.

    Returns:
        What could not be compared, a sentence each.
    """
    titles = {result.method.key: result.method.title for result in results}
    runs = {r.method.key: [run.arrays("confusion") for run in r.runs] for r in results}
    best = next((r.method.key for r in results if not r.method.bound), None)
    roles = dict.fromkeys((best, reference)) if len(results) > 1 else {}
    sections: list[str] = []
    notes = []
    areas = 0
    try:
        for region, words in _REGIONS.items():
            matrices, names = stack_runs(runs, region)
            for anchor in [key for key in roles if key in matrices and len(matrices) > 1]:
                found = compare_methods(matrices, names, draws=draws, reference=anchor)
                role = "the best" if anchor == best else "the reference"
                sections += ["", f"## mIoU on {words}, less {titles[anchor]} ({role})", ""]
                sections += _table(found, titles)
                areas = found[0].areas
    except ValueError as error:
        notes.append(f"Differences were not computed: {error}.")
        sections = []
    lines = ["# Which differences hold", "", _explained(areas, draws), *sections]
    if not sections:
        lines[2:] = notes or ["Nothing to compare: it takes two methods and their confusion.npz."]
    with atomic_write(folder / "differences.md") as temporary:
        temporary.write_text("\n".join(lines) + "\n")
    return notes


def _explained(areas: int, draws: int) -> str:
    text = (
        "Points of mIoU, mean over seeds; 95 % interval and p by a paired bootstrap over the "
        f"{areas} areas of the test set ({draws} draws), p corrected by Holm within each table. "
        "In bold what holds: corrected p below 0.05. It says how far a difference depends on the "
        "ground that was tested on, not what training again would give."
    )
    few = f" With fewer than {_FEW_AREAS} areas the intervals are too narrow."
    return text + (few if areas < _FEW_AREAS else "")


def _table(found: Sequence[PairedDifference], titles: Mapping[str, str]) -> list[str]:
    lines = [
        "| | difference | 95 % interval | p | p corrected |",
        "| :--- | ---: | ---: | ---: | ---: |",
    ]
    for pair in found:
        difference = f"{pair.difference:+.2f}"
        if pair.holds:
            difference = f"**{difference}**"
        lines.append(
            f"| {titles[pair.method]} | {difference} | {pair.low:+.2f} to {pair.high:+.2f} "
            f"| {pair.p_value:.4f} | {pair.p_holm:.4f} |"
        )
    return lines
