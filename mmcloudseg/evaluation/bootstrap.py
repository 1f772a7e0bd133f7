"""Which differences between methods are significant: paired bootstrap over areas.

Samples of one area show the same or neighbouring ground, so their errors are correlated, and areas
rather than samples are the independent units of a test set. Areas are drawn with replacement
(Efron and Tibshirani, 1993, chapter 16), the same ones for all methods, so that an area that is
hard for all methods does not hide the differences between them.

The score of a method in a draw is the mean over its seeds of the mIoU from the summed confusion
matrices of each seed. Matrices are not summed over seeds: tables report the mean of scores, so
this is the difference of two table entries. Seeds are not drawn: intervals describe how the
difference between these trained networks varies with the areas tested, not how it would vary if
the networks were trained again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

DRAWS = 10_000
"""Number of draws; no p-value is below 2 / (``DRAWS`` + 1)."""

_LEVEL = 0.05
_SEED, _DECIMALS = 0, 9
_CELLS_PER_CHUNK = 4_000_000


@dataclass(frozen=True)
class PairedDifference:
    """How much better a method is than the reference, in percentage points of mIoU.

    Attributes:
        method: The method.
        difference: Its score minus that of the reference, on the unchanged test set.
        low: Lower end of the 95 % percentile interval of the difference; NaN for fewer than two
            areas.
        high: Upper end of the interval.
        p_value: Twice the share of draws in which the difference does not have the sign of the
            majority, with one draw added so that it is never 0. At most 1, and at least
            2 / 2**areas, the p-value of a sign test if all areas agree, because the bootstrap
            underestimates the uncertainty from few areas. NaN for fewer than two areas.
        p_holm: The p-value after Holm's correction for all differences computed together.
    """

    method: str
    difference: float
    low: float
    high: float
    p_value: float
    p_holm: float

    @property
    def holds(self) -> bool:
        """Whether the difference is significant at the level of 5 %, after correction."""
        return self.p_holm < _LEVEL


def compare_methods(
    matrices: Mapping[str, np.ndarray], areas: Sequence[str], reference: str
) -> list[PairedDifference]:
    """Compare methods with a reference on the same samples.

    Intervals from few areas are too narrow: with fewer than about 20, read them as a lower bound
    of the uncertainty.

    Args:
        matrices: By method, S x n x K x K counts of one region, rows are labels; the number of
            seeds S may differ between methods. See ``stack_runs``.
        areas: Area of each of the n samples, at least one.
        reference: The method that all others are compared with.

    Returns:
        A difference for each method except the reference, in the order of the methods.

    Raises:
        ValueError: If the reference is unknown, or the shapes do not fit together.
    """
    if reference not in matrices:
        raise ValueError(f"reference: expected one of {list(matrices)}, found {reference!r}")
    expected = (len(areas), *matrices[reference].shape[2:])
    for method, values in matrices.items():
        if values.shape[1:] != expected:
            raise ValueError(
                f"matrices of {method!r} are {values.shape}, expected seeds x {expected}: test "
                "all methods on the same samples and classes"
            )
    names, index = np.unique(np.asarray(areas, dtype=np.str_), return_inverse=True)
    by_area = {method: _sum_by_area(values, index) for method, values in matrices.items()}
    as_it_is = {m: _mean_iou(np.ones((1, len(names))), v)[0] for m, v in by_area.items()}
    drawn: dict[str, list[np.ndarray]] = {method: [] for method in by_area}
    for weights in _draw_weights(len(names)):
        for method, values in by_area.items():
            drawn[method].append(_mean_iou(weights, values))
    scores = {method: np.concatenate(values) for method, values in drawn.items()}
    found = []
    for method in matrices:
        if method != reference:
            difference = float(as_it_is[method] - as_it_is[reference])
            of_draws = scores[method] - scores[reference]
            found.append(_difference(method, difference, of_draws, len(names)))
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


def _difference(method: str, difference: float, drawn: np.ndarray, areas: int) -> PairedDifference:
    # A draw without a pixel of the region has no score. Values are rounded because equal scores
    # that are summed in another order differ in their last digits.
    drawn = np.round(drawn[~np.isnan(drawn)], _DECIMALS)
    low = high = p_value = float("nan")
    if areas > 1 and drawn.size:
        low, high = np.percentile(drawn, [2.5, 97.5]).tolist()
        tails = [(np.count_nonzero(t) + 1) / (drawn.size + 1) for t in (drawn <= 0, drawn >= 0)]
        p_value = float(min(max(2 * min(tails), 2.0 ** (1 - areas)), 1.0))
    return PairedDifference(method, round(difference, _DECIMALS), low, high, p_value, p_value)


def _draw_weights(areas: int) -> Iterator[np.ndarray]:
    """How often each area is in a draw, in chunks of draws x areas to limit memory."""
    generator = np.random.default_rng(_SEED)
    chunk = max(_CELLS_PER_CHUNK // areas, 1)
    for start in range(0, DRAWS, chunk):
        size = min(chunk, DRAWS - start)
        yield generator.multinomial(areas, np.full(areas, 1 / areas), size=size).astype(float)


def _sum_by_area(matrices: np.ndarray, index: np.ndarray) -> np.ndarray:
    """S x areas x K x K sums, float64: exact below 2**53 pixels."""
    seeds, _, size, _ = matrices.shape
    sums = np.zeros((seeds, index.max() + 1, size, size))
    # ``sums[:, area]`` for every sample, also where several samples share an area.
    np.add.at(sums.swapaxes(0, 1), index, matrices.swapaxes(0, 1))
    return sums


def _mean_iou(weights: np.ndarray, by_area: np.ndarray) -> np.ndarray:
    """Mean over seeds of the mIoU of each draw in percent; NaN for a draw without pixels."""
    size = by_area.shape[-1]
    scores = []
    for values in by_area:
        counts = (weights @ values.reshape(len(values), -1)).reshape(-1, size, size)
        hits = np.diagonal(counts, axis1=1, axis2=2)
        union = counts.sum(axis=1) + counts.sum(axis=2) - hits
        with np.errstate(invalid="ignore", divide="ignore"):
            scores.append(np.nansum(hits / union, axis=1) / (union > 0).sum(axis=1))
    return 100 * np.mean(scores, axis=0)
