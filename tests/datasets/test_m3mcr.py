import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from mmengine.dataset import RepeatDataset
from mmseg.registry import DATASETS

from mmcloudseg.datasets.m3mcr import LEVELS, area_number, is_held_out
from mmcloudseg.utils.errors import DataError

LOADING = [dict(type="LoadRasters"), dict(type="PackCloudSegInputs")]


@pytest.fixture
def tree(tmp_path, make_m3mcr_tree):
    return make_m3mcr_tree(tmp_path / "m3mcr", train=3, size=40)


def build(tree, split="train", **kwargs):
    settings = dict(ann_file=f"{split}.csv", data_prefix=dict(img_path=split), pipeline=LOADING)
    config = dict(type="M3MCRDataset", data_root=str(tree), **{**settings, **kwargs})
    return DATASETS.build(config)


def names(dataset):
    return [dataset.get_data_info(index)["sample_name"] for index in range(len(dataset))]


def test_data_info(tree):
    info = build(tree).get_data_info(1)
    folder = f"{tree}/train"
    assert (
        info["img_path"]
        == f"{folder}/planet_cloudy_fall/planet_cloudy_fall_2/planet_cloudy_fall_2_p_8.tif"
    )
    assert info["sar_path"] == f"{folder}/S1_fall/S1_fall_2/S1_fall_2_p_8.tif"
    assert info["cloud_free_path"].endswith("planet_cloudfree_fall_2_p_8.tif")
    assert info["cloud_mask_path"].endswith("cloudmask_fall_2_p_8.npy")
    assert info["seg_map_path"].endswith("landcover_fall_2_p_8.tif")
    assert info["sample_name"] == "fall_2_p_8" and info["area"] == "2"
    assert info["label_scale"] == info["sar_scale"] == 0.3
    assert info["band_counts"] == dict(optical=4, sar=2)
    assert info["seg_fields"] == [] and info["reduce_zero_label"] is False


def test_coarse_classes_of_the_codes(tree):
    dataset = build(tree)
    classes = dataset.metainfo["classes"]
    assert classes == ("forest", "rangeland", "agriculture", "urban", "barren", "water")
    assert dataset.get_data_info(0)["label_codes"] == {
        10: 0, 20: 1, 30: 1, 40: 2, 50: 3, 60: 4, 80: 5, 90: 5, 70: 255, 95: 255, 100: 255, 0: 255
    }  # fmt: skip
    assert len(dataset.metainfo["palette"]) == 6


def test_fine_classes_follow_the_codes(tree):
    dataset = build(tree, level="fine")
    codes = dataset.get_data_info(0)["label_codes"]
    assert len(dataset.metainfo["classes"]) == len(dataset.metainfo["palette"]) == 11
    assert dataset.metainfo["classes"][5] == "bare / sparse vegetation"
    assert codes.pop(0) == 255
    assert sorted(codes, key=codes.get) == [10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 100]
    assert sorted(codes.values()) == list(range(11))


@pytest.mark.parametrize(
    ("level", "chosen", "codes"),
    [
        ("coarse", ["water", "forest"], {80: 0, 90: 0, 10: 1, 30: 255, 50: 255, 0: 255}),
        ("fine", ["built-up", "mangroves"], {50: 0, 95: 1, 10: 255, 80: 255}),
    ],
)
def test_some_classes_in_another_order(tree, level, chosen, codes):
    dataset = build(tree, level=level, metainfo=dict(classes=chosen))
    legend = dataset.get_data_info(0)["label_codes"]
    assert {code: legend[code] for code in codes} == codes
    whole = dict(zip(LEVELS[level]["classes"], LEVELS[level]["palette"], strict=True))
    assert dataset.metainfo["palette"] == [whole[name] for name in chosen]
    labels = set(dataset[0]["data_samples"].gt_sem_seg.data.unique().tolist())
    assert labels <= {0, 1, 255} and 255 in labels


def test_classes_of_no_level(tree):
    with pytest.raises(ValueError, match=r"\['forest', 'mangroves'\].*metainfo.*'coarse'.*'fine'"):
        build(tree, metainfo=dict(classes=["forest", "mangroves"]))
    with pytest.raises(ValueError, match=r"level .*\['coarse', 'fine'\].*'medium'"):
        build(tree, level="medium")


def test_a_folder_without_a_list_gives_the_same_samples(tree):
    by_list = [build(tree).get_data_info(index) for index in range(3)]
    folder = build(tree, ann_file="")
    assert [folder.get_data_info(index) for index in range(3)] == by_list


def test_indices_and_repetition(tree):
    assert names(build(tree, indices=2)) == ["fall_1_p_7", "fall_2_p_8"]
    assert names(build(tree, indices=[2])) == ["fall_3_p_9"]
    repeated = RepeatDataset(build(tree), times=4)
    assert len(repeated) == 12
    first, again = repeated[1], repeated[4]
    assert (first["inputs"] == again["inputs"]).all()


def test_without_serialisation_a_sample_is_not_changed_by_loading(tree):
    dataset = build(tree, serialize_data=False)
    first = dataset[0]
    second = dataset[0]
    assert (first["inputs"] == second["inputs"]).all()
    assert dataset.data_list[0]["seg_fields"] == []


def test_a_teacher_sees_the_clear_image(tree):
    cloudy, clear = build(tree), build(tree, optical="cloud_free")
    assert names(clear) == names(cloudy)
    inputs, expected = clear[0]["inputs"], cloudy[0]
    assert (inputs[:4] == expected["data_samples"].gt_cloud_free.data).all()
    assert (inputs[4:] == expected["inputs"][4:]).all()
    assert (inputs[:4] != expected["inputs"][:4]).any()
    with pytest.raises(ValueError, match=r"optical .*'cloudy' or 'cloud_free'.*'clear'"):
        build(tree, optical="clear")


def test_holdout_splits_by_area(tmp_path, make_m3mcr_tree):
    tree = make_m3mcr_tree(tmp_path / "many", train=40, val=0, test=0, size=10)
    rows = (tree / "train.csv").read_text().splitlines()
    # A second patch of the first area, and the same area in another season.
    copies = [rows[0].replace("_p_7", "_p_1000"), rows[0].replace("fall", "spring")]
    for old, new in zip(rows[0].split(",") * 2, ",".join(copies).split(","), strict=True):
        (tree / "train" / new).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(tree / "train" / old, tree / "train" / new)
    (tree / "train.csv").write_text("\n".join(rows + copies))

    kept = names(build(tree, holdout_fraction=0.3))
    held = names(build(tree, holdout_fraction=0.3, holdout="only"))
    areas = [{name.split("_")[1] for name in group} for group in (kept, held)]
    assert len(kept) + len(held) == 42 and not areas[0] & areas[1]
    assert 4 <= len(areas[1]) <= 20
    assert names(build(tree, holdout_fraction=0.3)) == kept
    more = names(build(tree, holdout_fraction=0.6, holdout="only"))
    assert set(held) < set(more)


def test_holdout_does_not_depend_on_the_platform():
    assert [area for area in range(40) if is_held_out(area, 0.1)] == [11, 15, 18, 21]
    share = np.mean([is_held_out(area, 0.1) for area in range(20000)])
    assert share == pytest.approx(0.1, abs=0.01)
    assert not any(is_held_out(area, 0.0) for area in range(100))
    assert all(is_held_out(area, 1.0) for area in range(100))


def test_holdout_that_leaves_nothing(tree):
    with pytest.raises(DataError, match=r"train\.csv: no samples.*choose another fraction"):
        build(tree, holdout="only", holdout_fraction=0.0)
    with pytest.raises(ValueError, match=r"holdout .*'exclude' or 'only'.*'none'"):
        build(tree, holdout="none")
    with pytest.raises(ValueError, match=r"holdout_fraction 0 to 1.* 20"):
        build(tree, holdout_fraction=20)


def test_areas_are_places_whatever_the_season(tree):
    dataset = build(tree)
    assert dataset.area("x/planet_cloudy_summer_12_p_4.tif") == "12"
    # Without a number a sample is an area of its own, and no error: nothing is held out by it.
    assert dataset.area("a/planet_cloudy_b.tif") == "b"


def test_area_number():
    assert area_number("x/planet_cloudy_fall_12/planet_cloudy_fall_12_p_457.tif") == 12
    assert area_number("x/planet_cloudy_fall_12/renamed.tif") == 12
    with pytest.raises(
        DataError, match=r"a/b\.tif: .*planet_cloudy_SEASON_AREA.*Rename.*holdout_fraction=0"
    ):
        area_number("a/b.tif")


@pytest.mark.parametrize(
    ("root", "made"),
    [("mini_m3mcr", "{root}"), ("m3mcr", "data/mini_m3mcr")],
)
def test_missing_data_root(tmp_path, root, made):
    root = str(tmp_path / root)
    command = f"python tools/make_mini_m3mcr.py {made.format(root=root)}`"
    with pytest.raises(DataError, match=re.escape(command)) as error:
        build(root)
    assert f"{root!r} does not exist" in str(error.value)
    assert "--data-root PATH" in str(error.value)


def test_missing_list(tree):
    with pytest.raises(DataError, match=r"other\.csv: no such list.*ann_file.*--data-root PATH"):
        build(tree, ann_file="other.csv")


def test_missing_files_are_named_and_counted(tree):
    info = build(tree).get_data_info(0)
    Path(info["sar_path"]).unlink()
    with pytest.raises(DataError) as error:
        build(tree)
    message = str(error.value)
    assert f"{info['sar_path']} of {info['img_path']}" in message
    assert "train.csv: missing files (1 in all)" in message and "Restore them" in message
    shutil.rmtree(tree / "train" / "planet_cloudy_fall")
    shutil.rmtree(tree / "train" / "landcover_fall")
    with pytest.raises(DataError, match=r"\(7 in all\)[\s\S]*and 2 more"):
        build(tree)


def test_wrong_number_of_columns(tree):
    lines = (tree / "train.csv").read_text().splitlines()
    (tree / "train.csv").write_text("\n".join([lines[0], "a.tif,b.tif", "", lines[2]]))
    with pytest.raises(
        DataError, match=r"train\.csv: rows that[\s\S]*row 2: 2 columns[\s\S]*Each row"
    ):
        build(tree)


def test_empty_list(tree):
    (tree / "train.csv").write_text("\n")
    with pytest.raises(DataError, match=r"train\.csv: no samples.*Expected rows of a CSV list"):
        build(tree)


def test_lazy_init_looks_at_nothing(tmp_path):
    dataset = build(tmp_path / "absent", lazy_init=True)
    assert dataset.metainfo["classes"][0] == "forest"


def test_published_samples(shared):
    for split, area in (("train", "fall_1_p_457"), ("test", "summer_33_p_1")):
        dataset = build(shared / "m3mcr_sample", split)
        assert names(dataset) == [area]
        sample = dataset[0]
        assert sample["inputs"].shape == (6, 300, 300)
        assert sample["data_samples"].gt_sem_seg.data.shape == (1, 90, 90)
        assert len(build(shared / "m3mcr_sample", split, ann_file="")) == 1
