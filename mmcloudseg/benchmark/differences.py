"""Which differences between methods are significant: ``differences.md``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from mmcloudseg.benchmark.results import MethodResult
from mmcloudseg.evaluation.bootstrap import DRAWS, PairedDifference, compare_methods
from mmcloudseg.evaluation.confusion import REGIONS
from mmcloudseg.utils.files import write_text
from mmcloudseg.utils.text import markdown_table, shorten_list

_Tested = tuple[str, list[str], list[str], list[str]]  # method, names, areas, classes of a run


def write_differences(
    folder: Path, results: Sequence[MethodResult], reference: str | None = None
) -> list[str]:
    """Write ``differences.md``: every method against the best, the first, and the reference.

    Returns:
        What could not be compared, in one sentence each.
    """
    notes: list[str] = []
    try:
        parts = _sections(results, reference)
    except ValueError as error:
        parts = notes = [f"Differences were not computed: {error}."]
    parts = parts or ["Nothing to compare: this needs two methods with a confusion.npz."]
    text = "\n\n".join(["# Which differences hold", *parts])
    write_text(folder / "differences.md", text + "\n")
    return notes


def _sections(results: Sequence[MethodResult], reference: str | None) -> list[str]:
    """The explanation, headings and tables; empty if there is nothing to compare."""
    titles = {result.method.key: result.method.title for result in results}
    runs = {r.method.key: [run.confusion() for run in r.runs] for r in results}
    best = next((r.method.key for r in results if not r.method.bound), None)
    sections: list[str] = []
    for region in ("cloudy", "all"):
        matrices, areas = stack_runs(runs, region)
        if len(matrices) < 2:
            continue
        for anchor in dict.fromkeys((best, reference)):
            if anchor not in matrices:
                continue
            role = "the best" if anchor == best else "the reference"
            sections = sections or [_explanation(len(set(areas)))]
            sections.append(f"## mIoU on {region} pixels, less {titles[anchor]} ({role})")
            sections.append(_table(compare_methods(matrices, areas, anchor), titles))
    return sections


def _explanation(areas: int) -> str:
    text = (
        "This page shows the differences in mIoU between methods and which of them are "
        "significant. Differences are in points of mIoU, averaged over seeds. The 95 % intervals "
        f"and p-values come from a paired bootstrap over the {areas} areas of the test set "
        f"({DRAWS} draws), with Holm's correction of the p-values within each table. Differences "
        "with a corrected p-value below 0.05 are in bold. The bootstrap describes how a "
        "difference depends on the areas tested, not how it would vary if the models were "
        "trained again."
    )
    few = " With fewer than 20 areas, the intervals are too narrow."
    return text + (few if areas < 20 else "")


def _table(found: Iterable[PairedDifference], titles: Mapping[str, str]) -> str:
    rows = []
    for pair in found:
        bold = "**" if pair.holds else ""
        difference = f"{bold}{pair.difference:+.2f}{bold}"
        interval = f"{pair.low:+.2f} to {pair.high:+.2f}"
        p_values = f"{pair.p_value:.4f}", f"{pair.p_holm:.4f}"
        rows.append([titles[pair.method], difference, interval, *p_values])
    return markdown_table(["", "difference", "95 % interval", "p", "p corrected"], rows)


def stack_runs(
    runs: Mapping[str, Sequence[Mapping[str, np.ndarray] | None]], region: str = "all"
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Bring the runs of methods into the order that ``compare_methods`` takes.

    Args:
        runs: By method, the arrays of the ``confusion.npz`` of each seed; None for a missing seed.
        region: One of ``REGIONS``.

    Returns:
        By method, S x n x K x K matrices of the S available seeds, with samples in the order of
        their names (methods without any seed are left out); and the areas of the n samples.

    Raises:
        ValueError: If runs differ in their samples, areas or classes.
    """
    stacked: dict[str, np.ndarray] = {}
    first: _Tested | None = None
    for method, seeds in runs.items():
        sorted_runs = []
        for run in filter(None, seeds):
            order = np.argsort(run["names"], kind="stable")
            names, areas = (run[key][order].tolist() for key in ("names", "areas"))
            found = (method, names, areas, run["classes"].tolist())
            first = first or found
            _check_same(first, found)
            sorted_runs.append(run["matrices"][order, REGIONS.index(region)])
        if sorted_runs:
            stacked[method] = np.stack(sorted_runs)
    return stacked, [] if first is None else first[2]


def _check_same(first: _Tested, found: _Tested) -> None:
    method, names, areas, classes = first
    other, other_names, other_areas, other_classes = found
    both = f"{method!r} and a run of {other!r}"
    if repeated := [name for name, count in Counter(other_names).items() if count > 1]:
        raise ValueError(f"a run of {other!r} has several samples named {shorten_list(repeated)}")
    if differing := sorted({*names} ^ {*other_names}):
        raise ValueError(
            f"{both} were not tested on the same samples; only one of them has "
            f"{shorten_list(differing)}. Test them again on the same list."
        )
    if moved := [name for name, a, b in zip(names, areas, other_areas, strict=True) if a != b]:
        raise ValueError(
            f"{both} assign samples to different areas: {shorten_list(moved)}. Test them again "
            "with the same dataset class."
        )
    if classes != other_classes:
        raise ValueError(
            f"{method!r} has the classes {classes}, a run of {other!r} {other_classes}. Compare "
            "methods with the same classes only."
        )
