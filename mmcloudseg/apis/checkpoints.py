"""What a finished training leaves behind: ``best.pth``, weights and where they came from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.runner import find_latest_checkpoint

from mmcloudseg.apis.config import datasets
from mmcloudseg.apis.files import written_whole

BEST = "best.pth"


def publish_best(cfg: Config) -> Path:
    """Write ``best.pth``: the best checkpoint (else the last) without the optimiser's state.

    It exists only when training has finished, which is how the tools know a finished teacher.

    Args:
        cfg: The config of the training that has just ended.

    Returns:
        Its path.
    """
    work_dir = Path(cfg.work_dir)
    best = sorted(work_dir.glob("best_*.pth"), key=lambda path: path.stat().st_mtime)
    source = best[-1] if best else Path(find_latest_checkpoint(str(work_dir)))
    content = torch.load(source, map_location="cpu", weights_only=True)
    meta = {
        k: content["meta"][k]
        for k in ("cfg", "seed", "epoch", "iter", "dataset_meta")
        if k in content["meta"]
    }
    meta |= dict(source=source.name, data_root=training_data(cfg))
    with written_whole(work_dir / BEST) as temporary:
        torch.save(dict(meta=meta, state_dict=content["state_dict"]), temporary)
    return work_dir / BEST


def training_data(cfg: Config) -> str:
    """The absolute data root that a config trains on."""
    return str(Path(next(datasets(cfg)).data_root).resolve())


@contextmanager
def checkpoint_errors(checkpoint: str, config: str) -> Iterator[None]:
    """Say in one line why a checkpoint could not be loaded into a config's model.

    Raises:
        ValueError: It does not fit, or it cannot be read as tensors.
    """
    try:
        yield
    except RuntimeError as error:
        lines = [line for line in str(error).splitlines() if line.strip()]
        shown = "; ".join(line[:200] for line in lines[1:4])
        if not shown:  # not of the keys
            raise _unreadable(checkpoint, error) from error
        raise ValueError(
            f"'{checkpoint}' does not fit the model of '{config}' ({shown}): name the config that "
            "it was trained with"
        ) from error
    except Exception as error:
        raise _unreadable(checkpoint, error) from error


def _unreadable(checkpoint: str, error: Exception) -> ValueError:
    why = (str(error).splitlines() or ["it is empty"])[0]
    return ValueError(
        f"'{checkpoint}' cannot be read as a checkpoint ({type(error).__name__}: {why}); it is "
        "truncated, of another kind, or carries code, which is never run"
    )
