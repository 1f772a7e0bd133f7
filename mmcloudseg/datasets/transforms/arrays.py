"""Images that are in memory already, for MMSegmentation's ``inference_model``."""

from __future__ import annotations

import inspect
from typing import Any

from mmseg.datasets import transforms
from mmseg.registry import TRANSFORMS

from mmcloudseg.datasets.transforms.loading import LoadRasters
from mmcloudseg.utils.errors import DataError


@TRANSFORMS.register_module(force=True)
class LoadImageFromNDArray(transforms.LoadImageFromNDArray):
    """MMSegmentation's transform of this name, where ``LoadRasters`` stood.

    ``inference_model(model, array)`` gives the first step of ``test_pipeline`` this name and keeps
    its settings, also for later calls. Those of ``LoadRasters`` concern files, not arrays.

    Args:
        settings: Those of ``LoadRasters``, which are passed over, and of MMSegmentation's
            transform.
    """

    def __init__(self, **settings: Any) -> None:
        of_files = inspect.signature(LoadRasters).parameters
        super().__init__(**{k: value for k, value in settings.items() if k not in of_files})

    def transform(self, results: dict) -> dict:
        """Take over the array.

        Raises:
            DataError: There is none: MMSegmentation was given a path.
        """
        if "img" not in results:
            raise DataError(
                f"{results.get('img_path')}: found a path, but this test_pipeline loads arrays "
                "since inference_model was given one. A file is mapped by "
                "mmcloudseg.apis.ScenePredictor or tools/predict_scene.py."
            )
        return super().transform(results)
