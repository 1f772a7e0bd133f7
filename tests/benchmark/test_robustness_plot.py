"""The plot of a robustness curve."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from mmcloudseg.benchmark.robustness_curve import RobustnessCurve
from mmcloudseg.benchmark.robustness_plot import draw_axes, draw_robustness


def scores(miou):
    return dict(mIoU=miou, aAcc=miou + 10, mFscore=miou + 5)


@pytest.fixture
def curve():
    return RobustnessCurve(
        clouds={
            "thick": {0: scores(60.0), 50: scores(40.0), 100: scores(20.0)},
            "fog": {0: scores(60.0), 50: scores(50.0), 100: scores(30.0)},
        },
        missing=dict(optical=scores(25.0), sar=scores(45.0)),
        own_clouds=scores(55.0),
    )


def test_a_line_for_each_kind_and_a_level_for_each_missing_modality(curve):
    axes = Figure().add_subplot()
    draw_axes(axes, curve, "model")
    lines = {line.get_label(): line for line in axes.get_lines()}
    assert list(lines) == [
        "thick (area 40.0 %)",
        "fog (area 47.5 %)",
        "own clouds",
        "optical missing",
        "SAR missing",
    ]
    thick = lines["thick (area 40.0 %)"]
    assert list(thick.get_xdata()) == [0, 50, 100] and list(thick.get_ydata()) == [60, 40, 20]
    for name, level in (("own clouds", 55), ("optical missing", 25), ("SAR missing", 45)):
        assert set(lines[name].get_ydata()) == {level} and lines[name].get_linestyle() == "--"
    assert len({line.get_color() for line in lines.values()}) == 5
    assert axes.get_xlabel() == "simulated cloud cover (%)"
    assert axes.get_ylabel() == "mIoU, all pixels (%)" and axes.get_title() == "model"
    assert axes.get_xlim() == (0, 100) and axes.get_ylim()[0] == 0 and axes.get_ylim()[1] > 60


def test_a_score_of_nan_leaves_a_gap(curve):
    curve.clouds["thick"][50] = scores(float("nan"))
    axes = Figure().add_subplot()
    draw_axes(axes, curve)
    assert axes.get_lines()[0].get_label() == "thick"
    assert axes.get_ylim()[1] == pytest.approx(64.8)


def test_the_picture(curve):
    picture = draw_robustness(curve, "model", dpi=50)
    assert picture.shape == (230, 350, 3) and picture.dtype == np.uint8
    shown = {tuple(colour) for colour in np.unique(picture.reshape(-1, 3), axis=0).tolist()}
    assert {(31, 119, 180), (255, 127, 14)} <= shown
    only_missing = RobustnessCurve(missing=dict(sar=scores(45.0)))
    assert (draw_robustness(only_missing, dpi=50) != picture).any()


def test_nothing_to_draw():
    with pytest.raises(ValueError, match="nothing to draw"):
        draw_robustness(RobustnessCurve())
