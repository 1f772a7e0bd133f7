"""LuojiaSET-OSFCR's samples, splits and classes."""

import re

import pytest
from luojia_patches import SIZE, build, infos, write_patch, write_patches

from mmcloudseg.datasets import LuojiaOSFCRDataset
from mmcloudseg.datasets.luojia_osfcr import split_regions
from mmcloudseg.utils.errors import DataError


@pytest.fixture
def tree(tmp_path, write_raster):
    return write_patches(tmp_path / "set", write_raster)


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
    assert info["label_scale"] == 1.0 and info["sar_scale"] is None
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
