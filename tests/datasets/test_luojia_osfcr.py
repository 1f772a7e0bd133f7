import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from mmseg.registry import DATASETS

from mmcloudseg.datasets import LuojiaOSFCRDataset
from mmcloudseg.datasets.luojia_osfcr import split_regions
from mmcloudseg.utils.errors import DataError

LOADING = [dict(type="LoadRasters"), dict(type="PackCloudSegInputs")]
BINS = ("0-20%", "20%-40%", "40%-60%", "60%-80%", "80%-100%")
SIZE = 8


def write_patch(root, write_raster, cover_bin, roi, number, seed=0, mask_type="s2_cloudy"):
    """Five files in the published layout, with random values."""
    rng = np.random.default_rng(seed)
    folder, grid = Path(root) / cover_bin, dict(transform=Affine(10, 0, 5000, 0, -10, 9000))
    clear = rng.integers(100, 5000, (13, SIZE, SIZE)).astype(np.uint16)
    mask = rng.random((SIZE, SIZE)) < 0.5
    cloudy = np.where(mask, clear // 2 + 4000, clear).astype(np.uint16)
    radar = rng.normal(-12, 4, (2, SIZE, SIZE)).astype(np.float32)
    codes = rng.integers(0, 6, (SIZE, SIZE)).astype(np.uint8)
    for kind, name, pixels in (
        ("s1", "s1", radar),
        ("s2", "s2", clear),
        ("s2_cloudy", "s2_cloudy", cloudy),
        ("cloud_detection_results", mask_type, mask.astype(np.uint8)),
        ("land_cover_maps", "s2", codes),
    ):
        write_raster(folder / kind / f"ROIs_{roi}_{name}_p{number}.tif", pixels, **grid)


@pytest.fixture
def tree(tmp_path, write_raster):
    """Six regions; each has a patch in every bin, the same patch in the first two."""
    for place, cover_bin in enumerate(BINS):
        for roi in ("01", "02", "03", "04", "05", "1158"):
            number = 7 if place < 2 else 100 + place
            write_patch(tmp_path / "set", write_raster, cover_bin, roi, number, place)
    return tmp_path / "set"


def build(tree, split="train", **kwargs):
    config = dict(type="LuojiaOSFCRDataset", data_root=str(tree), split=split, pipeline=LOADING)
    return DATASETS.build({**config, **kwargs})


def infos(dataset):
    return [dataset.get_data_info(index) for index in range(len(dataset))]


def regions(dataset):
    return {info["sample_name"].split("_")[1] for info in infos(dataset)}


def test_data_info(tree):
    (info,) = (
        info
        for info in infos(build(tree, fractions=(1, 0, 0)))
        if info["sample_name"] == "ROIs_1158_p7_20-40"
    )
    folder = f"{tree}/20%-40%"
    assert info["img_path"] == f"{folder}/s2_cloudy/ROIs_1158_s2_cloudy_p7.tif"
    assert info["cloud_free_path"] == f"{folder}/s2/ROIs_1158_s2_p7.tif"
    assert info["sar_path"] == f"{folder}/s1/ROIs_1158_s1_p7.tif"
    cloud_mask = f"{folder}/cloud_detection_results/ROIs_1158_s2_cloudy_p7.tif"
    assert info["cloud_mask_path"] == cloud_mask
    assert info["seg_map_path"] == f"{folder}/land_cover_maps/ROIs_1158_s2_p7.tif"
    assert info["cloud_cover_bin"] == "20-40%"
    assert info["band_counts"] == dict(optical=13, sar=2)
    assert info["label_scale"] == info["sar_scale"] == 1.0
    assert info["label_codes"] == {**{code: code for code in range(6)}, 255: 255}


def test_names_differ_and_are_fit_for_files(tree):
    names = [info["sample_name"] for info in infos(build(tree, fractions=(1, 0, 0)))]
    assert len(set(names)) == len(names) == 30
    assert all(re.fullmatch(r"[\w-]+", name) for name in names)
    assert {"ROIs_01_p7_0-20", "ROIs_01_p7_20-40"} <= set(names)


def test_metainfo(tree):
    metainfo = build(tree).metainfo
    assert metainfo["classes"] == tuple(f"class {code}" for code in range(6))
    assert len(metainfo["palette"]) == 6
    optical = metainfo["bands"]["optical"]
    assert len(optical) == 13 and optical[7:11] == ("B08", "B8A", "B09", "B10")
    assert (optical[0], optical[-1]) == ("B01", "B12")
    assert metainfo["bands"]["sar"] == ("VV", "VH")
    bins = LuojiaOSFCRDataset.METAINFO["cloud_cover_bins"]
    assert bins == ("0-20%", "20-40%", "40-60%", "60-80%", "80-100%")
    found = {info["cloud_cover_bin"] for info in infos(build(tree))}
    assert found == set(bins)


def test_splits_are_of_whole_regions(tree):
    splits = [build(tree, split) for split in ("train", "val", "test")]
    parts = [regions(split) for split in splits]
    assert [len(part) for part in parts] == [4, 1, 1]
    assert set().union(*parts) == {"01", "02", "03", "04", "05", "1158"}
    assert [len(split) for split in splits] == [20, 5, 5]


def test_the_split_depends_on_the_seed_not_on_the_bins(tree):
    held = {seed: regions(build(tree, "test", split_seed=seed)) for seed in range(8)}
    assert held[0] == regions(build(tree, "test"))
    assert len(set(map(frozenset, held.values()))) > 2
    some = build(tree, "test", cover_bins=["80-100%"])
    assert regions(some) == held[0] and len(some) == 1
    # Regions of other bins count, whatever bins are asked for.
    for path in (tree / "80%-100%").glob("*/ROIs_01_*"):
        path.unlink()
    assert regions(build(tree, "val")) == regions(build(tree, "val", cover_bins=["0-20%"]))
    trained = regions(build(tree, cover_bins=["80-100%"]))
    assert trained == regions(build(tree)) - {"01"}


def test_split_regions():
    rois = [f"{number:02d}" for number in range(40)]
    parts = split_regions(reversed(rois), 0, (0.8, 0.1, 0.1))
    assert [len(parts[split]) for split in ("train", "val", "test")] == [32, 4, 4]
    assert parts["train"] | parts["val"] | parts["test"] == set(rois)
    # On every platform and Python.
    assert sorted(parts["val"]) == ["11", "16", "22", "38"]
    for total in range(30):
        for fractions in ((0.8, 0.1, 0.1), (0.05, 0.5, 0.45), (0.34, 0.33, 0.33)):
            sizes = [len(part) for part in split_regions(rois[:total], 3, fractions).values()]
            assert sum(sizes) == total
            assert min(sizes) >= 1 or total < 3
            assert max(abs(s - f * total) for s, f in zip(sizes, fractions, strict=True)) < 2
    assert split_regions(rois, 0, (0.9, 0, 0.1))["val"] == set()


@pytest.mark.parametrize("spelling", ["20-40%", "20%-40%", "20-40"])
def test_bins_in_any_spelling(tree, spelling):
    (tree / "20%-40%").rename(tree / spelling)
    for asked in ("20-40%", "20%-40%", "20-40"):
        dataset = build(tree, cover_bins=[asked, "20-40%"])
        assert len(dataset) == 4
        assert {info["cloud_cover_bin"] for info in infos(dataset)} == {"20-40%"}


def test_unknown_bins_and_folders_that_are_there_twice(tree):
    with pytest.raises(ValueError, match=r"cover_bins must be some of .*'80-100%'.*\['10-20%'\]"):
        build(tree, cover_bins=["10-20%"])
    shutil.copytree(tree / "0-20%", tree / "0%-20%")
    with pytest.raises(DataError, match=r"0-20%: expected one folder of 0-20%.*Move one"):
        build(tree)


@pytest.mark.parametrize("mask_type", ["s2_cloudy", "s2", "mask", "cloud_detection"])
def test_masks_are_found_by_region_and_number(tmp_path, write_raster, mask_type):
    for roi in ("1", "2", "11"):
        write_patch(tmp_path, write_raster, "0-20%", roi, 1, mask_type=mask_type)
    (info,) = infos(build(tmp_path, "val", cover_bins=["0-20%"]))
    roi = info["sample_name"].split("_")[1]
    assert info["cloud_mask_path"].endswith(f"ROIs_{roi}_{mask_type}_p1.tif")


def test_loaded_samples(tree):
    dataset = build(tree)
    sample = dataset[0]
    assert sample["inputs"].shape == (15, SIZE, SIZE)
    fields = sample["data_samples"]
    assert fields.gt_cloud_free.data.shape == (13, SIZE, SIZE)
    assert set(fields.gt_cloud_mask.data.unique().tolist()) == {0, 1}
    assert set(fields.gt_sem_seg.data.unique().tolist()) <= set(range(6))
    assert fields.cloud_cover_bin == "0-20%"
    assert fields.sample_name == dataset.get_data_info(0)["sample_name"]
    assert fields.area == "_".join(fields.sample_name.split("_")[:2])


def test_a_teacher_sees_the_clear_image(tree):
    cloudy, clear = build(tree), build(tree, optical="cloud_free")
    names = [[info["sample_name"] for info in infos(dataset)] for dataset in (cloudy, clear)]
    assert names[0] == names[1]
    assert infos(clear)[0]["cloud_cover_bin"] == "0-20%"
    expected = cloudy[0]
    assert (clear[0]["inputs"][:13] == expected["data_samples"].gt_cloud_free.data).all()
    assert (clear[0]["inputs"][:13] != expected["inputs"][:13]).any()


def test_classes_may_be_named(tree):
    names = ["forest", "grass", "crops", "built", "barren", "water"]
    dataset = build(tree, metainfo=dict(classes=names))
    assert list(dataset.metainfo["classes"]) == names
    assert dataset.get_data_info(0)["label_codes"] == build(tree).get_data_info(0)["label_codes"]
    assert dataset.metainfo["palette"] == build(tree).metainfo["palette"]


def test_some_classes_in_another_order(tree):
    dataset = build(tree, metainfo=dict(classes=["class 5", "class 1"]))
    codes = dataset.get_data_info(0)["label_codes"]
    assert codes == {5: 0, 1: 1, 0: 255, 2: 255, 3: 255, 4: 255, 255: 255}
    palette = LuojiaOSFCRDataset.METAINFO["palette"]
    assert dataset.metainfo["palette"] == [palette[5], palette[1]]


@pytest.mark.parametrize("names", [["forest", "water"], ["a"] * 6])
def test_classes_that_cannot_be_told(tree, names):
    with pytest.raises(ValueError, match=rf"classes .*6 names.*{names[0]}"):
        build(tree, metainfo=dict(classes=names))


def test_ignored_and_unknown_codes(tree, edit_raster):
    dataset = build(tree)
    path = dataset.get_data_info(0)["seg_map_path"]

    def put(code):
        def change(pixels):
            pixels[0, 0, 0] = code
            return pixels

        return change

    edit_raster(path, put(255))
    assert dataset[0]["data_samples"].gt_sem_seg.data[0, 0, 0] == 255
    edit_raster(path, put(6))
    with pytest.raises(DataError, match=rf"{re.escape(path)}: unknown label code 6.*label_codes"):
        dataset[0]
    assert build(tree, label_codes={code: code % 6 for code in range(7)})[0]


def test_everything_that_is_missing_or_unpaired_is_named_at_once(tree):
    (tree / "0-20%" / "s1" / "ROIs_01_s1_p7.tif").unlink()
    (tree / "40%-60%" / "s2_cloudy" / "ROIs_02_s2_cloudy_p102.tif").unlink()
    shutil.rmtree(tree / "80%-100%")
    masks = tree / "60%-80%" / "cloud_detection_results"
    shutil.copy(masks / "ROIs_03_s2_cloudy_p103.tif", masks / "ROIs_03_s2_p103.tif")
    (masks / "overview.tif").write_text("")
    (masks / "ROIs_03_s2_cloudy_p103.tif.aux.xml").write_text("")
    with pytest.raises(DataError) as error:
        # The problems of all splits, so that validation does not find them hours later.
        build(tree, "val")
    message = str(error.value)
    assert f"{tree}: missing or unpaired (5 in all)" in message
    first, third = tree / "0-20%", tree / "40%-60%"
    for line in (
        f"SAR image {first}/s1/ROIs_01_*_p7.tif of {first}/s2_cloudy/ROIs_01_s2_cloudy_p7.tif: no",
        f"optical image {third}/s2_cloudy/ROIs_02_*_p102.tif of {third}/s1/ROIs_02_s1_p102.tif",
        f"{masks}/ROIs_03_s2_p103.tif",
        "is of the same patch as",
        f"{masks}/overview.tif: expected a name such as ROIs_03_cloud_detection_results_p1104.tif",
        f"folder of 80-100% cloud cover: none in {tree}",
    ):
        assert line in message
    assert "cover_bins" in message


def test_a_patch_without_one_kind_of_file_at_all(tree):
    shutil.rmtree(tree / "20%-40%" / "land_cover_maps")
    with pytest.raises(DataError, match=r"\(6 in all\)[\s\S]*label .*land_cover_maps/ROIs_01_\*"):
        build(tree)
    assert len(build(tree, cover_bins=["0-20%"])) == 4


def test_files_that_do_not_fit_are_named(tree, edit_raster):
    path = build(tree).get_data_info(0)["img_path"]
    edit_raster(path, lambda pixels: pixels[:12])
    with pytest.raises(DataError, match=rf"{re.escape(path)}: has 12 band\(s\), expected 13"):
        build(tree)


def test_missing_data_root(tmp_path):
    with pytest.raises(DataError) as error:
        build(tmp_path / "absent")
    message = str(error.value)
    assert f"{str(tmp_path / 'absent')!r} does not exist" in message
    assert "https://github.com/RSIIPAC/LuojiaSET-OSFCR" in message
    assert "`python tools/make_mini_luojia.py data/mini_luojia-osfcr`" in message
    assert "--data-root PATH" in message


def test_a_split_without_regions(tmp_path, write_raster):
    for roi in ("01", "02"):
        write_patch(tmp_path, write_raster, "0-20%", roi, 1)
    assert len(build(tmp_path, cover_bins=["0-20"])) == 2
    with pytest.raises(DataError, match=r"no samples\. No region .*split='val'.*other fractions"):
        build(tmp_path, "val", cover_bins=["0-20"])


@pytest.mark.parametrize("fractions", [(0.8, 0.2), (0.8, 0.1, 0.2), (1.2, -0.1, -0.1)])
def test_wrong_fractions_and_splits(tree, fractions):
    with pytest.raises(ValueError, match=rf"fractions .*3 numbers.*{re.escape(str(fractions))}"):
        build(tree, fractions=fractions)
    with pytest.raises(ValueError, match=r"split must be one of .* found 'dev'"):
        build(tree, "dev")


def test_lazy_init_looks_at_nothing(tmp_path):
    assert build(tmp_path / "absent", lazy_init=True).metainfo["classes"][0] == "class 0"


def test_the_miniature_set(tmp_path):
    from mmcloudseg.procedural import write_mini_luojia

    write_mini_luojia(tmp_path / "mini", rois=3, patches_per_roi=4)
    for split in ("train", "val", "test"):
        dataset = build(tmp_path / "mini", split)
        assert len(dataset) == 5
        assert len({info["cloud_cover_bin"] for info in infos(dataset)}) == 4
        for sample in dataset:
            low = int(sample["data_samples"].cloud_cover_bin.split("-")[0]) / 100
            assert low < sample["data_samples"].cloud_cover < low + 0.2


def test_a_name_of_another_form_is_refused(mini_luojia):
    dataset = LuojiaOSFCRDataset(data_root=str(mini_luojia), pipeline=[], lazy_init=True)
    with pytest.raises(DataError, match=r"scene\.tif.*ROIs_03_s2_cloudy_p1104\.tif"):
        dataset.sample_name("0-20%/s2_cloudy/scene.tif")
