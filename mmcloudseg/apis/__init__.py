"""The entry points for Python code: training, testing and mapping scenes."""

from mmcloudseg.apis.test import test
from mmcloudseg.apis.train import train
from mmcloudseg.scenes.predictor import ScenePredictor

__all__ = ["ScenePredictor", "test", "train"]
