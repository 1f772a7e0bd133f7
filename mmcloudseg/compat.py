"""The only file that knows about versions of MMRazor, MMCV, MMEngine and torch.

MMRazor 1.0.0 (its last release, of 2023) refuses MMCV > 2.1, and its quantization modules fail on
torch >= 1.13. Both of its version checks have a fallback for old versions that works, so old
versions are reported while MMRazor is imported, and only then.
"""

from __future__ import annotations

import contextlib
import copyreg
import functools
import io
import pathlib
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import mmcv
import numpy as np
import torch
from mmengine.config import ConfigDict
from mmengine.logging import HistoryBuffer
from mmengine.runner import checkpoint as mmengine_checkpoint

_NEWEST_MMCV_THAT_MMRAZOR_ACCEPTS = "2.1.0"
_TORCH_WITHOUT_QUANTIZATION_REWRITE = "1.12.1"
_REGISTERED_HERE = "mmcloudseg.registration"
_REGISTRIES = (
    "MODELS", "DATASETS", "TRANSFORMS", "METRICS", "EVALUATOR", "HOOKS", "VISUALIZERS",
    "OPTIM_WRAPPER_CONSTRUCTORS",
)  # fmt: skip


@contextlib.contextmanager
def _report(module: Any, name: str, value: Any) -> Iterator[None]:
    """Set ``module.name`` to ``value`` inside the block."""
    original = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, original)


def join_mmseg(module: Any) -> None:
    """Prepare MMSegmentation for this package; runs once, when ``mmseg`` is imported.

    Its registries import what they hold at their first look-up, and from now on this package too.
    The import hook passes the module, which is not read.
    """
    # Without messages about ops and datasets that are not used here.
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Fail to import")
        import mmseg.datasets
        import mmseg.models  # noqa: F401
    never_run_pickled_code()
    read_checkpoints_of_others()
    from mmseg import registry

    for name in _REGISTRIES:
        own = getattr(registry, name)
        own._locations.insert(0, _REGISTERED_HERE)
        own._imported = False  # a look-up may have come first


def explain_inferencer(module: Any) -> None:
    """Let ``MMSegInferencer`` say what to use instead; runs once, when its module is imported.

    It takes only pipelines that load a picture by ``LoadImageFromFile``, and its own message does
    not help whoever has a pair of optical and SAR rasters.
    """
    stock = module.MMSegInferencer._init_pipeline

    def init_pipeline(self: Any, cfg: ConfigDict) -> Any:
        steps = cfg.test_dataloader.dataset.get("pipeline") or []
        if any("LoadRasters" in str(step.get("type")) for step in steps):
            raise ValueError(
                "MMSegInferencer loads pictures (LoadImageFromFile), but this test pipeline loads "
                "rasters (LoadRasters): map files by mmcloudseg.apis.ScenePredictor or "
                "tools/predict_scene.py, and H x W x bands arrays by mmseg.apis.inference_model"
            )
        return stock(self, cfg)

    module.MMSegInferencer._init_pipeline = init_pipeline


def import_mmrazor() -> None:
    """Import MMRazor's models and engine with current versions of MMCV and torch.

    Raises:
        ImportError: MMRazor is missing, or ``joblib``, which it needs but does not require.
    """
    # Importing MMRazor raises it to 2**20, where a runaway recursion crashes the process.
    recursion_limit = sys.getrecursionlimit()
    try:
        with _report(mmcv, "__version__", _NEWEST_MMCV_THAT_MMRAZOR_ACCEPTS):
            import mmrazor
        real = mmrazor.digit_version

        def digit_version(version: str, *args: Any, **kwargs: Any) -> tuple:
            is_torch = str(version) == str(torch.__version__)
            shown = _TORCH_WITHOUT_QUANTIZATION_REWRITE if is_torch else version
            return real(shown, *args, **kwargs)

        with _report(mmrazor, "digit_version", digit_version):
            import mmrazor.engine
            import mmrazor.models
    except ImportError as error:
        raise ImportError(
            f"MMRazor could not be imported ({error}). Distillation needs it: "
            "pip install -r requirements/runtime.txt"
        ) from error
    finally:
        sys.setrecursionlimit(recursion_limit)


def _load_tensors_only(
    file: Any, map_location: Any = None, weights_only: bool | None = None
) -> Any:
    return torch.load(file, map_location=map_location, weights_only=True)


def never_run_pickled_code() -> None:
    """Make every checkpoint that MMEngine reads, by path or URL, load as tensors only.

    Current MMEngine falls back to ``weights_only=False`` if a file contains more than tensors,
    which runs any code in that file.
    """
    if hasattr(mmengine_checkpoint, "_safe_torch_load"):
        mmengine_checkpoint._safe_torch_load = _load_tensors_only
    mmengine_checkpoint.load_url = functools.partial(
        torch.hub.load_state_dict_from_url, weights_only=True
    )


class SavedHistory(HistoryBuffer):
    """A log buffer of a checkpoint that MMEngine wrote, without the functions pickled with it."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(  # type: ignore[misc]
            state["_log_history"], state["_count_history"], state["max_length"]
        )


def _history_buffer(log: list[float], counts: list[float], max_length: int) -> HistoryBuffer:
    return HistoryBuffer(log, counts, max_length)


def _plain_history(buffer: HistoryBuffer) -> tuple:
    log, counts = buffer.data
    return _history_buffer, (log.tolist(), counts.tolist(), buffer.max_length)


def _no_attribute(owner: Any, name: str) -> None:
    """Stand in for ``getattr`` in checkpoints: MMEngine pickles the methods of its log by it."""


def read_checkpoints_of_others() -> None:
    """Let ``torch.load(weights_only=True)`` read what MMEngine's own checkpoints hold.

    These are its ``ConfigDict`` and log buffers, NumPy's arrays and scalars under the names of
    both NumPy 1 and 2, and paths. None of them runs code of the file. This package writes none of
    them; only ``copyreg`` is told how to write a log buffer, for MMEngine's own hook.
    """
    copyreg.pickle(HistoryBuffer, _plain_history)
    numpy_core = getattr(np, "_core", None) or np.core
    dtypes = {type(np.dtype(code)) for code in np.typecodes["All"]}
    arrays = [
        (getattr(numpy_core.multiarray, name), f"numpy.{core}.multiarray.{name}")
        for name in ("scalar", "_reconstruct")
        for core in ("core", "_core")
    ]
    paths = [
        (getattr(pathlib, f"Pure{kind}"), f"{module}.{pure}{kind}")
        for kind in ("PosixPath", "WindowsPath")
        for pure in ("", "Pure")
        for module in ("pathlib", "pathlib._local")  # the latter is what Python 3.13 writes
    ]
    torch.serialization.add_safe_globals(
        [
            _history_buffer,
            (SavedHistory, "mmengine.logging.history_buffer.HistoryBuffer"),
            (_no_attribute, "builtins.getattr"),
            ConfigDict,
            *arrays,
            np.ndarray,
            np.dtype,
            *dtypes,
            *paths,
        ]
    )
