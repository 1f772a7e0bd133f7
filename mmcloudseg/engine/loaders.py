"""Whether data loaders yield anything to train on or to score."""

from __future__ import annotations

import logging
from typing import Any, NamedTuple

from mmengine.dataset import InfiniteSampler
from mmengine.dist import all_gather_object
from mmengine.logging import print_log
from mmengine.runner import Runner
from torch.utils.data import DataLoader


class _Share(NamedTuple):
    """What one process of a run gets in an epoch, and how its loader makes batches of it."""

    samples: int
    batches: int
    batch_size: int | None
    drop_last: bool


def refuse_idle_training(runner: Runner) -> None:
    """Refuse a training that would train on nothing, or choose its best weights by nothing.

    Raises:
        ValueError: The loop has no iterations, a process gets no batch to train on, or there is no
            sample to validate on. Every process raises, so that none waits for another.
    """
    refuse_empty_loader(runner.train_dataloader, "train_dataloader", every_process=True)
    if runner.max_iters <= 0:
        raise ValueError(
            "train_cfg trains for no iteration: set train_cfg.max_iters, or train_cfg.max_epochs "
            "of a loop by epochs, to 1 or more"
        )
    loader = getattr(runner.val_loop, "dataloader", None)
    if loader is not None:
        refuse_empty_loader(loader, "val_dataloader")


def refuse_empty_loader(loader: DataLoader, name: str, every_process: bool = False) -> None:
    """Refuse a loader that yields no batch, and say which samples an incomplete batch leaves out.

    Args:
        loader: A loader of this process.
        name: Its key in the config.
        every_process: Whether each process needs a batch; to score it is enough if one has some.

    Raises:
        ValueError: There is no batch.
    """
    shares = [_Share(*share) for share in all_gather_object(tuple(_share_of(loader)))]
    batches = [share.batches for share in shares]
    if (min(batches) if every_process else max(batches)) > 0:
        left = sum(s.samples - s.batches * (s.batch_size or 1) for s in shares if s.drop_last)
        if left > 0 and not every_process:
            print_log(
                f"{name}: drop_last=True leaves {left} sample(s) out of the scores; set "
                f"{name}.drop_last=False",
                logger="current",
                level=logging.WARNING,
            )
        return
    least = min(shares, key=lambda share: share.batches)
    raise ValueError(f"{name} yields no batch: {_reason(least, name, len(shares))}")


def _share_of(loader: DataLoader) -> _Share:
    sampler: Any = loader.sampler
    batches, samples = loader.batch_sampler, loader.dataset
    size, drop_last = getattr(batches, "batch_size", None), getattr(batches, "drop_last", False)
    try:
        if isinstance(sampler, InfiniteSampler):  # its batches are always full
            found = len(samples)  # type: ignore[arg-type]
            return _Share(found, min(found, 1), size, False)
        return _Share(len(sampler), len(loader), size, drop_last)
    except TypeError:  # a stream, which has no length
        return _Share(1, 1, size, False)


def _reason(share: _Share, name: str, processes: int) -> str:
    if share.samples == 0 and processes == 1:
        return (
            "its data set has no samples. Check ann_file, data_prefix and indices of "
            f"{name}.dataset"
        )
    if share.samples == 0:
        return (
            f"one of {processes} processes gets no sample. Start fewer processes, or set "
            f"{name}.sampler.round_up=True"
        )
    each = "" if processes == 1 else f" for one of {processes} processes"
    return (
        f"it has {share.samples} sample(s){each}, batch_size={share.batch_size} and "
        f"drop_last={share.drop_last}. Set {name}.batch_size to {share.samples} or less, or "
        f"{name}.drop_last=False, by --cfg-options or in the config"
    )
