"""Pictures of samples, predictions and reconstructions."""

from mmcloudseg.visualization.figure import PanelRow, draw_rows
from mmcloudseg.visualization.hook import CloudSegVisualizationHook
from mmcloudseg.visualization.local_visualizer import CloudSegLocalVisualizer

__all__ = ["CloudSegLocalVisualizer", "CloudSegVisualizationHook", "PanelRow", "draw_rows"]
