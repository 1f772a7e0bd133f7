"""CloudSegVisualizationHook with a small stand-in for a runner."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.registry import HOOKS, MODELS
from mmseg.structures import SegDataSample
from mmseg.visualization import SegLocalVisualizer
from torch import nn

from mmcloudseg.visualization import CloudSegLocalVisualizer, CloudSegVisualizationHook


@pytest.fixture
def runner(tmp_path):
    model = nn.Module()
    model.data_preprocessor = MODELS.build(
        dict(
            type="CloudSegDataPreprocessor",
            optical=dict(low=[0.0] * 4, high=[10000.0] * 4),
            sar=dict(low=[-25.0, -32.5], high=[0.0, 0.0]),
        )
    )
    visualizer = CloudSegLocalVisualizer(
        classes=["water", "land"], palette=[[0, 0, 255], [0, 255, 0]]
    )
    loader = SimpleNamespace(dataset=SimpleNamespace(metainfo={}))
    return SimpleNamespace(
        model=model, visualizer=visualizer, test_dataloader=loader, work_dir=str(tmp_path)
    )


def make_batch(covers, plain=False):
    inputs, outputs = [], []
    for index, cover in enumerate(covers):
        rng = np.random.default_rng(index)
        truth = rng.random((4, 20, 20)).astype(np.float32) * 2000
        raw = np.concatenate([truth, rng.random((2, 20, 20)).astype(np.float32) * -20])
        inputs.append(torch.from_numpy(raw))
        sample = SegDataSample(pred_sem_seg=PixelData(data=torch.zeros(1, 6, 6).long()))
        if not plain:
            mask = np.zeros((1, 20, 20), np.uint8)
            mask.reshape(-1)[: round(cover * 400)] = 1
            sample.gt_cloud_mask = PixelData(data=torch.from_numpy(mask))
            sample.gt_cloud_free = PixelData(data=torch.from_numpy(truth / 10000))
        sample.set_metainfo(
            dict(sample_name=f"fall/s{index}", band_layout=dict(optical=(0, 4), sar=(4, 6)))
        )
        outputs.append(sample)
    return dict(inputs=inputs), outputs


def run(hook, runner, covers, batch=2, plain=False):
    data, outputs = make_batch(covers, plain)
    hook.before_test(runner)
    for start in range(0, len(covers), batch):
        part = dict(inputs=data["inputs"][start : start + batch])
        hook.after_test_iter(runner, start // batch, part, outputs[start : start + batch])
    rows = [row.title for _, row in hook._rows]
    hook.after_test(runner)
    return rows


def files(folder):
    return sorted(p.name for p in folder.glob("*")) if folder.is_dir() else []


def test_draws_nothing_unless_asked(runner, tmp_path):
    assert run(HOOKS.build(dict(type="CloudSegVisualizationHook")), runner, [0.5]) == []
    assert files(tmp_path) == []


def test_writes_a_picture_each_and_an_overview(runner, tmp_path):
    folder = tmp_path / "out"
    run(CloudSegVisualizationHook(draw=True, out_dir=folder), runner, [0.9, 0.1, 0.5])
    assert files(folder) == ["fall_s0.png", "fall_s1.png", "fall_s2.png", "overview.png"]
    overview, single = (cv2.imread(str(folder / n)) for n in ("overview.png", "fall_s1.png"))
    assert overview.shape[0] == single.shape[0] + 2 * 315


def test_picture_shows_the_normalised_input(runner, tmp_path):
    hook = CloudSegVisualizationHook(draw=True, out_dir=tmp_path)
    hook.before_test(runner)
    data, outputs = make_batch([0.0])
    hook.after_test_iter(runner, 0, data, outputs)
    ((_, row),) = hook._rows
    np.testing.assert_array_equal(row.panels["optical input"], row.panels["cloud-free truth"])
    picture = cv2.imread(str(tmp_path / "fall_s0.png"))[..., ::-1]
    np.testing.assert_array_equal(picture, runner.visualizer.draw_overview([row]))


def test_red_green_and_blue_are_found_by_the_bands_names(runner, tmp_path):
    hook = CloudSegVisualizationHook(draw=True, out_dir=tmp_path)
    shown = []
    for names in (("blue", "green", "red", "nir"), ("red", "green", "blue", "nir")):
        runner.test_dataloader.dataset.metainfo["bands"] = dict(optical=names, sar=("VV", "VH"))
        hook.before_test(runner)
        hook.after_test_iter(runner, 0, *make_batch([0.0]))
        shown.append(hook._rows[0][1].panels["optical input"])
    np.testing.assert_array_equal(shown[0], shown[1][..., ::-1])
    assert (shown[0] != shown[1]).any()


def test_stacked_inputs_and_wrapped_model(runner, tmp_path):
    data, outputs = make_batch([0.2, 0.4])
    runner.model = nn.DataParallel(runner.model)
    hook = CloudSegVisualizationHook(draw=True)
    hook.before_test(runner)
    hook.after_test_iter(runner, 0, dict(inputs=torch.stack(data["inputs"])), outputs)
    assert files(tmp_path / "pictures") == ["fall_s0.png", "fall_s1.png"]


def test_overview_is_spread_over_cover(runner, tmp_path):
    covers = [0.5, 0.52, 0.51, 1.0, 0.53, 0.0, 0.25, 0.54, 0.75]
    hook = CloudSegVisualizationHook(draw=True, interval=100, max_samples=5, out_dir=tmp_path)
    titles = run(hook, runner, covers)
    kept = [int(t.split("cover ")[1].split(" %")[0]) for t in titles]
    assert kept[0] == 0 and kept[-1] == 100 and {25, 75} < set(kept) and len(kept) == 5
    assert files(tmp_path) == ["fall_s0.png", "overview.png"]


@pytest.mark.parametrize(
    ("covers", "kept"), [([0, 0.5, 0.98, 1], [0, 50, 100]), ([0, 0.02, 0.5, 1], [0, 50, 100])]
)
def test_overview_keeps_the_clearest_and_the_cloudiest(runner, tmp_path, covers, kept):
    hook = CloudSegVisualizationHook(draw=True, interval=9, max_samples=3, out_dir=tmp_path)
    titles = run(hook, runner, covers)
    assert [int(t.split("cover ")[1].split(" %")[0]) for t in titles] == kept


@pytest.mark.parametrize("count", [0, 1, 2])
def test_small_overviews(runner, tmp_path, count):
    hook = CloudSegVisualizationHook(draw=True, max_samples=count, out_dir=tmp_path)
    titles = run(hook, runner, [0.5, 0.0, 1.0])
    assert len(titles) == count
    # A lone row is the clearest sample.
    assert all(f"cover {c} %" in t for t, c in zip(titles, (0, 100), strict=False))
    assert ("overview.png" in files(tmp_path)) == (count > 0)


def test_interval_counts_samples(runner, tmp_path):
    hook = CloudSegVisualizationHook(draw=True, interval=2, max_samples=0, out_dir=tmp_path)
    run(hook, runner, [0.5] * 5, batch=3)
    assert files(tmp_path) == ["fall_s0.png", "fall_s2.png", "fall_s4.png"]


def test_plain_segmentor(runner, tmp_path):
    """No reconstruction, truth or mask, and a preprocessor without normalize."""
    runner.model.data_preprocessor = MODELS.build(dict(type="SegDataPreProcessor"))
    hook = CloudSegVisualizationHook(draw=True)
    run(hook, runner, [0, 0], plain=True)
    assert files(tmp_path / "pictures") == ["fall_s0.png", "fall_s1.png", "overview.png"]
    assert hook._rows[0][1].title == "fall/s0"


def test_only_the_main_process_draws(runner, tmp_path, monkeypatch):
    monkeypatch.setattr("mmcloudseg.visualization.hook.is_main_process", lambda: False)
    assert run(CloudSegVisualizationHook(draw=True), runner, [0.5]) == []
    assert files(tmp_path) == []


def test_says_where_the_pictures_are(runner, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(
        "mmcloudseg.visualization.hook.print_log",
        lambda message, logger: said.append(message),
    )
    run(CloudSegVisualizationHook(draw=True), runner, [0.5, 0.1])
    folder = tmp_path / "pictures"
    assert said == [f"2 pictures in {folder}, overview: {folder / 'overview.png'}"]


def test_errors(runner):
    with pytest.raises(ValueError, match=r"interval .*0, .*at least 1"):
        CloudSegVisualizationHook(interval=0)
    runner.visualizer = SegLocalVisualizer()
    with pytest.raises(TypeError, match=r" SegLocalVisualizer, .*type='CloudSegLocalVisualizer'"):
        run(CloudSegVisualizationHook(draw=True), runner, [0.5])
    with pytest.raises(ValueError, match=r"max_samples -1: .*at least .*0"):
        CloudSegVisualizationHook(max_samples=-1)


def test_a_second_test_starts_anew(runner, tmp_path):
    hook = CloudSegVisualizationHook(draw=True, interval=2, out_dir=tmp_path)
    run(hook, runner, [0.5] * 3)
    (tmp_path / "fall_s0.png").unlink()
    # Three samples seen before: without a new count the first one would not be due.
    assert len(run(hook, runner, [0.5])) == 1
    assert "fall_s0.png" in files(tmp_path)


def test_a_name_with_backslashes_is_one_file(runner, tmp_path):
    data, outputs = make_batch([0.5])
    outputs[0].set_metainfo(dict(sample_name="fall\\s0"))
    hook = CloudSegVisualizationHook(draw=True, out_dir=tmp_path)
    hook.before_test(runner)
    hook.after_test_iter(runner, 0, data, outputs)
    assert files(tmp_path) == ["fall_s0.png"]


def test_an_output_is_needed_for_every_input(runner):
    data, outputs = make_batch([0.5, 0.5])
    hook = CloudSegVisualizationHook(draw=True)
    hook.before_test(runner)
    with pytest.raises(ValueError, match=f"{type(runner.model).__name__}: 1 outputs, expected 2"):
        hook.after_test_iter(runner, 0, data, outputs[:1])
