from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PIL import Image

from mmcloudseg.benchmark.plots import (
    Series,
    draw_accuracy_over_cost,
    draw_calibration,
    draw_class_bars,
    draw_robustness,
    draw_score_over_cover,
    save,
    style,
)
from mmcloudseg.benchmark.robustness_curve import RobustnessCurve
from mmcloudseg.evaluation.calibration import CONFIDENCE_BINS, ConfidenceHistogram


def histogram(share: float) -> ConfidenceHistogram:
    count = np.zeros(CONFIDENCE_BINS, dtype=np.int64)
    count[500:] = 10
    confidence = (np.arange(CONFIDENCE_BINS) + 0.5) / CONFIDENCE_BINS
    return ConfidenceHistogram(count, np.round(share * count).astype(int), count * confidence)


@pytest.fixture
def fourteen() -> list[Series]:
    """14 methods; the second has nothing but its name."""
    return [
        Series(
            title=f"Method number {i}, SAR",
            covers={(0, 20): [50 - i, 52 - i], (20, 40): [], (80, 100): [30.0 + i]},
            classes={name: [40.0 + i, 44.0] for name in ("forest", "water", "urban")},
            score=30.0 + i,
            gflops=0.5 * 1.4**i,
            parameters_m=2.0 + i,
            confidence=histogram(0.3 + i / 20),
        )
        if i != 1
        else Series("Nothing known")
        for i in range(14)
    ]


def test_styles_differ():
    looks = {tuple(style(i)[key] for key in ("color", "marker", "linestyle")) for i in range(30)}
    assert len(looks) == 30


def test_score_over_cover(fourteen):
    axes = draw_score_over_cover(fourteen).axes[0]
    assert len(axes.containers) == 13
    line = axes.containers[0].lines[0]
    assert line.get_ydata().tolist() == [51, 30]  # the empty bin is left out
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels == ["0 to 20", "20 to 40", "80 to 100"]
    (bars,) = axes.containers[0].lines[2]
    low, high = bars.get_segments()[0][:, 1]
    assert (high - low) / 2 == pytest.approx(np.sqrt(2))


def test_accuracy_over_cost(fourteen):
    axes = draw_accuracy_over_cost(fourteen).axes[0]
    assert axes.get_xscale() == "log"
    points = axes.collections
    assert len(points) == 13
    assert points[0].get_offsets().tolist() == [[0.5, 30.0]]
    sizes = [point.get_sizes()[0] for point in points]
    assert sizes == sorted(sizes) and sizes[-1] == 400
    assert sorted(text.get_text() for text in axes.texts) == sorted(
        one.title for one in fourteen if one.score
    )


def test_class_bars(fourteen):
    axes = draw_class_bars(fourteen).axes[0]
    assert len(axes.patches) == 13 * 3
    assert [label.get_text() for label in axes.get_xticklabels()] == ["forest", "water", "urban"]
    heights = sorted(patch.get_height() for patch in axes.patches)
    assert heights[0] == 42 and heights[-1] == 48.5


def test_calibration(fourteen):
    figure = draw_calibration(fourteen)
    risk, diagram = figure.axes
    assert len(risk.lines) == 13
    assert len(diagram.lines) == 14  # and the diagonal
    assert risk.lines[0].get_xdata()[-1] == 100
    assert risk.lines[0].get_ydata()[-1] == pytest.approx(70)
    assert diagram.lines[0].get_ydata() == pytest.approx(np.full(10, 30))
    assert all(len(line.get_markevery()) == 10 for line in risk.lines)


def test_files_are_small(fourteen, tmp_path):
    draws = (
        draw_score_over_cover,
        draw_accuracy_over_cost,
        draw_class_bars,
        draw_calibration,
    )
    for draw in draws:
        path = tmp_path / f"{draw.__name__}.png"
        save(draw(fourteen), path)
        assert 10_000 < path.stat().st_size < 300_000, draw.__name__


@pytest.mark.parametrize("draw", [draw_score_over_cover, draw_accuracy_over_cost, draw_class_bars])
def test_long_names_fit_the_legend(fourteen, draw):
    long = [
        dataclasses.replace(one, title=f"{one.title}, with stacked bands and more")
        for one in fourteen
    ]
    figure = draw(long)
    figure.draw_without_rendering()
    box = figure.legends[0].get_window_extent()
    assert box.x0 >= 0 and box.x1 <= figure.bbox.width
    assert box.y0 >= 0 and box.y1 < figure.axes[0].get_window_extent().y0


def curve_scores(miou):
    return dict(mIoU=miou, aAcc=miou + 10, mFscore=miou + 5)


@pytest.fixture
def curve() -> RobustnessCurve:
    return RobustnessCurve(
        clouds={
            "thick": {0: curve_scores(60.0), 50: curve_scores(40.0), 100: curve_scores(20.0)},
            "fog": {0: curve_scores(60.0), 50: curve_scores(50.0), 100: curve_scores(30.0)},
        },
        missing=dict(optical=curve_scores(25.0), sar=curve_scores(45.0)),
        own_clouds=curve_scores(55.0),
    )


def test_robustness_has_a_line_for_each_kind_and_a_level_for_each_missing_modality(curve):
    axes = draw_robustness(curve, "model").axes[0]
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


def test_robustness_score_of_nan_leaves_a_gap(curve):
    curve.clouds["thick"][50] = curve_scores(float("nan"))
    axes = draw_robustness(curve, "model").axes[0]
    assert axes.get_lines()[0].get_label() == "thick"
    assert axes.get_ylim()[1] == pytest.approx(64.8)


def test_robustness_picture(curve, tmp_path):
    save(draw_robustness(curve, "model"), tmp_path / "curve.png")
    picture = np.asarray(Image.open(tmp_path / "curve.png"))[..., :3]
    assert picture.shape == (460, 700, 3) and picture.dtype == np.uint8
    shown = {tuple(colour) for colour in np.unique(picture.reshape(-1, 3), axis=0).tolist()}
    assert {(31, 119, 180), (255, 127, 14)} <= shown
    only_missing = draw_robustness(RobustnessCurve(missing=dict(sar=curve_scores(45.0))), "model")
    (line,) = only_missing.axes[0].get_lines()
    assert line.get_label() == "SAR missing"


def test_robustness_without_measurements():
    with pytest.raises(ValueError, match=r"model: .*`clouds`.*`missing`.*tools/robustness\.py"):
        draw_robustness(RobustnessCurve(), "model")
