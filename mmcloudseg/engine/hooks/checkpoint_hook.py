"""Checkpoints that survive a kill at any moment and hold nothing but plain values and tensors."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import is_main_process
from mmengine.fileio import LocalBackend, register_backend
from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from mmcloudseg.engine.hooks.plain_checkpoints import PlainCheckpointsHook
from mmcloudseg.utils.files import atomic_write

_BACKEND = "mmcloudseg.checkpoints"


class CheckpointBackend(LocalBackend):
    """Local files that appear under their name when they are whole, and removals that can wait."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0
        self._waiting: list[str | Path] = []

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write a checkpoint and read it back before it gets its name.

        Args:
            obj: What ``torch.save`` made.
            filepath: The final name.

        Raises:
            OSError: It could not be written or, as on a full disk, not be read back.
        """
        with atomic_write(filepath) as temporary:
            temporary.write_bytes(obj)
            try:
                torch.load(temporary, map_location="cpu", weights_only=True, mmap=True)
            except Exception as error:
                raise OSError(
                    f"{filepath}: the checkpoint was written but cannot be read back ({error}). "
                    "Earlier checkpoints are still there; free disk space and resume."
                ) from error

    def remove(self, filepath: str | Path) -> None:
        """Remove a file: at once, or at the end of :meth:`removals_last`."""
        if self._depth:
            self._waiting.append(filepath)
        else:
            super().remove(filepath)

    @contextlib.contextmanager
    def removals_last(self) -> Iterator[None]:
        """Postpone removals to the end of the outermost block; after an error, drop them."""
        self._depth += 1
        try:
            yield
        except BaseException:
            self._waiting.clear()
            raise
        finally:
            self._depth -= 1
        if not self._depth:
            while self._waiting:
                with contextlib.suppress(FileNotFoundError):
                    super().remove(self._waiting.pop())


register_backend(_BACKEND, CheckpointBackend, force=True)


@HOOKS.register_module()
class WholeCheckpointHook(PlainCheckpointsHook, CheckpointHook):
    """MMEngine's ``CheckpointHook``, of which no kill leaves the run without a checkpoint.

    MMEngine deletes the old checkpoint before it writes the new one in place. Here a checkpoint is
    written under a temporary name, read back and renamed, and only then is the old one removed.
    What stands next to the weights is saved as plain values, see ``PlainCheckpointsHook``.

    Args:
        kwargs: As in ``CheckpointHook``. With ``backend_args`` files are written by that backend,
            as MMEngine does.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if kwargs.get("backend_args") is None and kwargs.get("file_client_args") is None:
            kwargs["backend_args"] = dict(backend=_BACKEND)
        super().__init__(*args, **kwargs)

    def before_train(self, runner: Runner) -> None:
        """Find what a resumed run has saved, and remove what a killed one left half-written."""
        self._forget_another_best(runner)
        super().before_train(runner)
        if is_main_process() and isinstance(self.file_backend, CheckpointBackend):
            for leftover in Path(self.out_dir).glob(".*.pth.*.part"):
                leftover.unlink(missing_ok=True)

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        with self._removals_last():
            super()._save_checkpoint_with_step(runner, step, meta)

    def _forget_another_best(self, runner: Runner) -> None:
        """Drop the best score of a resumed run if it was chosen by another score or rule."""
        hub, asked = runner.message_hub, [self.save_best, getattr(self, "rules", None)]
        before = hub.runtime_info.get("save_best", asked)
        if before != asked:
            for key in [key for key in hub.runtime_info if key.startswith("best_")]:
                hub.pop_info(key)
                hub._resumed_keys.pop(key, None)
            runner.logger.warning(
                f"save_best and its rule were {before} before the run stopped and are {asked} "
                "now: the best checkpoint until then does not count any more"
            )
        hub.update_info("save_best", asked)

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        asked = [key for key in self.save_best or () if key != "auto"]
        if unknown := [key for key in asked if key not in metrics]:
            raise ValueError(
                f"default_hooks.checkpoint.save_best asks for {', '.join(unknown)}, but the "
                f"val_evaluator gives only {', '.join(metrics)}: name some of these"
            )
        with self._removals_last():
            super()._save_best_checkpoint(runner, metrics)

    def _removals_last(self) -> contextlib.AbstractContextManager:
        if isinstance(self.file_backend, CheckpointBackend):
            return self.file_backend.removals_last()
        return contextlib.nullcontext()
