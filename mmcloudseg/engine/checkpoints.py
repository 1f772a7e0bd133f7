"""What a finished training leaves behind: ``best.pth``, weights and where they came from."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.hooks import CheckpointHook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import Tensor, nn

from mmcloudseg.engine.configs import datasets
from mmcloudseg.models.weights import check_weights, read_weights
from mmcloudseg.utils.files import atomic_write
from mmcloudseg.utils.plain_values import to_plain

BEST = "best.pth"
EARLIER_BEST = "earlier_best.pth"

_PUBLISHED_META = ("cfg", "seed", "epoch", "iter", "dataset_meta")


def publish_best(runner: Runner) -> str:
    """Write ``best.pth``: the weights of this run's best checkpoint, or else of its last.

    It exists only when training has finished, which is how the tools know a finished teacher.

    Args:
        runner: The runner whose training has just ended.

    Returns:
        One line that says which checkpoint it is, of which iteration and with which score.
    """
    work_dir = Path(runner.work_dir)
    source, score = _best_of(runner)
    content = torch.load(source, map_location="cpu", weights_only=True)
    meta = {key: content["meta"][key] for key in _PUBLISHED_META if key in content["meta"]}
    meta |= dict(source=source.name, data_root=training_data(runner.cfg))
    with atomic_write(work_dir / BEST) as temporary:
        torch.save(dict(meta=to_plain(meta), state_dict=content["state_dict"]), temporary)
    reached = ", ".join(f"{key} {meta[key]}" for key in ("epoch", "iter") if key in meta)
    return f"{work_dir / BEST} is {source.name} ({reached}; {score})"


def _best_of(runner: Runner) -> tuple[Path, str]:
    """The checkpoint to publish, by what this run itself has noted, and why it is that one."""
    noted = runner.message_hub.runtime_info
    why = "no score was asked for"
    asked = _asked_scores(runner)
    for score in asked:  # of several, the first in the config that there is
        suffix = "" if len(asked) == 1 else f"_{score}"
        best = noted.get(f"best_ckpt{suffix}")
        if path := _present(runner, best):
            name = "score" if score == "auto" else score
            return path, f"best {name} {float(noted[f'best_score{suffix}']):.4f}"
        missing = f"no validation gave a number for {score}"
        why = missing if best is None else f"the best one, {best}, is no longer there"
    last = _present(runner, noted.get("last_ckpt"))
    if last is None:  # the config's hook saves none
        last = Path(runner.work_dir) / "last.pth"
        meta = dict(epoch=runner.epoch, iter=runner.iter)
        runner.save_checkpoint(runner.work_dir, last.name, None, False, False, meta)
    return last, f"the last one, since {why}"


def _asked_scores(runner: Runner) -> list[str]:
    """The scores by which the config's checkpoint hook chooses, in the config's order."""
    for hook in runner.hooks:
        if isinstance(hook, CheckpointHook) and hook.save_best:
            return list(hook.key_indicators)
    return []


def _present(runner: Runner, noted: str | None) -> Path | None:
    """A noted checkpoint where it is now: the work dir may have been moved before a resume."""
    places = [Path(noted), Path(runner.work_dir) / Path(noted).name] if noted else []
    return next((path for path in places if path.is_file()), None)


def set_earlier_best_aside(work_dir: str | Path) -> None:
    """Rename an earlier run's ``best.pth``, which an unfinished run must not seem to have."""
    best = Path(work_dir) / BEST
    if best.is_file():
        best.replace(best.with_name(EARLIER_BEST))
        print_log(
            f"{best} is of an earlier run in this work dir: renamed to {EARLIER_BEST}",
            logger="current",
            level=logging.WARNING,
        )


def newest_whole_checkpoint(cfg: Config) -> Path | None:
    """The checkpoint to resume from: the newest of a run that can be read.

    ``last_checkpoint`` is not relied on: the run may have been killed before it was written. Nor
    is the iteration: an earlier, longer run in the same work dir may have got further.

    Args:
        cfg: Config of the run, with its work dir.

    Returns:
        Its path; None if there is none.
    """
    found: list[tuple[str, int, Path]] = []
    for path in sorted(_checkpoint_folder(cfg).glob("*.pth")):
        try:
            content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
            if "optimizer" in content:  # best*.pth are weights only
                meta = content["meta"]
                found.append((meta.get("time", ""), meta["iter"], path))
        except Exception as error:
            print_log(
                f"{path} cannot be read ({type(error).__name__}) and is passed over",
                logger="current",
                level=logging.WARNING,
            )
    return max(found)[-1] if found else None


def _checkpoint_folder(cfg: Config) -> Path:
    """Where the checkpoint hook of a run writes."""
    work_dir = Path(cfg.work_dir)
    out_dir = ((cfg.get("default_hooks") or {}).get("checkpoint") or {}).get("out_dir")
    return work_dir if out_dir is None else Path(out_dir) / work_dir.name


def training_data(cfg: Config) -> str:
    """Where the data lie that a config trains on: absolute folders, separated by ``; ``."""
    folders = []
    for dataset in datasets(cfg, ["train_dataloader"]):
        prefix = dataset.get("data_prefix") or {}
        folder = dataset.get("data_root") or prefix.get("img_path") or "."
        folders.append(str(Path(folder).resolve()))
    return "; ".join(dict.fromkeys(folders))


def same_data(one: str, other: str) -> bool:
    """Whether two lists of folders, as ``training_data`` gives them, are the same in any order."""
    return set(one.split("; ")) == set(other.split("; "))


def load_whole_checkpoint(runner: Runner, checkpoint: str) -> None:
    """Load a checkpoint that has to fit the model as a whole.

    Raises:
        ValueError: It does not, or it cannot be read as tensors.
    """
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    check_checkpoint(model, read_weights(checkpoint), checkpoint, runner.cfg.filename)
    runner.load_checkpoint(checkpoint, strict=True)  # which tells the hooks


def check_checkpoint(
    model: nn.Module, weights: Mapping[str, Tensor], checkpoint: str, config: str
) -> None:
    """Refuse a checkpoint of another model than a config's.

    Raises:
        ValueError: Names or shapes differ.
    """
    source = (
        f"'{checkpoint}' does not fit the model of '{config}' (name the config that it was "
        "trained with)"
    )
    check_weights(model, weights, source)
