"""Runs of several methods on the same samples, in one order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mmcloudseg.evaluation.confusion import REGIONS


def stack_runs(
    runs: Mapping[str, Sequence[Mapping[str, np.ndarray] | None]], region: str = "all"
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Bring the runs of methods into the order that ``compare_methods`` takes.

    Args:
        runs: By method, the arrays of each seed's ``confusion.npz``; None for a missing seed.
        region: ``'all'``, ``'cloud_free'`` or ``'cloudy'``.

    Returns:
        By method, S x n x K x K matrices of the S seeds that there are (methods without any are
        left out), samples in the order of their names; and the areas of the n samples.

    Raises:
        ValueError: If the region is unknown, or runs differ in their samples, areas or classes.
    """
    if region not in REGIONS:
        raise ValueError(f"region must be one of {list(REGIONS)}, found {region!r}")
    stacked: dict[str, np.ndarray] = {}
    first: tuple[str, np.ndarray, np.ndarray, np.ndarray] | None = None
    for method, seeds in runs.items():
        sorted_runs = []
        for run in seeds:
            if run is None:
                continue
            order = np.argsort(run["names"], kind="stable")
            found = (method, run["names"][order], run["areas"][order], run["classes"])
            first = first or found
            _check_same(first, found)
            sorted_runs.append(run["matrices"][order, REGIONS.index(region)])
        if sorted_runs:
            stacked[method] = np.stack(sorted_runs)
    return stacked, [] if first is None else first[2].tolist()


def _check_same(
    first: tuple[str, np.ndarray, np.ndarray, np.ndarray],
    found: tuple[str, np.ndarray, np.ndarray, np.ndarray],
) -> None:
    (method, names, areas, classes), (other, their_names, their_areas, their_classes) = (
        first,
        found,
    )
    if len(set(their_names.tolist())) < len(their_names):
        raise ValueError(
            f"a run of {other!r} has samples of the same name: {_shown(_repeated(their_names))}"
        )
    if names.tolist() != their_names.tolist():
        differing = set(names.tolist()) ^ set(their_names.tolist())
        raise ValueError(
            f"{method!r} and a run of {other!r} were not tested on the same samples: only one has "
            f"{_shown(differing)}. Test them again on the same list."
        )
    if areas.tolist() != their_areas.tolist():
        differing = set(names[areas != their_areas].tolist())
        raise ValueError(
            f"{method!r} and a run of {other!r} place samples in different areas: "
            f"{_shown(differing)}. Test them again with the same dataset class."
        )
    if classes.tolist() != their_classes.tolist():
        raise ValueError(
            f"{method!r} has the classes {classes.tolist()}, a run of {other!r} "
            f"{their_classes.tolist()}: only methods with the same classes compare"
        )


def _repeated(names: np.ndarray) -> set[str]:
    values, counts = np.unique(names, return_counts=True)
    return set(values[counts > 1].tolist())


def _shown(names: set[str], most: int = 5) -> str:
    shown = ", ".join(sorted(names)[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")
