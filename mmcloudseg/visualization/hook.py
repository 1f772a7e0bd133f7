"""Pictures of test samples, one by one and in an overview."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmseg.registry import HOOKS
from mmseg.structures import SegDataSample
from PIL import Image
from torch import Tensor

from mmcloudseg.datasets.names import dataset_names
from mmcloudseg.utils.files import atomic_write
from mmcloudseg.utils.samples import SampleFiles
from mmcloudseg.visualization.figure import PanelRow
from mmcloudseg.visualization.samples import sample_cover, split_bands


@HOOKS.register_module()
class CloudSegVisualizationHook(Hook):
    """Draw test samples with `CloudSegLocalVisualizer`.

    Writes ``<out_dir>/<sample_name>.png`` while testing and ``<out_dir>/overview.png`` at the end,
    with samples spread over cloud cover. If several data sets are tested together, each has a
    folder for the pictures of its samples. Works for any segmentor: what a sample lacks
    (reconstruction, label, mask) is left out. In distributed tests the main process draws, and
    only its own share of the samples.

    Args:
        draw: Whether to draw at all.
        interval: Draw a picture of every ``interval``-th sample.
        max_samples: Rows of the overview; 0 for none.
        out_dir: Folder of the pictures; by default ``pictures`` in the runner's work folder.

    Raises:
        ValueError: If ``interval`` is not positive or ``max_samples`` is negative.
    """

    def __init__(
        self,
        draw: bool = False,
        interval: int = 1,
        max_samples: int = 8,
        out_dir: str | Path | None = None,
    ) -> None:
        if interval < 1 or max_samples < 0:
            raise ValueError(
                f"interval is {interval}, max_samples {max_samples}: expected at least 1 and 0"
            )
        self.draw = draw
        self.interval = interval
        self.max_samples = max_samples
        self.out_dir = out_dir

    def before_test(self, runner: Runner) -> None:
        """Start counting and collecting anew."""
        self._seen = 0
        self._written = 0
        self._rows: list[tuple[float, PanelRow]] = []
        joined = self.draw and len(dataset_names(runner.test_dataloader.dataset)) > 1
        self._files = SampleFiles(self._folder(runner), joined)

    def after_test_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: Sequence[SegDataSample] | None = None,
    ) -> None:
        """Draw the samples of one batch with the runner's `CloudSegLocalVisualizer`.

        Raises:
            TypeError: If the runner has another visualizer.
            ValueError: If the model does not return one output for each input.
        """
        if not self.draw or not is_main_process() or data_batch is None or outputs is None:
            return
        visualizer = _visualizer_of(runner)
        bands = runner.test_dataloader.dataset.metainfo.get("bands") or {}
        if len(outputs) != (count := len(data_batch["inputs"])):
            name = type(runner.model).__name__
            raise ValueError(f"{name}: {len(outputs)} outputs, expected {count}, one per input")
        for inputs, sample in zip(data_batch["inputs"], outputs, strict=True):
            self._seen += 1
            due = (self._seen - 1) % self.interval == 0
            if not due and self.max_samples == 0:
                continue
            image = _normalize(inputs, runner.model)
            optical, sar = split_bands(image, sample.get("band_layout"))
            row = visualizer.make_row(optical, sar, sample, band_names=bands.get("optical", ()))
            if due:
                _write(self._files.path(sample, ".png"), visualizer.draw_overview([row]))
                self._written += 1
            self._keep(sample_cover(sample) or 0.0, row)

    def after_test(self, runner: Runner) -> None:
        """Write the overview and say where the pictures are."""
        if not self.draw or not is_main_process() or self._seen == 0:
            return
        if self._rows:
            rows = [row for _, row in self._rows]
            picture = _visualizer_of(runner).draw_overview(rows)
            _write(self._folder(runner) / "overview.png", picture)
        folder = self._folder(runner)
        overview = f", overview: {folder / 'overview.png'}" if self._rows else ""
        print_log(f"{self._written} pictures in {folder}{overview}", logger="current")

    def _keep(self, cover: float, row: PanelRow) -> None:
        """Hold at most ``max_samples`` rows, in order of cover and as evenly spread as they come.

        One too many: of the two next to each other that are closest in cover, the inner goes, so
        the clearest and the cloudiest sample stay.
        """
        self._rows.append((cover, row))
        self._rows.sort(key=lambda item: item[0])
        if len(self._rows) <= self.max_samples:
            return
        if len(self._rows) <= 2:
            self._rows.pop()
            return
        gaps = np.diff([kept for kept, _ in self._rows])
        closest = int(np.argmin(gaps))
        self._rows.pop(closest if closest == len(gaps) - 1 else closest + 1)

    def _folder(self, runner: Runner) -> Path:
        return Path(self.out_dir or Path(runner.work_dir) / "pictures")


def _write(path: Path, picture: np.ndarray) -> None:
    with atomic_write(path) as temporary:
        Image.fromarray(picture).save(temporary, format="PNG")


def _visualizer_of(runner: Runner) -> Any:
    if not hasattr(runner.visualizer, "make_row"):
        raise TypeError(
            f"CloudSegVisualizationHook found a {type(runner.visualizer).__name__}, expected a "
            "CloudSegLocalVisualizer: set visualizer=dict(type='CloudSegLocalVisualizer')"
        )
    return runner.visualizer


def _normalize(inputs: Tensor, model: Any) -> Tensor:
    """Scale raw bands as the model sees them, and the cloud-free images next to them."""
    model = model.module if is_model_wrapper(model) else model
    preprocessor = model.data_preprocessor
    if not hasattr(preprocessor, "normalize"):
        # MMSegmentation's own preprocessor: the stretch makes do with raw bands.
        return inputs
    with torch.no_grad():
        return preprocessor.normalize(inputs.to(preprocessor.device))
