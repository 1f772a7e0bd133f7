"""The configs for files of one's own read files of three grids as what they are."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pytest
from mmseg.registry import DATASETS
from own_files import SIDE_M, STRIPE_M, backscatter_db, label_codes

from mmcloudseg.datasets.verification import leaf_datasets, verify
from mmcloudseg.engine.configs import load_config
from mmcloudseg.engine.model_description import value_ranges


@pytest.fixture
def cfg(root, your_data):
    return load_config(str(root / "configs/cloudseg_your_data.py"), data_root=str(your_data))


def test_nothing_is_found_wrong(cfg):
    ranges = value_ranges(cfg.model.architecture)
    for split, leaf in leaf_datasets(cfg):
        findings = verify(leaf, ranges=ranges)
        assert (findings.problems, findings.warnings) == ([], []), split
        assert findings.samples == dict(train=2, val=1, test=1)[split]


def test_every_pixel_is_that_of_its_place(cfg):
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    packed = dataset[0]
    centres = (np.arange(72) + 0.5) * 30
    label = packed["data_samples"].gt_sem_seg.data[0].numpy()
    sure = np.abs((centres + STRIPE_M / 2) % STRIPE_M - STRIPE_M / 2) > 45
    expected = np.tile(label_codes(centres) - 1, (72, 1))
    assert np.array_equal(label[:, sure], expected[:, sure])

    north = -(np.arange(216) + 0.5) * 10
    sar = packed["inputs"][4:].numpy()
    sure = np.abs(north + SIDE_M / 2) > 40
    assert sar[0][sure].mean(axis=1) == pytest.approx(backscatter_db(north)[sure], abs=1e-3)
    assert sar[0] - sar[1] == pytest.approx(np.full((216, 216), 10 * np.log10(5)), abs=1e-3)

    mask = packed["data_samples"].gt_cloud_mask.data[0].numpy()
    assert set(np.unique(mask)) == {0, 1} and 0.2 < mask.mean() < 0.5  # code 9 of 4, 5, 9


def test_without_cloud_free_images_as_its_comment_says(
    root, your_data, tmp_path, take_one_step, shallow
):
    shutil.copytree(root / "configs", tmp_path / "configs")
    base = tmp_path / "configs/_base_/datasets/your_data.py"
    text = base.read_text().replace('["optical", "sar", "cloud_free"]', '["optical", "sar"]')
    base.write_text(re.sub(r"\n *cloud_free_path=.*", "", text))
    path = tmp_path / "configs/cloudseg_none_your_data.py"
    cfg = load_config(str(path), data_root=str(your_data))
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    assert "cloud_free_path" not in dataset.get_data_info(0)
    assert "gt_cloud_free" not in dataset[0]["data_samples"]
    take_one_step(shallow(cfg))
