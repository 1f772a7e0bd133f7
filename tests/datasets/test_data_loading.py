"""Datasets under a data loader, as a Runner builds it."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.runner import Runner, set_random_seed

from mmcloudseg.datasets import AlignedRandomCrop
from mmcloudseg.utils.errors import DataError

PIPELINE = [
    dict(type="AlignedRandomCrop", crop_size=40, step=10),
    dict(type="LoadRasters"),
    dict(type="RandomFlip", prob=0.5),
    dict(type="PackCloudSegInputs"),
]


@pytest.fixture
def root(tmp_path, make_m3mcr_tree):
    return make_m3mcr_tree(tmp_path / "tree", train=4, val=0, test=0, size=100)


def loader(root, num_workers, seed=7, **kwargs):
    dataset = dict(
        type="M3MCRDataset",
        data_root=str(root),
        ann_file="train.csv",
        data_prefix=dict(img_path="train"),
        pipeline=PIPELINE,
        **kwargs,
    )
    config = dict(
        batch_size=2,
        num_workers=num_workers,
        persistent_workers=num_workers > 0,
        sampler=dict(type="DefaultSampler", shuffle=True, seed=seed),
        dataset=dataset,
    )
    return Runner.build_dataloader(config, seed=seed)


def epochs(data_loader, count):
    batches = []
    for _ in range(count):
        for batch in data_loader:
            samples = batch["data_samples"]
            names = [sample.sample_name for sample in samples]
            windows = [sample.crop_window for sample in samples]
            batches.append((names, windows, torch.stack(batch["inputs"]).sum().item()))
    return batches


@pytest.mark.parametrize("num_workers", [0, 2])
def test_the_same_seed_gives_the_same_batches(root, num_workers):
    runs = []
    for seed in (7, 7, 8):
        set_random_seed(seed)
        runs.append(epochs(loader(root, num_workers, seed), 2))
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]
    assert len({str(windows) for _, windows, _ in runs[0]}) > 1


def test_workers_give_the_values_that_one_process_gives(root):
    def values(num_workers):
        data_loader = loader(root, num_workers)
        data_loader.dataset.pipeline.transforms = data_loader.dataset.pipeline.transforms[1::2]
        found = {}
        for batch in data_loader:
            for inputs, sample in zip(batch["inputs"], batch["data_samples"], strict=True):
                found[sample.sample_name] = (inputs, sample.gt_sem_seg.data)
        return found

    alone, shared_out = values(0), values(2)
    assert alone.keys() == shared_out.keys() and len(alone) == 4
    for name, pair in alone.items():
        for one, other in zip(pair, shared_out[name], strict=True):
            assert torch.equal(one, other)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")
def test_no_file_stays_open(root):
    data_loader = loader(root, 0)
    epochs(data_loader, 1)
    held = [os.path.realpath(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")]
    assert not [path for path in held if path.startswith(str(root))]


def test_an_error_in_a_worker_keeps_its_text(root):
    data_loader = loader(root, 1, num_header_checks=0)
    path = Path(data_loader.dataset.get_data_info(2)["img_path"])
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DataError, match=rf"{path.name}: cannot be read[\s\S]*download it again"):
        epochs(data_loader, 1)


def test_the_seed_governs_the_crops():
    def draw():
        set_random_seed(911)
        results = AlignedRandomCrop(160)(dict(img=np.arange(90000).reshape(300, 300, 1)))
        return divmod(int(results["img"][0, 0, 0]), 300)

    assert draw() == draw() == (70, 60)
