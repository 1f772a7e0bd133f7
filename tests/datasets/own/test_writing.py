"""Written configs say what was found, and their data sets read it."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from mmengine.config import Config
from mmseg.registry import DATASETS

from mmcloudseg.datasets.own import Stated, survey, write_configs
from mmcloudseg.datasets.verification import leaf_datasets, verify
from mmcloudseg.engine.configs import load_config, networks
from mmcloudseg.engine.model_description import value_ranges
from mmcloudseg.utils.errors import DataError

SIDE = 128


@pytest.fixture
def written(root, tmp_path):
    """``written(data)``: the config and its path, after every file has been verified."""

    def written(folder, stated=None, verified=True, **options):
        data = survey(str(folder), stated)
        made = write_configs(
            data, tmp_path / "configs/cloudseg_mine.py", root / "configs", **options
        )
        cfg = load_config(str(made.config))
        ranges = value_ranges(networks(cfg)[0])
        for split, leaf in leaf_datasets(cfg) if verified else ():
            findings = verify(leaf, ranges=ranges)
            assert findings.problems == [], split
            assert findings.samples > 0
        return cfg, made

    return written


def test_student_teacher_and_lists(make, written, tmp_path):
    cfg, made = written(make(clear="clear/{}.tif", mask="masks_clouds/{}.tif"))
    files = {path.relative_to(tmp_path / "configs").as_posix()
             for path in (tmp_path / "configs").rglob("*.py")}  # fmt: skip
    assert files == {
        "_base_/datasets/mine.py", "cloudseg_mine.py", "cloudseg_student_mine.py",
        "cloudseg_teacher_mine.py",
    }  # fmt: skip
    assert cfg.model.type == "CloudFreeTeacherDistill"
    assert cfg.model.teacher_ckpt == "work_dirs/cloudseg_teacher_mine/best.pth"
    student, teacher = networks(cfg)
    assert student.decode_head.num_classes == teacher.decode_head.num_classes == 3
    assert student.backbone.bands == dict(optical=4, sar=2)
    assert student.backbone.stream == "mit-b4"
    assert cfg.train_dataloader.dataset.pipeline[0].type == "LoadRasters"  # 128 x 128 is no crop
    with open(made.lists["test"]) as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 1 and rows[0]["img_path"] == rows[0]["cloud_mask_path"]
    assert made.lists["train"] == tmp_path / "data/mine_train.csv"


def test_the_teacher_sees_clear_images(make, written):
    _, made = written(make(clear="clear/{}.tif"))
    teacher = load_config(str(made.config.with_name("cloudseg_teacher_mine.py")))
    dataset = DATASETS.build(teacher.train_dataloader.dataset)
    assert "/clear/" in dataset.get_data_info(0)["img_path"]


def test_without_cloud_free_images_land_cover_alone(make, written, tmp_path):
    cfg, _ = written(make(), small=True)
    assert not (tmp_path / "configs/cloudseg_teacher_mine.py").exists()
    assert cfg.model.type == "CloudSeg" and cfg.model.auxiliary_head is None
    assert cfg.model.backbone.stream == "mit-b0" and cfg.train_cfg.max_iters == 400
    assert "gt_cloud_free" not in DATASETS.build(cfg.train_dataloader.dataset)[0]["data_samples"]


def test_three_grids_linear_sar_and_scene_classes(your_data, written):
    stated = Stated(
        classes={1: "water", 2: "forest", 3: "fields", 4: "towns"}, sar_bands=["VV", "VH"]
    )
    cfg, _ = written(your_data, stated, crop_size=128, overwrite=True)
    dataset = cfg.train_dataloader.dataset
    assert dataset.align == "warp" and dataset.label_scale == pytest.approx(1 / 3)
    assert dataset.radiometry.sar == dict(unit="linear")
    assert dataset.cloud_mask_codes == "s2_scl"
    assert dataset.label_codes == {0: 255, 1: 0, 2: 1, 3: 2, 4: 3, 255: 255}
    crop = dataset.pipeline[0]
    assert (crop.type, crop.crop_size, crop.step) == ("AlignedRandomCrop", 192, 3)
    packed = DATASETS.build(dataset)[0]
    assert packed["inputs"].shape == (6, 192, 192)
    assert packed["data_samples"].gt_sem_seg.data.shape == (1, 64, 64)
    assert packed["inputs"][4].numpy().max() == pytest.approx(-11, abs=1e-3)


def test_what_is_not_known_is_asked_for(make, written, tmp_path):
    doubtful = dict(
        optical=lambda rng: rng.integers(8000, 20000, (4, SIDE, SIDE)).astype(np.uint16),
        mask=lambda rng: rng.integers(0, 101, (SIDE, SIDE)).astype(np.uint8),
    )
    cfg, _ = written(make(mask="cloudprob/{}.tif", draw=doubtful))
    text = (tmp_path / "configs/_base_/datasets/mine.py").read_text()
    asked = [line for line in text.splitlines() if "# CHANGE:" in line]
    assert [any(word in line for line in asked) for word in
            ("--optical-unit", "names of the classes", "probability", "name these bands")] == [
        True, True, True, True,
    ]  # fmt: skip
    assert 'bands=dict(optical=["blue", "green", "red", "nir"], sar=["VV", "VH"])' in text
    dataset = cfg.train_dataloader.dataset
    assert dataset.cloud_mask_threshold == 40 and "optical" not in dataset.radiometry
    assert cfg.model.data_preprocessor.optical.low[0] == pytest.approx(8100, abs=100)


def test_the_offset_of_sentinel2_is_written(make, written):
    product = "S2A_MSIL2A_2023061{}T103629_N0509_R008_T32UNE_20230610T165900"
    bright = dict(optical=lambda rng: rng.integers(1050, 5000, (4, SIDE, SIDE)).astype(np.uint16))
    cfg, _ = written(make(names=[product.format(i) for i in range(5)], draw=bright))
    dataset = cfg.train_dataloader.dataset
    assert dataset.radiometry.optical == dict(unit="reflectance_x10000", offset=-1000)
    assert DATASETS.build(dataset)[0]["inputs"][:4].min() < 60


def test_known_bands_bring_simulated_clouds(make, written):
    bands = Stated(optical_bands=["blue", "green", "red", "nir"], sar_bands=["VV", "VH"])
    cfg, _ = written(make(), bands)
    assert cfg.simulated_clouds.wavelengths_um == [0.490, 0.565, 0.665, 0.865]
    assert (cfg.simulated_clouds.gsd_m, cfg.simulated_clouds.scale) == (10, 10000)
    assert cfg.train_dataloader.dataset.metainfo.bands.sar == ["VV", "VH"]


def test_a_list_that_is_left_out_is_said(make, written, tmp_path):
    cfg, _ = written(make(), Stated(fractions=(0.75, 0, 0.25)))
    assert cfg.val_dataloader.dataset.ann_file == cfg.train_dataloader.dataset.ann_file
    assert "the training samples" in (tmp_path / "configs/_base_/datasets/mine.py").read_text()


def test_nothing_is_overwritten(make, written, tmp_path):
    root = make()
    written(root)
    (tmp_path / "configs/cloudseg_mine.py").unlink()
    with pytest.raises(DataError, match=r"(?s)mine_train\.csv.*--overwrite"):
        written(root)
    assert not (tmp_path / "configs/cloudseg_mine.py").exists()
    written(root, overwrite=True)


def test_configs_next_to_the_shipped_ones_name_them_shortly(make, root, tmp_path):
    data = survey(str(make(clear="clear/{}.tif")))
    shipped = tmp_path / "project/configs"
    shipped.mkdir(parents=True)
    for name in ("cloudseg", "cloudseg_student", "cloudseg_teacher"):
        text = (root / f"configs/{name}_your_data.py").read_text()
        (shipped / f"{name}_your_data.py").write_text(text)
    made = write_configs(data, shipped / "fields.py", shipped, lists=tmp_path)
    text = (shipped / "student_fields.py").read_text()
    assert '"_base_/models/cloudseg_mit-b4.py"' in text
    assert '"_base_/datasets/fields.py"' in text
    assert 'teacher_config = "teacher_fields.py"' in made.config.read_text()
    assert Config.fromfile(shipped / "_base_/datasets/fields.py").network.decode_head.num_classes
