"""Runs of several methods, brought into one order to be compared."""

from __future__ import annotations

import numpy as np
import pytest

from mmcloudseg.benchmark.differences import stack_runs
from mmcloudseg.evaluation.bootstrap import compare_methods


def run_arrays(names, areas=None, seed=0, classes=("a", "b")):
    size = len(classes)
    matrices = np.random.default_rng(seed).integers(0, 9, (len(names), 3, size, size))
    return dict(
        names=np.array(names),
        areas=np.array(areas or names),
        cover=np.zeros(len(names)),
        matrices=matrices,
        classes=np.array(classes),
    )


def test_runs_are_stacked_in_the_order_of_names():
    first = run_arrays(["s2", "s1"], ["x", "y"])
    second = run_arrays(["s1", "s2"], ["y", "x"], seed=1)
    stacked, areas = stack_runs(dict(a=[first, second, None], b=[second], c=[None]), "cloudy")
    assert list(stacked) == ["a", "b"] and areas == ["y", "x"]
    assert stacked["a"].shape == (2, 2, 2, 2) and stacked["b"].shape == (1, 2, 2, 2)
    assert (stacked["a"][0] == first["matrices"][::-1, 2]).all()
    assert (stacked["a"][1] == second["matrices"][:, 2]).all()
    assert [found.method for found in compare_methods(stacked, areas, "a")] == ["b"]
    assert stack_runs(dict(a=[None])) == ({}, [])


def test_runs_on_other_samples_are_refused():
    runs = dict(a=[run_arrays(["s1", "s2"])], b=[run_arrays(["s1", "s3"])])
    with pytest.raises(ValueError, match=r"'a' and a run of 'b' .*same samples; .*s2, s3"):
        stack_runs(runs)
    runs["b"] = [run_arrays(["s1", "s2"], ["x", "s2"])]
    with pytest.raises(ValueError, match=r"'a' and a run of 'b' .*areas: s1.*same dataset class"):
        stack_runs(runs)
    runs["b"] = [run_arrays(["s1", "s2"], classes=("a", "c"))]
    with pytest.raises(ValueError, match=r"classes \['a', 'b'\].*\['a', 'c'\]"):
        stack_runs(runs)
    with pytest.raises(ValueError, match="'a' has several samples named s1"):
        stack_runs(dict(a=[run_arrays(["s1", "s1"])]))
