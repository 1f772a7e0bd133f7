"""Panels, titles and pictures of the visualiser."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.registry import VISUALIZERS
from mmseg.structures import SegDataSample

from mmcloudseg.visualization.samples import sample_cover, split_bands

PANELS = ["optical input", "SAR", "cloud-free truth", "reconstruction", "label", "prediction"]


def draw_panels(visualizer, *sample):
    return visualizer.draw_overview([visualizer.make_row(*sample)])


def test_registered_and_keeps_its_classes():
    built = VISUALIZERS.build(
        dict(type="CloudSegLocalVisualizer", name="own", classes=["a"], palette=[[1, 2, 3]])
    )
    assert built.dataset_meta == dict(classes=["a"], palette=[[1, 2, 3]])


def test_all_panels_in_order(visualizer, scene):
    row = visualizer.make_row(*scene)
    assert list(row.panels) == PANELS
    assert row.panels["optical input"].shape == (20, 20, 3)
    assert row.panels["label"].shape == (6, 6, 3)
    assert row.panels["label"][0, 0].tolist() == [128, 128, 128]
    assert row.panels["prediction"][0, 0].tolist() == [0, 0, 255]


def test_optical_panels_share_the_truths_stretch(visualizer, scene):
    optical, _, sample = scene
    panels = visualizer.make_row(optical, None, sample).panels
    # Clear pixels of input and truth are equal, and so are their colours.
    np.testing.assert_array_equal(
        panels["optical input"][:, :10], panels["cloud-free truth"][:, :10]
    )
    assert panels["optical input"][:, 10:].min() > 204
    assert panels["reconstruction"].mean() < panels["cloud-free truth"].mean()


def test_the_truth_gives_the_stretch(visualizer, scene):
    optical, _, sample = scene
    # Bright ground that the cloud hides: the clear part knows nothing of it.
    sample.gt_cloud_free.data[:, :, 10:] += 0.4
    panels = visualizer.make_row(optical, None, sample).panels
    assert panels["optical input"][:, :10].max() < 102


def test_without_truth_the_clear_part_gives_the_stretch(visualizer, scene):
    optical, _, sample = scene
    del sample.gt_cloud_free
    panels = visualizer.make_row(optical, None, sample).panels
    assert panels["optical input"][:, :10].max() > 200
    assert panels["optical input"][:, 10:].min() > 204
    del sample.gt_cloud_mask
    assert visualizer.make_row(optical, None, sample).panels["optical input"].min() == 0


def test_true_colour_takes_red_green_blue(visualizer):
    optical = np.zeros((4, 10, 10), np.float32)
    optical[2, :, 5:] = 0.1
    panel = visualizer.make_row(optical, None, SegDataSample()).panels["optical input"]
    assert panel[0, 9].tolist() == [204, 0, 0]


def test_title(visualizer, scene):
    optical, sar, sample = scene
    assert visualizer.make_row(optical, sar, sample).title == (
        "place · cloud cover 50 % · overall accuracy 100.0 % · cloudy 100.0 %"
    )
    # Of 36 label pixels one is ignored; the right 3 of 6 columns are cloudy.
    sample.pred_sem_seg.data[0, :3, 3:] = 1 - sample.gt_sem_seg.data[0, :3, 3:]
    assert visualizer.describe(sample) == (
        f"place · cloud cover 50 % · overall accuracy {100 * 26 / 35:.1f} % · cloudy 50.0 %"
    )
    bare = SegDataSample(metainfo=dict(img_path="a/b/c.d.tif"))
    assert visualizer.describe(bare) == "c.d"


def test_picture_follows_the_prediction_and_nothing_else_changes(visualizer, scene):
    optical, sar, sample = scene

    def draw():
        # The title says how accurate the prediction is.
        row = visualizer.make_row(optical, sar, sample)
        return visualizer.draw_overview([replace(row, title="t")])

    before = draw()
    sample.pred_sem_seg = PixelData(data=1 - sample.pred_sem_seg.data)
    after = draw()
    assert before.dtype == np.uint8 and before.shape == after.shape == (360, 1560, 3)
    changed = np.flatnonzero((before != after).any(axis=(0, 2)))
    # The prediction is the last of six panels.
    assert changed.min() >= 5 * 1560 // 6 and changed.max() < 1560
    again = draw()
    np.testing.assert_array_equal(after, again)


def test_plain_segmentor_sample(visualizer, scene):
    optical, _, sample = scene
    plain = SegDataSample(pred_sem_seg=sample.pred_sem_seg)
    picture = draw_panels(visualizer, torch.from_numpy(optical).half(), None, plain)
    assert picture.shape == (360, 520, 3)


def test_overview_has_a_row_each_and_a_place_for_each_title(visualizer, scene):
    optical, sar, sample = scene
    rows = [
        visualizer.make_row(optical, sar, sample),
        visualizer.make_row(optical, None, SegDataSample()),
    ]
    assert visualizer.draw_overview(rows).shape == (675, 1560, 3)


def test_nothing_to_draw(visualizer):
    with pytest.raises(ValueError, match=r"1 sample.*gt_sem_seg or pred_sem_seg"):
        draw_panels(visualizer, None, None, SegDataSample())


def test_add_datasample_writes_a_file(visualizer, scene, tmp_path):
    optical, sar, sample = scene
    image = np.concatenate([optical, sar]).transpose(1, 2, 0)
    out_file = tmp_path / "new" / "a.png"
    visualizer.add_datasample("a", image, sample, out_file=str(out_file))
    expected = draw_panels(visualizer, optical, sar, sample)
    np.testing.assert_array_equal(cv2.imread(str(out_file))[..., ::-1], expected)


def test_add_datasample_hides_what_is_not_asked_for(visualizer, scene, monkeypatch):
    optical, sar, sample = scene
    shown = []
    monkeypatch.setattr(visualizer, "draw_overview", lambda rows: shown.extend(rows[0].panels))
    monkeypatch.setattr(visualizer, "add_image", lambda *a: None)
    image = np.concatenate([optical, sar]).transpose(1, 2, 0)
    visualizer.add_datasample("a", image, sample, draw_gt=False, with_labels=False)
    assert shown == ["optical input", "SAR", "reconstruction", "prediction"]
    shown.clear()
    visualizer.add_datasample("a", image, sample, draw_pred=False)
    assert shown == ["optical input", "SAR", "cloud-free truth", "label"]
    assert "gt_sem_seg" in sample and "pred_sem_seg" in sample


def test_split_bands():
    layout = dict(optical=(0, 4), sar=(4, 6), cloud_free=(6, 10))
    inputs = torch.arange(6)[:, None, None]
    optical, sar = split_bands(inputs, layout)
    assert optical.flatten().tolist() == [0, 1, 2, 3] and sar.flatten().tolist() == [4, 5]
    assert split_bands(inputs[:4], layout)[1] is None
    assert split_bands(inputs[:2], layout)[0] is None
    teacher = split_bands(inputs, dict(sar=(0, 2), cloud_free=(2, 6)))
    assert [len(part) for part in teacher] == [4, 2]
    assert split_bands(inputs, None) == (inputs, None)
    with pytest.raises(ValueError, match="5 bands, expected 4 optical, 2 SAR or both"):
        split_bands(inputs[:5], layout)


def test_cover_and_name(scene):
    sample = scene[2]
    sample.gt_cloud_mask.data[..., :10] = 255
    assert sample_cover(sample) == 1.0
    sample.gt_cloud_mask.data[:] = 255
    assert sample_cover(sample) is None
    sample.set_metainfo(dict(cloud_cover=0.25))
    assert sample_cover(sample) == 0.25
    sample.set_metainfo(dict(cloud_cover=float("nan")))
    assert sample_cover(sample) is None


def test_a_reconstruction_alone_gives_its_own_stretch(visualizer, scene):
    alone = SegDataSample(pred_cloud_free=scene[2].pred_cloud_free)
    panel = visualizer.make_row(None, None, alone).panels["reconstruction"]
    assert panel.min() == 0 and panel.max() >= 204


def test_bfloat16_is_drawn(visualizer, scene):
    optical = torch.from_numpy(scene[0]).bfloat16()
    panels = visualizer.make_row(optical, None, SegDataSample()).panels
    expected = visualizer.make_row(optical.float(), None, SegDataSample()).panels
    np.testing.assert_array_equal(panels["optical input"], expected["optical input"])


def test_add_datasample_without_a_file_goes_to_backends_and_window(visualizer, scene, monkeypatch):
    added, opened = [], []
    monkeypatch.setattr(visualizer, "add_image", lambda *a: added.append(a))
    monkeypatch.setattr(visualizer, "show", lambda *a, **k: opened.append((*a, k)))
    visualizer.add_datasample("a", scene[0].transpose(1, 2, 0), show=True, wait_time=2, step=7)
    ((name, picture, step),) = added
    assert (name, step) == ("a", 7)
    expected = draw_panels(visualizer, scene[0], None, SegDataSample())
    np.testing.assert_array_equal(picture, expected)
    np.testing.assert_array_equal(opened[0][0], expected)
    assert opened[0][1] == dict(win_name="a", wait_time=2)


def test_browse_dataset_shows_the_first_three_bands_in_reverse(visualizer, scene, tmp_path):
    """MMSegmentation's tool builds the visualiser without a name and picks bands 2, 1, 0."""
    optical, _, sample = scene
    visualizer.dataset_meta["bands"] = dict(optical=("red", "green", "blue", "nir"))
    image, out = optical.transpose(1, 2, 0)[..., [2, 1, 0]], str(tmp_path / "a.png")
    visualizer.add_datasample("a", image, sample, draw_pred=False, out_file=out)
    drawn = cv2.imread(out)[..., ::-1]
    for key in ("pred_sem_seg", "pred_cloud_free"):
        delattr(sample, key)
    row = visualizer.make_row(optical[:3], None, sample, ("red", "green", "blue", "nir"))
    np.testing.assert_array_equal(drawn, visualizer.draw_overview([row]))
    with pytest.raises(ValueError, match="5 bands"):
        visualizer.add_datasample("a", np.zeros((20, 20, 5)), sample)
    assert VISUALIZERS.build(dict(type="CloudSegLocalVisualizer")).instance_name == "visualizer"
