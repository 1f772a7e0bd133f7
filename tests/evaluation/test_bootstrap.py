"""Paired bootstrap over areas: known differences, pairing, the unit, and what is refused."""

import math

import numpy as np
import pytest

from mmcloudseg.evaluation import bootstrap
from mmcloudseg.evaluation.bootstrap import compare_methods, holm
from mmcloudseg.evaluation.confusion import scores_from_confusion


def binary(ious, pixels=1000):
    """Samples x 2 x 2 matrices of balanced labels, both classes with these IoUs."""
    ious = np.asarray(ious)
    right = np.round(2 * ious / (1 + ious) * pixels / 2).astype(np.int64)
    wrong = pixels // 2 - right
    return np.stack([np.stack([right, wrong], -1), np.stack([wrong, right], -1)], -2)


def spread_of(difference):
    return difference.high - difference.low


def test_difference_is_that_of_the_mean_scores():
    rng = np.random.default_rng(0)
    runs = {m: rng.integers(0, 100, (s, 8, 4, 4)) for m, s in (("a", 3), ("b", 2))}
    areas = list("aabbccdd")
    (found,) = compare_methods(runs, areas, "b")
    mean = {
        m: np.mean([scores_from_confusion(r.sum(axis=0)).mean_iou for r in seeds])
        for m, seeds in runs.items()
    }
    assert found.difference == pytest.approx(100 * (mean["a"] - mean["b"]), abs=1e-8)
    assert found.method == "a"


def test_intervals_are_those_of_a_plain_loop():
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 50, (2, 1, 6, 3, 3))
    areas = ["x", "y", "y", "z", "w", "w"]
    (found,) = compare_methods(dict(a=a, b=b), areas, "b")
    names = sorted(set(areas))
    members = {name: [i for i, area in enumerate(areas) if area == name] for name in names}
    drawn = []
    for _ in range(4000):
        chosen = [i for name in rng.choice(names, len(names)) for i in members[name]]
        scores = [scores_from_confusion(m[0, chosen].sum(axis=0)).mean_iou for m in (a, b)]
        drawn.append(100 * (scores[0] - scores[1]))
    expected = np.percentile(drawn, [2.5, 97.5])
    assert [found.low, found.high] == pytest.approx(expected, abs=0.15 * np.ptp(expected))


def test_known_difference_holds():
    rng = np.random.default_rng(0)
    base = rng.uniform(0.5, 0.8, 20)
    runs = dict(good=binary(base + rng.normal(0.1, 0.02, 20))[None], bad=binary(base)[None])
    (found,) = compare_methods(runs, range(20), "bad")
    assert found.difference == pytest.approx(10, abs=1)
    assert 8 < found.low < found.difference < found.high < 12
    assert found.holds and found.p_value == pytest.approx(2 / 10001)
    (turned,) = compare_methods(runs, range(20), "good")
    assert turned.difference == -found.difference
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))
    assert turned.p_value == found.p_value


def test_identical_methods_do_not_differ():
    matrices = np.random.default_rng(0).integers(0, 100, (2, 10, 3, 3))
    (found,) = compare_methods(dict(a=matrices, b=matrices.copy()), range(10), "b")
    assert found.difference == found.low == found.high == 0
    assert found.p_value == found.p_holm == 1 and not found.holds
    # Nor do they when seeds come in another order, and sums in other last digits.
    three = np.concatenate([matrices, matrices[:1] // 3])
    (found,) = compare_methods(dict(a=three, b=three[[2, 0, 1]]), range(10), "b")
    assert found.difference == found.low == found.high == 0 and found.p_value == 1


def test_no_difference_is_seldom_found(monkeypatch):
    """Of 200 pairs of equal methods, about 5 % have an interval without 0."""
    monkeypatch.setattr(bootstrap, "DRAWS", 400)
    rng = np.random.default_rng(3)
    outside = 0
    for _ in range(200):
        hard = rng.uniform(0.4, 0.9, 25)
        runs = {m: binary(hard + rng.normal(0, 0.03, 25))[None] for m in "ab"}
        (found,) = compare_methods(runs, range(25), "b")
        outside += not found.low <= 0 <= found.high
    assert 3 <= outside <= 24


def test_pairing_narrows_the_interval():
    rng = np.random.default_rng(0)
    hard = rng.uniform(0.3, 0.9, 30)
    a, b = (binary(hard + rng.normal(0.02 * i, 0.01, 30))[None] for i in range(2))
    (paired,) = compare_methods(dict(a=a, b=b), range(30), "b")
    # The same samples, but no longer those of the same areas.
    (unpaired,) = compare_methods(dict(a=a, b=b[:, rng.permutation(30)]), range(30), "b")
    assert paired.difference == pytest.approx(unpaired.difference)
    assert spread_of(paired) < 0.2 * spread_of(unpaired)


def test_areas_are_the_unit():
    """Ten copies of each of ten areas are no more evidence than ten samples."""
    rng = np.random.default_rng(0)
    a, b = (binary(rng.uniform(0.4, 0.9, 10))[None] for _ in range(2))
    once = compare_methods(dict(a=a, b=b), range(10), "b")[0]
    copies = {m: np.repeat(v, 10, axis=1) for m, v in dict(a=a, b=b).items()}
    by_area = compare_methods(copies, np.repeat(np.arange(10), 10), "b")[0]
    by_sample = compare_methods(copies, range(100), "b")[0]
    assert (by_area.low, by_area.high) == pytest.approx((once.low, once.high))
    assert spread_of(by_sample) < 0.5 * spread_of(by_area)


def test_few_areas_cannot_hold():
    base = np.linspace(0.5, 0.7, 4)
    runs = dict(good=binary(base + 0.2)[None], bad=binary(base)[None])
    (found,) = compare_methods(runs, range(4), "bad")
    assert found.low > 0 and found.p_value == 2 / 2**4 and not found.holds
    (one,) = compare_methods({m: v[:, :1] for m, v in runs.items()}, ["x"], "bad")
    assert one.difference > 0 and math.isnan(one.low) and math.isnan(one.p_holm)
    assert not one.holds


def test_all_methods_are_compared_with_the_reference():
    rng = np.random.default_rng(0)
    runs = {m: rng.integers(1, 50, (1, 6, 3, 3)) for m in "abc"}
    found = compare_methods(runs, range(6), "b")
    assert [d.method for d in found] == ["a", "c"]
    for one in found:
        pair = {m: runs[m] for m in (one.method, "b")}
        assert compare_methods(pair, range(6), "b")[0].difference == one.difference
    assert [d.p_holm for d in found] == holm([d.p_value for d in found])
    with pytest.raises(ValueError, match=r"reference: expected one of .* found 'z'"):
        compare_methods(runs, range(6), "z")


def test_chunks_of_draws_do_not_change_the_numbers(monkeypatch):
    rng = np.random.default_rng(0)
    runs = {m: rng.integers(1, 50, (1, 6, 3, 3)) for m in "ab"}
    monkeypatch.setattr(bootstrap, "DRAWS", 300)
    first = compare_methods(runs, range(6), "b")
    monkeypatch.setattr(bootstrap, "_CELLS_PER_CHUNK", 6)  # one draw
    assert compare_methods(runs, range(6), "b") == first
    monkeypatch.setattr(bootstrap, "_SEED", 5)
    assert compare_methods(runs, range(6), "b") != first


def test_draws_without_a_pixel_do_not_count():
    matrices = np.zeros((1, 4, 2, 2), dtype=np.int64)
    matrices[0, 0] = [[5, 1], [2, 4]]
    other = matrices.copy()
    other[0, 0] = [[3, 3], [2, 4]]
    (found,) = compare_methods(dict(a=matrices, b=other), range(4), "b")
    assert found.difference > 0
    assert found.low == pytest.approx(found.difference) == found.high
    nothing = np.zeros_like(matrices)
    (empty,) = compare_methods(dict(a=nothing, b=nothing), range(4), "b")
    assert math.isnan(empty.difference) and math.isnan(empty.p_value)


def test_refuses_what_does_not_fit():
    matrices = np.ones((1, 4, 2, 2))
    with pytest.raises(ValueError, match=r"'b' are \(1, 3, 2, 2\), .*\(4, 2, 2\).*same samples"):
        compare_methods(dict(a=matrices, b=matrices[:, :3]), range(4), "a")
    with pytest.raises(ValueError, match=r"'b' are \(1, 4, 3, 3\), expected .*\(4, 2, 2\)"):
        compare_methods(dict(a=matrices, b=np.ones((1, 4, 3, 3))), range(4), "a")
    with pytest.raises(ValueError, match=r"'a' are \(1, 4, 2, 2\), expected .*\(3, 2, 2\)"):
        compare_methods(dict(a=matrices), range(3), "a")


def test_holm():
    # Worked by hand: sorted 0.01, 0.02, 0.03, 0.2 times 4, 3, 2, 1, never falling.
    values = [0.2, 0.01, 0.03, math.nan, 0.02]
    assert holm(values) == pytest.approx([0.2, 0.04, 0.06, math.nan, 0.06], nan_ok=True)
    assert holm([0.9, 0.8]) == [1, 1] and holm([]) == []
