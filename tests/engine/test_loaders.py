from __future__ import annotations

import pytest
import torch
from mmengine.dataset import DefaultSampler, InfiniteSampler
from torch.utils.data import BatchSampler, DataLoader, Dataset, IterableDataset, SequentialSampler

from mmcloudseg.engine import loaders
from mmcloudseg.engine.loaders import refuse_empty_loader, refuse_idle_training


class Samples(Dataset):
    def __init__(self, size: int) -> None:
        self.size = size

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> int:
        return index


class Stream(IterableDataset):
    def __iter__(self):
        return iter(range(3))


def loader(size: int, sampler=DefaultSampler, **settings) -> DataLoader:
    samples = Samples(size)
    settings = dict(batch_size=4, drop_last=True, sampler=sampler(samples)) | settings
    return DataLoader(samples, **settings)


def own_batches(batch_size: int) -> DataLoader:
    samples = Samples(2)
    batches = BatchSampler(SequentialSampler(samples), batch_size, drop_last=True)
    return DataLoader(samples, batch_sampler=batches)


@pytest.mark.parametrize(
    "made",
    [
        loader(4),
        loader(3, drop_last=False),
        loader(1, InfiniteSampler),
        DataLoader(Stream(), batch_size=4, drop_last=True),
        own_batches(2),
    ],
)
def test_loaders_that_yield_a_batch(made):
    refuse_empty_loader(made, "train_dataloader", every_process=True)


@pytest.mark.parametrize(
    ("made", "match"),
    [
        (
            loader(3),
            r"train_dataloader yields.*3 sample.*batch_size=4.*batch_size to 3.*drop_last",
        ),
        (loader(0, InfiniteSampler), r"no samples.*ann_file.*train_dataloader\.dataset"),
        (loader(0, drop_last=False), r"no samples"),
        (
            DataLoader(
                Samples(2), batch_sampler=BatchSampler(SequentialSampler(range(2)), 3, True)
            ),
            r"2 sample.*batch_size=3.*batch_size to 2",
        ),
    ],
)
def test_loaders_that_yield_none(made, match):
    with pytest.raises(ValueError, match=match):
        refuse_empty_loader(made, "train_dataloader")


@pytest.mark.parametrize(
    ("others", "every_process", "match"),
    [
        ([(3, 0, 4, True)], True, r"3 sample\(s\) for one of 2 processes.*batch_size to 3"),
        ([(0, 0, 4, False)], True, r"one of 2 processes gets no sample.*round_up=True"),
        ([(0, 0, 4, False)], False, None),
    ],
)
def test_every_process_needs_a_batch_to_train_on(monkeypatch, others, every_process, match):
    monkeypatch.setattr(loaders, "all_gather_object", lambda share: [share, *others])
    if match is None:
        refuse_empty_loader(loader(4), "val_dataloader", every_process)
        return
    with pytest.raises(ValueError, match=match):
        refuse_empty_loader(loader(4), "val_dataloader", every_process)


@pytest.mark.parametrize(("size", "left"), [(6, "leaves 2 sample"), (8, None)])
def test_samples_that_no_score_counts_are_said(monkeypatch, size, left):
    said = []
    monkeypatch.setattr(loaders, "print_log", lambda text, **_: said.append(text))
    refuse_empty_loader(loader(size), "test_dataloader")
    assert (left is None and not said) or left in said[0]


def test_a_loop_of_no_iteration(small_runner):
    with pytest.raises(ValueError, match=r"train_cfg\.max_iters"):
        refuse_idle_training(small_runner(max_iters=0))


def test_a_validation_of_no_sample(small_runner):
    runner = small_runner(
        val_cfg=dict(),
        val_evaluator=[],
        val_dataloader=dict(
            dataset=torch.zeros(2),
            batch_size=4,
            drop_last=True,
            sampler=dict(type="DefaultSampler", shuffle=False),
        ),
    )
    with pytest.raises(ValueError, match=r"val_dataloader yields no batch.*batch_size to 2"):
        refuse_idle_training(runner)
