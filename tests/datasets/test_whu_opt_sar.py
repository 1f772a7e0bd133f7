import shutil

import numpy as np
import pytest
from mmseg.registry import DATASETS

from mmcloudseg.datasets import WHUOptSARDataset
from mmcloudseg.datasets.conversion import ConversionSettings, convert
from mmcloudseg.procedural import write_mini_whu
from mmcloudseg.utils.errors import DataError

LOADING = [dict(type="LoadRasters"), dict(type="PackCloudSegInputs")]
CLASSES = ("farmland", "city", "village", "water", "forest", "road", "others")
NAMES = dict(
    train=["NH49E001013_r0000_c0000", "NH49E001013_r0000_c0032"],
    val=["NH49E003015_r0000_c0000"],
    test=["NH49E010020_r0000_c0000", "NI49E021011_r0032_c0000"],
)

CONVERSION = ConversionSettings(tile_sizes=(64,), subset=True, jobs=1)


@pytest.fixture
def tree(tmp_path, write_raster):
    """A folder of tiles as the converter leaves it, clear where the cloud mask is 0."""
    rng = np.random.default_rng(0)
    root = tmp_path / "whu" / "32"
    for split, names in NAMES.items():
        for name in names:
            clear = rng.integers(0, 200, (4, 32, 32), np.uint8)
            label = rng.choice([0, 10, 20, 30, 40, 50, 60, 70], (32, 32)).astype(np.uint8)
            tile = dict(optical=clear, sar=rng.integers(0, 255, (32, 32), np.uint8), label=label)
            if split != "train":
                mask = (rng.random((32, 32)) < 0.3).astype(np.uint8)
                tile.update(cloudy=np.where(mask, 240, clear).astype(np.uint8), cloud_mask=mask)
            for folder, pixels in tile.items():
                write_raster(root / folder / f"{name}.tif", pixels, crs=None)
        (root / f"{split}.txt").write_text("".join(f"{name}\n" for name in names))
    (root / "whu_opt_sar.json").write_text("{}")
    return root


def build(tree, split="test", **kwargs):
    settings = dict(data_root=str(tree), ann_file=f"{split}.txt", pipeline=LOADING)
    return DATASETS.build(dict(type="WHUOptSARDataset", **{**settings, **kwargs}))


def test_legend(tree):
    dataset = build(tree)
    assert dataset.metainfo["classes"] == CLASSES
    assert dataset.metainfo["palette"] == [
        [204, 102, 0], [255, 0, 0], [255, 255, 0], [0, 0, 255], [85, 167, 0], [0, 255, 255],
        [153, 102, 153],
    ]  # fmt: skip
    assert dataset.get_data_info(0)["label_codes"] == {
        0: 255, 10: 0, 20: 1, 30: 2, 40: 3, 50: 4, 60: 5, 70: 6
    }  # fmt: skip
    assert dataset.metainfo["bands"]["optical"] == ("red", "green", "blue", "nir")


def test_frozen_clouds(tree):
    info = build(tree).get_data_info(1)
    name = NAMES["test"][1]
    folders = dict(img_path="cloudy", cloud_free_path="optical", sar_path="sar",
                   seg_map_path="label", cloud_mask_path="cloud_mask")  # fmt: skip
    assert {key: info[key] for key in folders} == {
        key: f"{tree}/{folder}/{name}.tif" for key, folder in folders.items()
    }
    assert info["area"] == name.split("_")[0] == "NI49E021011"
    assert info["sample_name"] == name and info["band_counts"] == dict(optical=4, sar=1)
    sample = build(tree)[1]
    fields = sample["data_samples"]
    assert sample["inputs"].shape == (5, 32, 32)
    cloudy = fields.gt_cloud_mask.data[0] == 1
    assert cloudy.any() and (sample["inputs"][:4, cloudy] == 240).all()
    assert (sample["inputs"][:4, ~cloudy] == fields.gt_cloud_free.data[:, ~cloudy]).all()
    assert set(fields.gt_sem_seg.data.unique().tolist()) == {*range(7), 255}


@pytest.mark.parametrize("split", ["train", "test"])
def test_clear_tiles_for_simulated_clouds(tree, split):
    dataset = build(tree, split, clouds="simulated")
    info = dataset.get_data_info(0)
    assert info["img_path"] == info["cloud_free_path"]
    assert info["img_path"] == f"{tree}/optical/{NAMES[split][0]}.tif"
    assert "cloud_mask_path" not in info
    sample = dataset[0]
    assert (sample["inputs"][:4] == sample["data_samples"].gt_cloud_free.data).all()
    assert "gt_cloud_mask" not in sample["data_samples"]


def test_a_teacher_sees_the_clear_tile(tree):
    frozen = build(tree, optical="cloud_free")[0]
    simulated = build(tree, optical="cloud_free", clouds="simulated")[0]
    assert (frozen["inputs"] == simulated["inputs"]).all()
    assert (frozen["inputs"][:4] == frozen["data_samples"].gt_cloud_free.data).all()


def test_some_classes_and_other_folders(tree):
    (tree / "sar").rename(tree / "radar")
    dataset = build(
        tree, metainfo=dict(classes=("water", "forest")), data_prefix=dict(sar_path="radar")
    )
    codes = dataset.get_data_info(0)["label_codes"]
    assert codes == {0: 255, 10: 255, 20: 255, 30: 255, 40: 0, 50: 1, 60: 255, 70: 255}
    assert dataset.metainfo["palette"] == [[0, 0, 255], [85, 167, 0]]
    assert set(dataset[0]["data_samples"].gt_sem_seg.data.unique().tolist()) == {0, 1, 255}


def test_training_tiles_without_frozen_clouds(tree):
    with pytest.raises(DataError) as error:
        build(tree, "train")
    message = str(error.value)
    assert f"{tree}/train.txt: none of its 2 tiles has frozen clouds" in message
    assert f"{tree}/cloudy/{NAMES['train'][0]}.tif" in message
    assert "--freeze-train" in message and "clouds='simulated'" in message
    shutil.copytree(tree / "optical", tree / "cloudy", dirs_exist_ok=True)
    shutil.copytree(tree / "label", tree / "cloud_mask", dirs_exist_ok=True)
    assert len(build(tree, "train")) == 2


def test_one_missing_file_is_told_as_one(tree):
    (tree / "cloudy" / f"{NAMES['test'][0]}.tif").unlink()
    with pytest.raises(
        DataError, match=r"missing files \(1 in all\)[\s\S]*cloudy/NH49E010020[\s\S]*Restore"
    ):
        build(tree)


def test_unknown_mode():
    with pytest.raises(ValueError, match=r"clouds .*'stored' or 'simulated'.*'real'"):
        WHUOptSARDataset(clouds="real")


CONVERTER = "python tools/dataset_converters/whu_opt_sar.py"


MINI = "data/mini_whu-opt-sar_scenes data/mini_whu-opt-sar --tile-size 256 --subset`"


@pytest.mark.parametrize(
    ("root", "commands"),
    [
        ("data/whu-opt-sar/512", [f"{CONVERTER} SCENES {{}}/data/whu-opt-sar`", MINI]),
        ("data/whu/256", [f"{CONVERTER} SCENES {{}}/data/whu --tile-size 256`", MINI]),
        ("mini_whu/128/", ["data/mini_whu-opt-sar_scenes {}/mini_whu --tile-size 128 --subset`"]),
        ("tiles", [f"{CONVERTER} SCENES {{}}/tiles`", MINI]),
    ],
)
def test_missing_root_names_the_commands(tmp_path, root, commands):
    with pytest.raises(DataError) as error:
        build(f"{tmp_path}/{root}")
    message = str(error.value)
    assert f"{tmp_path}/{root}' does not exist" in message and "--data-root PATH" in message
    assert "`python tools/make_mini_whu_opt_sar.py data/mini_whu-opt-sar_scenes`" in message
    for command in commands:
        assert command.format(tmp_path) in message, command


def test_folders_near_the_right_one(tree, tmp_path):
    with pytest.raises(DataError, match=rf"{tree.parent}' .*--data-root {tree}\."):
        build(tree.parent)
    (tmp_path / "published" / "lbl").mkdir(parents=True)
    with pytest.raises(DataError, match=rf"published' .*`{CONVERTER} .*--data-root PATH"):
        build(tmp_path / "published")


def test_what_the_converter_writes_loads(tmp_path):
    write_mini_whu(tmp_path / "scenes", counts=dict(train=4, test=1), size=(70, 100))
    convert(tmp_path / "scenes", tmp_path / "out", CONVERSION)
    tiles = dict(train=2 * 4, val=2 * 4, test=4)
    clouds = dict(train="simulated", val="stored", test="stored")
    for split, count in tiles.items():
        dataset = build(tmp_path / "out" / "64", split, clouds=clouds[split])
        assert len(dataset) == count
        shapes = {tuple(dataset[index]["inputs"].shape) for index in range(count)}
        assert shapes == {(5, 64, 64)}


def test_clouds_drawn_while_loading_are_those_that_the_converter_writes(tmp_path):
    write_mini_whu(tmp_path / "scenes", counts=dict(train=3, test=1), size=(64, 96))
    convert(tmp_path / "scenes", tmp_path / "out", CONVERSION)
    settings = dict(gsd_m=5, wavelengths_um=(0.66, 0.555, 0.485, 0.83), white=(245, 240, 240, 250))
    drawing = [LOADING[0], dict(type="SimulateClouds", **settings), LOADING[1]]
    frozen = build(tmp_path / "out" / "64")
    drawn = build(tmp_path / "out" / "64", clouds="simulated", pipeline=drawing)
    for one, other in zip(frozen, drawn, strict=True):
        masks = [sample["data_samples"].gt_cloud_mask.data for sample in (one, other)]
        assert (masks[0] == masks[1]).all() and masks[0].any()
        assert ((one["inputs"][:4] - other["inputs"][:4]).abs() <= 0.5).all()
