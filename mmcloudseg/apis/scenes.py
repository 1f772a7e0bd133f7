"""Where ``ScenePredictor`` was until 0.1; import it from ``mmcloudseg.apis``."""

import warnings

from mmcloudseg.scenes.predictor import ScenePredictor

__all__ = ["ScenePredictor"]

warnings.warn(
    "mmcloudseg.apis.scenes will be removed: import ScenePredictor from mmcloudseg.apis",
    DeprecationWarning,
    stacklevel=2,
)
