"""Which differences between methods are significant: paired bootstrap over areas.

Samples of one area show the same or neighbouring ground, so their errors are correlated, and areas
rather than samples are the independent units of a test set. Areas are drawn with replacement
(Efron and Tibshirani, 1993, chapter 16), the same ones for all methods, so that an area that is
hard for all methods does not hide the differences between them.

The score of a method in a draw is the mean over its seeds of the score from the summed confusion
matrices of each seed. Matrices are not summed over seeds: tables report the mean of scores, so
this is the difference of two table entries. Seeds are not drawn: intervals describe how the
difference between these trained networks varies with the areas tested, not how it would vary if
the networks were trained again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

METRICS = ("mIoU", "OA", "mFscore")
"""Scores that can be compared; ``aAcc`` is another name for ``OA``."""

LEVEL = 0.05
"""Level at which a difference is significant."""

_DECIMALS = 9
_CELLS_PER_CHUNK = 4_000_000


@dataclass(frozen=True)
class PairedDifference:
    """How much better ``method`` is than ``other``, in percentage points.

    Attributes:
        method: The method.
        other: The method that it is compared with.
        metric: The score that is compared.
        difference: Score of ``method`` minus score of ``other``, on the unchanged test set.
        low: Lower end of the 95 % percentile interval of the difference; NaN for fewer than two
            areas.
        high: Upper end of the interval.
        p_value: Twice the share of draws in which the difference does not have the sign of the
            majority, with one draw added so that it is never 0. At most 1, and at least
            2 / 2**areas, the p-value of a sign test if all areas agree, because the bootstrap
            underestimates the uncertainty from few areas. NaN for fewer than two areas.
        p_holm: The p-value after Holm's correction for all differences computed together.
        areas: Number of areas.
    """

    method: str
    other: str
    metric: str
    difference: float
    low: float
    high: float
    p_value: float
    p_holm: float
    areas: int

    @property
    def holds(self) -> bool:
        """Whether the difference is significant at the level of 5 %, after correction."""
        return self.p_holm < LEVEL


def compare_methods(
    matrices: Mapping[str, np.ndarray],
    areas: Sequence[str],
    draws: int = 10000,
    seed: int = 0,
    metric: str = "mIoU",
    reference: str | None = None,
) -> list[PairedDifference]:
    """Compare methods in pairs on the same samples.

    Intervals from few areas are too narrow: with fewer than about 20, read them as a lower bound
    of the uncertainty.

    Args:
        matrices: By method, S x n x K x K counts of one region, rows are labels; the number of
            seeds S may differ between methods. See ``stack_runs``.
        areas: Area of each of the n samples.
        draws: Number of draws; no p-value is below 2 / (draws + 1).
        seed: Seed of the draws.
        metric: One of ``METRICS``.
        reference: The method that all others are compared with (as ``other``); None for all pairs.

    Returns:
        A difference for each method except the reference, or for each pair, in the order of the
        methods.

    Raises:
        ValueError: If the metric or the reference is unknown, or the shapes are wrong.
    """
    if metric not in (*METRICS, "aAcc"):
        raise ValueError(f"metric must be one of {list(METRICS)}, found {metric!r}")
    if reference is not None and reference not in matrices:
        raise ValueError(f"reference: expected one of {list(matrices)}, found {reference!r}")
    _check_shapes(matrices, len(areas))
    if draws < 1:
        raise ValueError(f"draws must be at least 1, found {draws}")

    names, index = np.unique(np.asarray(areas, dtype=np.str_), return_inverse=True)
    by_area = {method: _sum_by_area(values, index) for method, values in matrices.items()}
    as_it_is = {m: _mean_scores(np.ones((1, len(names))), v, metric) for m, v in by_area.items()}
    drawn: dict[str, list[np.ndarray]] = {method: [] for method in by_area}
    for weights in _draw_weights(len(names), draws, seed):
        for method, values in by_area.items():
            drawn[method].append(_mean_scores(weights, values, metric))
    scores = {method: np.concatenate(values) for method, values in drawn.items()}

    if reference is None:
        pairs = list(combinations(matrices, 2))
    else:
        pairs = [(method, reference) for method in matrices if method != reference]
    found = [
        _difference(
            (method, other),
            metric,
            float((as_it_is[method] - as_it_is[other])[0]),
            scores[method] - scores[other],
            len(names),
        )
        for method, other in pairs
    ]
    corrected = holm([difference.p_value for difference in found])
    return [replace(d, p_holm=p) for d, p in zip(found, corrected, strict=True)]


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p-values for their number (Holm, 1979, Scand. J. Statist. 6, 65-70).

    Args:
        p_values: Any number of p-values; NaN stays NaN and does not count.

    Returns:
        Corrected values in the same order, at most 1. If those below a level are rejected, the
        chance of any false rejection is at most that level.
    """
    values = np.asarray(p_values, dtype=np.float64)
    corrected = np.full(len(values), np.nan)
    order = [i for i in np.argsort(values, kind="stable") if not np.isnan(values[i])]
    factors = np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(values[order] * factors), 1)
    return corrected.tolist()


def _difference(
    pair: tuple[str, str], metric: str, difference: float, drawn: np.ndarray, areas: int
) -> PairedDifference:
    # A draw without a pixel of the region has no score. Values are rounded because equal scores
    # that are summed in another order differ in their last digits.
    drawn = np.round(drawn[~np.isnan(drawn)], _DECIMALS)
    difference = round(difference, _DECIMALS)
    low = high = p_value = float("nan")
    if areas > 1 and drawn.size:
        low, high = np.percentile(drawn, [2.5, 97.5]).tolist()
        tails = [
            (np.count_nonzero(tail) + 1) / (drawn.size + 1) for tail in (drawn <= 0, drawn >= 0)
        ]
        p_value = float(min(max(2 * min(tails), 2.0 ** (1 - areas)), 1.0))
    return PairedDifference(*pair, metric, difference, low, high, p_value, p_value, areas)


def _draw_weights(areas: int, draws: int, seed: int) -> Iterator[np.ndarray]:
    """How often each area is in a draw, in chunks of draws x areas to limit memory."""
    generator = np.random.default_rng(seed)
    chunk = max(_CELLS_PER_CHUNK // areas, 1)
    for start in range(0, draws, chunk):
        size = min(chunk, draws - start)
        yield generator.multinomial(areas, np.full(areas, 1 / areas), size=size).astype(float)


def _sum_by_area(matrices: np.ndarray, index: np.ndarray) -> np.ndarray:
    """S x areas x K x K sums, float64: exact below 2**53 pixels."""
    seeds, _, size, _ = matrices.shape
    sums = np.zeros((seeds, index.max() + 1, size, size))
    # ``sums[:, area]`` for every sample, also where several samples share an area.
    np.add.at(sums.swapaxes(0, 1), index, matrices.swapaxes(0, 1))
    return sums


def _mean_scores(weights: np.ndarray, by_area: np.ndarray, metric: str) -> np.ndarray:
    """Mean over seeds of the score of each draw in percent; NaN for a draw without pixels."""
    size = by_area.shape[-1]
    scores = [
        _scores((weights @ values.reshape(len(values), -1)).reshape(-1, size, size), metric)
        for values in by_area
    ]
    return 100 * np.mean(scores, axis=0)


def _scores(matrices: np.ndarray, metric: str) -> np.ndarray:
    """Scores of many matrices at once, as ``scores_from_confusion`` defines them."""
    hits = np.diagonal(matrices, axis1=1, axis2=2)
    both = matrices.sum(axis=1) + matrices.sum(axis=2)
    with np.errstate(invalid="ignore", divide="ignore"):
        if metric in ("OA", "aAcc"):
            return hits.sum(axis=1) / matrices.sum(axis=(1, 2))
        by_class = hits / (both - hits) if metric == "mIoU" else 2 * hits / both
        defined = both > 0
        return np.where(defined, by_class, 0).sum(axis=1) / defined.sum(axis=1)


def _check_shapes(matrices: Mapping[str, np.ndarray], samples: int) -> None:
    if samples == 0:
        raise ValueError("areas: expected at least one sample to compare methods on, found none")
    sizes = {values.shape[-1] for values in matrices.values()}
    for method, values in matrices.items():
        fits = values.ndim == 4 and len(values) and values.shape[-2] == values.shape[-1]
        if not fits or len(sizes) > 1:
            raise ValueError(
                f"matrices of {method!r} are {values.shape}, expected seeds x samples x K x K "
                "with at least one seed and the same K for all methods, found K of "
                f"{sorted(sizes)}"
            )
        if values.shape[1] != samples:
            raise ValueError(
                f"matrices of {method!r} are of {values.shape[1]} samples, areas of {samples}: "
                "test all methods on the same samples"
            )
