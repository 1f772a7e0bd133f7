"""LabelMapHook: place, colours, class names and values of the written rasters."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
import rasterio
import torch
from affine import Affine
from mmengine.dataset import pseudo_collate
from mmengine.structures import PixelData
from mmseg.registry import DATASETS, HOOKS, MODELS
from mmseg.structures import SegDataSample
from rasterio.crs import CRS

from mmcloudseg.engine import LabelMapHook
from mmcloudseg.engine.configs import load_config

CLASSES = ("water", "land", "wood")
PALETTE = ([0, 0, 255], [0, 255, 0], [10, 20, 30])
TRANSFORM = Affine(10, 0, 500000, 0, -20, 4000000)


@pytest.fixture
def runner():
    dataset = SimpleNamespace(metainfo=dict(classes=CLASSES, palette=PALETTE))
    return SimpleNamespace(test_dataloader=SimpleNamespace(dataset=dataset))


@pytest.fixture
def optical(tmp_path):
    """An optical image of 20 rows and 30 columns, 300 m wide and 400 m high."""
    path = tmp_path / "images" / "from_path.v2.tif"
    path.parent.mkdir()
    profile = dict(driver="GTiff", count=1, height=20, width=30, dtype="uint16")
    with rasterio.open(path, "w", crs="EPSG:32646", transform=TRANSFORM, **profile) as raster:
        raster.write(np.ones((1, 20, 30), np.uint16))
    return path


def make_output(labels, optical, **metainfo):
    labels = torch.as_tensor(labels)[None]
    sample = SegDataSample(pred_sem_seg=PixelData(data=labels))
    # The label must not be mistaken for the prediction.
    sample.gt_sem_seg = PixelData(data=torch.full_like(labels, 255))
    sample.set_metainfo(dict(img_path=str(optical), **metainfo))
    return sample


def run(runner, out_dir, outputs):
    hook = HOOKS.build(dict(type="LabelMapHook", out_dir=out_dir and str(out_dir)))
    hook.after_test_iter(runner, 0, dict(inputs=[]), outputs)


@pytest.fixture
def labels():
    """6 rows and 15 columns: 3.33 and 2 optical pixels each."""
    labels = np.random.default_rng(0).integers(0, 3, (6, 15))
    labels[0, :2] = labels[0, 2] = 2
    labels[5, 14] = 0
    return labels


def test_values_and_type(runner, optical, labels, tmp_path):
    run(runner, tmp_path / "new" / "maps", [make_output(labels, optical, sample_name="place")])
    with rasterio.open(tmp_path / "new" / "maps" / "place.tif") as raster:
        assert (raster.driver, raster.count, raster.dtypes) == ("GTiff", 1, ("uint8",))
        np.testing.assert_array_equal(raster.read(1), labels)


def test_data_sets_that_are_tested_together_have_folders(optical, labels, tmp_path):
    metainfo = dict(classes=CLASSES, palette=PALETTE)
    inner = [SimpleNamespace(dataset_name=name) for name in ("north", "south")]
    dataset = SimpleNamespace(metainfo=metainfo, datasets=inner)
    runner = SimpleNamespace(test_dataloader=SimpleNamespace(dataset=dataset))
    outputs = [
        make_output(labels, optical, sample_name="place", dataset_name=name)
        for name in ("north", "south")
    ]
    run(runner, tmp_path / "maps", outputs)
    assert {path.parent.name for path in (tmp_path / "maps").rglob("place.tif")} == {
        "north", "south"
    }  # fmt: skip


def test_covers_the_optical_images_ground(runner, optical, labels, tmp_path):
    run(runner, tmp_path, [make_output(labels, optical, sample_name="place")])
    with rasterio.open(tmp_path / "place.tif") as raster, rasterio.open(optical) as image:
        assert raster.crs == CRS.from_epsg(32646)
        expected = Affine(20, 0, 500000, 0, -400 / 6, 4000000)
        assert raster.transform.almost_equals(expected, precision=1e-6)
        assert tuple(raster.bounds) == pytest.approx(tuple(image.bounds))


def test_turned_images_stay_turned(runner, optical, labels, tmp_path):
    turned = TRANSFORM * Affine.rotation(30)
    with rasterio.open(optical, "r+") as image:
        image.transform = turned
    run(runner, tmp_path, [make_output(labels, optical, sample_name="place")])
    with rasterio.open(tmp_path / "place.tif") as raster, rasterio.open(optical) as image:
        for (row, column), (image_row, image_column) in (((6, 15), (20, 30)), ((6, 0), (20, 0))):
            corner = raster.xy(row, column, offset="ul")
            assert corner == pytest.approx(image.xy(image_row, image_column, offset="ul"))


@pytest.mark.parametrize("turn", [0, 30])
def test_a_crop_lies_on_its_own_ground(runner, optical, tmp_path, turn):
    with rasterio.open(optical, "r+") as image:
        image.transform = TRANSFORM * Affine.rotation(turn)
    # 10 rows and 20 columns of the image, a label pixel for two of its pixels.
    crop = dict(crop_window=(4, 6, 10, 20), label_scale=0.5, sample_name="place")
    run(runner, tmp_path, [make_output(np.zeros((5, 10), int), optical, **crop)])
    with rasterio.open(tmp_path / "place.tif") as raster, rasterio.open(optical) as image:
        for (row, column), image_corner in (((0, 0), (4, 6)), ((5, 10), (14, 26))):
            corner = raster.xy(row, column, offset="ul")
            assert corner == pytest.approx(image.xy(*image_corner, offset="ul"))


def packed_item(mini, *steps):
    """The first sample of the mini set."""
    pipeline = [dict(type=step) if isinstance(step, str) else step for step in steps]
    dataset = DATASETS.build(
        dict(
            type="M3MCRDataset", data_root=str(mini), ann_file="test.csv",
            data_prefix=dict(img_path="test"),
            pipeline=[*pipeline, dict(type="PackCloudSegInputs")],
        )
    )  # fmt: skip
    return dataset[0]


def packed(mini, *steps):
    """Its data sample, whose label stands for the prediction."""
    sample = packed_item(mini, *steps)["data_samples"]
    sample.pred_sem_seg = PixelData(data=sample.gt_sem_seg.data)
    return sample


CROP = dict(type="AlignedCenterCrop", crop_size=(60, 100), step=10)


def test_a_cropped_samples_map_is_a_part_of_the_whole_samples(runner, mini, tmp_path):
    run(runner, tmp_path / "whole", [packed(mini, "LoadRasters")])
    run(runner, tmp_path / "crop", [packed(mini, CROP, "LoadRasters")])
    (path,) = (tmp_path / "crop").iterdir()
    with rasterio.open(path) as crop, rasterio.open(tmp_path / "whole" / path.name) as whole:
        assert crop.shape == (18, 30) and crop.res == pytest.approx(whole.res)
        window = whole.window(*crop.bounds).round_offsets().round_lengths()
        np.testing.assert_array_equal(crop.read(1), whole.read(1, window=window))


@pytest.mark.parametrize("step", [CROP, dict(type="RandomCrop", crop_size=(60, 100))])
def test_a_map_of_other_ground_is_refused(runner, mini, tmp_path, step):
    sample = packed(mini, "LoadRasters", step)
    text = rf"{re.escape(sample.img_path)}.*test_dataloader\.dataset\.pipeline.*before LoadRasters"
    with pytest.raises(ValueError, match=text):
        run(runner, tmp_path / "maps", [sample])
    assert not (tmp_path / "maps").exists()


def test_a_resized_image_keeps_its_ground(runner, mini, tmp_path):
    run(runner, tmp_path / "whole", [packed(mini, "LoadRasters")])
    resize = dict(type="Resize", scale_factor=2.0)
    run(runner, tmp_path / "twice", [packed(mini, "LoadRasters", resize)])
    (path,) = (tmp_path / "twice").iterdir()
    with rasterio.open(path) as twice, rasterio.open(tmp_path / "whole" / path.name) as whole:
        assert twice.width == 2 * whole.width
        assert tuple(twice.bounds) == pytest.approx(tuple(whole.bounds))


@pytest.mark.parametrize("direction", ["horizontal", "vertical"])
def test_a_flipped_image_is_mapped_as_it_lies(runner, root, mini, tmp_path, direction):
    """MMSegmentation undoes the flip of a prediction, and the map lies where it did."""
    stream = dict(name="mit-b0", embed_dims=8, num_layers=[1, 1, 1, 1], _delete_=True)
    config = str(root / "configs/cloudseg_student_mini.py")
    model = MODELS.build(load_config(config, {"model.backbone.stream": stream}).model).eval()
    model.extract_feat = lambda x: (x,)
    model.decode_head.forward = lambda f: f[0]  # pixel by pixel, so that flips commute
    model.auxiliary_head.forward = lambda f: f[0][:, :4]
    flip = dict(type="RandomFlip", prob=1.0, direction=direction)
    for name, steps in (("plain", []), ("flipped", [flip])):
        batch = pseudo_collate([packed_item(mini, "LoadRasters", *steps)])
        with torch.no_grad():
            run(runner, tmp_path / name, model.test_step(batch))
    (path,) = (tmp_path / "plain").iterdir()
    with rasterio.open(path) as plain, rasterio.open(tmp_path / "flipped" / path.name) as flipped:
        assert flipped.transform == plain.transform
        labels = plain.read(1)
        assert (flipped.read(1) == labels).mean() > 0.95
    assert all((np.flip(labels, axis) == labels).mean() < 0.9 for axis in (0, 1))


def test_colours_and_class_names(runner, optical, labels, tmp_path):
    run(runner, tmp_path, [make_output(labels, optical, sample_name="place")])
    with rasterio.open(tmp_path / "place.tif") as raster:
        colours = raster.colormap(1)
        assert [colours[i] for i in range(3)] == [(*colour, 255) for colour in PALETTE]
        tags = {k: v for k, v in raster.tags(1).items() if k.startswith("class_")}
        assert tags == dict(class_0="water", class_1="land", class_2="wood")
        assert raster.colorinterp[0].name == "palette"


def test_every_sample_of_every_batch_gets_one_file(runner, optical, tmp_path):
    hook, folder = LabelMapHook(str(tmp_path / "maps")), tmp_path / "maps"
    values = dict(a=0, b=1, c=2)
    outputs = [
        make_output(np.full((2, 3), value), optical, sample_name=name)
        for name, value in values.items()
    ]
    hook.after_test_iter(runner, 0, None, outputs[:2])
    hook.after_test_iter(runner, 1, None, outputs[2:])
    assert sorted(p.name for p in folder.iterdir()) == ["a.tif", "b.tif", "c.tif"]
    for name, value in values.items():
        with rasterio.open(folder / f"{name}.tif") as raster:
            assert raster.read(1).tolist() == [[value] * 3] * 2


def test_without_a_name_the_image_gives_it(runner, optical, labels, tmp_path):
    run(runner, tmp_path / "maps", [make_output(labels, optical)])
    assert [p.name for p in (tmp_path / "maps").iterdir()] == ["from_path.v2.tif"]


def test_a_second_test_replaces_the_map(runner, optical, labels, tmp_path):
    for shown in (labels, 2 - labels):
        run(runner, tmp_path / "maps", [make_output(shown, optical, sample_name="place")])
    with rasterio.open(tmp_path / "maps" / "place.tif") as raster:
        np.testing.assert_array_equal(raster.read(1), 2 - labels)


def test_failed_write_leaves_the_old_map(runner, optical, labels, tmp_path):
    folder = tmp_path / "maps"
    run(runner, folder, [make_output(labels, optical, sample_name="place")])
    dataset = runner.test_dataloader.dataset
    dataset.metainfo = dict(classes=CLASSES, palette=[["blue", 0, 0]])
    with pytest.raises((TypeError, ValueError)):
        run(runner, folder, [make_output(2 - labels, optical, sample_name="place")])
    assert [p.name for p in folder.iterdir()] == ["place.tif"]
    with rasterio.open(folder / "place.tif") as raster:
        np.testing.assert_array_equal(raster.read(1), labels)


def test_writes_nothing_unless_asked(runner, optical, labels, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    run(runner, None, [make_output(labels, optical, sample_name="place")])
    LabelMapHook(str(tmp_path / "maps")).after_test_iter(runner, 0, None, None)
    assert sorted(tmp_path.rglob("*")) == before
