"""Geometric transforms fill with no data, in every band, label and mask."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from mmseg.datasets import MultiImageMixDataset
from mmseg.registry import DATASETS

from mmcloudseg.datasets import PackCloudSegInputs
from mmcloudseg.datasets.transforms import Geometric, PadNoData
from mmcloudseg.rasters.grids import resample

LAYOUT = dict(optical=(0, 4), sar=(4, 6), cloud_free=(6, 10))
ROTATE = dict(type="RandomRotate", prob=1.0, degree=(45.0, 45.0))


def loaded(height=60, width=60, label_scale=0.3, seed=0):
    """A sample whose bands are -20 to -10, so that 0 can only come from a fill."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 6, (round(height * label_scale), round(width * label_scale)))
    return dict(
        img=rng.uniform(-20, -10, (height, width, 10)).astype(np.float32),
        band_layout=LAYOUT,
        gt_seg_map=resample(coarse.astype(np.uint8), (height, width)),
        gt_cloud_mask=rng.integers(0, 2, (height, width)).astype(np.uint8),
        seg_fields=["gt_seg_map", "gt_cloud_mask"],
        label_scale=label_scale,
    )


def assert_no_data_agrees(results):
    """Filled pixels are NaN in every band and 255 in the fields, the others neither."""
    gone = np.isnan(results["img"])
    assert (gone == gone[..., :1]).all()
    for key in ("gt_seg_map", "gt_cloud_mask"):
        assert results[key].dtype == np.uint8
        np.testing.assert_array_equal(results[key] == 255, gone[..., 0], err_msg=key)
    rest = results["img"][~gone]
    assert rest.min() >= -20 and rest.max() <= -10
    return gone[..., 0]


def test_rotation_leaves_no_data_in_the_corners():
    gone = assert_no_data_agrees(Geometric([ROTATE])(loaded()))
    assert gone[0, 0] and gone[0, -1] and gone[-1, 0] and gone[-1, -1] and not gone[30, 30]
    # The four corners outside of a square turned by 45 degrees, and its blurred edge.
    assert gone.mean() == pytest.approx(1 - (2 * np.sqrt(2) - 2), abs=0.03)


@pytest.mark.parametrize(
    "steps",
    [
        [dict(type="RandomRotate", prob=1.0, degree=(20, 20), pad_val=-15, seg_pad_val=1)],
        [dict(type="RandomRotFlip", rotate_prob=1.0, degree=(20, 20))],
        [ROTATE, dict(type="Resize", scale=(91, 91))],
        [ROTATE, dict(type="Resize", scale=(31, 31))],
        [
            dict(type="RandomRotFlip", rotate_prob=1.0, degree=(20, 20)),
            dict(type="Resize", scale=(31, 31)),
        ],
        [ROTATE, dict(type="RandomFlip", prob=1.0), dict(type="RandomCrop", crop_size=(40, 50))],
        [dict(type="RandomApply", prob=1.0, transforms=[ROTATE])],
        [dict(type="PadNoData", size=(70, 64)), ROTATE],
    ],
)
def test_whatever_fills(steps):
    np.random.seed(0)
    gone = assert_no_data_agrees(Geometric(steps)(loaded()))
    assert 0.01 < gone.mean() < 0.5


def test_right_angles_lose_nothing():
    before = loaded(60, 80)
    turn = dict(type="RandomRotate", prob=1.0, degree=(90.0, 90.0), auto_bound=True)
    after = Geometric([turn])(copy.deepcopy(before))
    assert after["img_shape"] == (80, 60)
    assert not assert_no_data_agrees(after).any()
    np.testing.assert_allclose(after["img"], np.rot90(before["img"], -1), rtol=1e-5)
    # The label returns to its own grid as if it had been turned there.
    native = resample(before["gt_seg_map"], (18, 24))
    label = PackCloudSegInputs()(after)["data_samples"].gt_sem_seg.data[0].numpy()
    np.testing.assert_array_equal(label, np.rot90(native, -1))


def test_any_angle_gives_each_label_pixel_the_class_at_its_centre():
    before = loaded()
    native = resample(before["gt_seg_map"], (18, 18)).astype(int)
    turn = dict(type="RandomRotate", prob=1.0, degree=(30.0, 30.0))
    label = PackCloudSegInputs()(Geometric([turn])(before))["data_samples"].gt_sem_seg.data[0]
    rows, columns = np.mgrid[0:18, 0:18] - 8.5
    cos, sin = np.cos(np.radians(30)), np.sin(np.radians(30))
    source_rows = rows * cos - columns * sin + 8.5
    source_columns = rows * sin + columns * cos + 8.5
    # Away from borders between label pixels, which an optical pixel may cross.
    off = np.maximum(
        abs(source_rows - np.round(source_rows)), abs(source_columns - np.round(source_columns))
    )
    inside = (abs(source_rows - 8.5) < 8) & (abs(source_columns - 8.5) < 8) & (off < 0.25)
    expected = native[
        np.round(source_rows[inside]).astype(int), np.round(source_columns[inside]).astype(int)
    ]
    assert inside.sum() > 30
    np.testing.assert_array_equal(label.numpy()[inside], expected)


def test_nan_of_a_band_turns_along_and_spreads_no_further_than_interpolation():
    sample = loaded()
    sample["img"][20:40, 20:40, 0:4] = np.nan
    results = Geometric([dict(type="Resize", scale=(120, 120))])(sample)
    gone = np.isnan(results["img"])
    assert not gone[..., 4:].any() and gone[40:80, 40:80, :4].all()
    outside = np.ones((120, 120), bool)
    outside[39:81, 39:81] = False
    assert not gone[outside].any()
    assert (results["gt_seg_map"] != 255).all()


def test_nan_stays_in_its_pixel_where_nothing_is_mixed():
    sample = loaded()
    sample["img"][10, 20, 4] = np.nan
    turn = dict(type="RandomRotate", prob=1.0, degree=(90.0, 90.0))
    gone = np.isnan(Geometric([turn])(sample)["img"])
    assert gone.sum() == 1 and gone[20, 49, 4]


def test_a_modality_taken_away_stays_away_and_labels_stay():
    sample = loaded()
    sample["img"][..., 0:6] = np.nan
    results = Geometric([ROTATE])(sample)
    assert np.isnan(results["img"][..., 0:6]).all()
    assert results["gt_seg_map"][30, 30] != 255 and not np.isnan(results["img"][30, 30, 6:]).any()


def test_the_loaders_arrays_are_not_written_to():
    sample = loaded()
    arrays = {key: sample[key].copy() for key in ("img", "gt_seg_map", "gt_cloud_mask")}
    Geometric([ROTATE])(dict(sample))
    PadNoData(size=(70, 70))(dict(sample))
    for key, before in arrays.items():
        np.testing.assert_array_equal(sample[key], before)


@pytest.mark.parametrize(
    ("settings", "shape"),
    [
        (dict(size=(64, 70)), (70, 64)),
        (dict(size_divisor=32), (64, 64)),
        (dict(pad_to_square=True), (60, 60)),
    ],
)
def test_padding(settings, shape):
    before = loaded(60, 50)
    results = PadNoData(**settings)(dict(before))
    assert results["img"].shape[:2] == results["img_shape"] == shape
    gone = assert_no_data_agrees(results)
    assert not gone[:60, :50].any() and gone[60:].all() and gone[:, 50:].all()
    np.testing.assert_array_equal(results["img"][:60, :50], before["img"])


def test_mosaic_of_four_samples(tmp_path, make_m3mcr_tree):
    root = make_m3mcr_tree(tmp_path, 2, 0, 0, size=40)
    inner = dict(
        type="M3MCRDataset",
        data_root=str(root),
        ann_file="train.csv",
        data_prefix=dict(img_path="train"),
        pipeline=[dict(type="LoadRasters")],
    )
    mosaic = dict(type="RandomMosaic", prob=1.0, img_scale=(40, 40))
    outer = [dict(type="Geometric", transforms=[mosaic]), dict(type="PackCloudSegInputs")]
    dataset = DATASETS.build(dict(type=MultiImageMixDataset, dataset=inner, pipeline=outer))
    for packed in (dataset[0], dataset[1]):
        sample, inputs = packed["data_samples"], packed["inputs"]
        gone = inputs.isnan()
        assert inputs.shape == (6, 80, 80) and sample.gt_sem_seg.data.shape == (1, 24, 24)
        assert (gone == (sample.gt_cloud_mask.data == 255)).all()
        assert (gone[:4] == sample.gt_cloud_free.data.isnan()).all()
        assert gone.any() and (inputs[4:] != 0).all()


def test_errors():
    with pytest.raises(ValueError, match=r"PhotoMetricDistortion.*OpticalJitter"):
        Geometric([dict(type="PhotoMetricDistortion")])
    with pytest.raises(ValueError, match=r"Geometric: .*LoadRasters"):
        Geometric([ROTATE])(dict(img_path="a.tif"))

    def image_alone(results):
        return {**results, "img": results["img"][:10]}

    with pytest.raises(ValueError, match=r"gt_seg_map has \(60, 60\).* \(10, 60\)"):
        Geometric([image_alone])(loaded())
