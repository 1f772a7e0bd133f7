"""Checkpoints that hold nothing but plain values and tensors, whichever hook writes them."""

from __future__ import annotations

from mmengine.hooks import Hook
from mmengine.logging import HistoryBuffer
from mmengine.runner import Runner

from mmcloudseg.utils.plain_values import to_plain


class PlainCheckpointsHook(Hook):
    """Save what stands next to the weights as plain values.

    These are the metainfo of the data set, the log, the scores, and the settings of optimizer and
    schedules, all of which may hold whatever stands in a config. ``torch.load(weights_only=True)``
    then reads the file without this package.
    """

    priority = "VERY_LOW"  # after the hooks that add to a checkpoint

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Replace every object next to the weights by plain values."""
        scalars = checkpoint["message_hub"]["log_scalars"]
        for key, value in scalars.items():
            if isinstance(value, HistoryBuffer):
                log, counts = value.data
                scalars[key] = dict(
                    log_history=log, count_history=counts, max_length=value.max_length
                )
        for key, value in checkpoint.items():
            if not key.endswith("state_dict"):  # whose versions would be lost
                checkpoint[key] = to_plain(value)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Turn the saved log back into MMEngine's buffers, and metainfo into the data set's."""
        scalars = checkpoint.get("message_hub", {}).get("log_scalars", {})
        for key, value in scalars.items():
            if isinstance(value, dict):
                scalars[key] = HistoryBuffer(**value)
        # MMEngine warns if the metainfo of a resumed run is not that of its data set.
        loader = getattr(runner._train_loop, "dataloader", None)
        own = getattr(getattr(loader, "dataset", None), "metainfo", None)
        if own is not None and repr(checkpoint["meta"].get("dataset_meta")) == repr(to_plain(own)):
            checkpoint["meta"]["dataset_meta"] = own
