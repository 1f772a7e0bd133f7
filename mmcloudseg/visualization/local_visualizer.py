"""Pictures of a sample: every modality, truth, reconstruction, label and prediction."""

from collections.abc import Sequence
from typing import Any

import mmcv
import numpy as np
from mmengine.dist import master_only
from mmseg.registry import VISUALIZERS
from mmseg.structures import SegDataSample
from mmseg.visualization import SegLocalVisualizer

from mmcloudseg.evaluation.confusion import (
    mask_to_label_grid,
    region_matrices,
    scores_from_confusion,
)
from mmcloudseg.utils.constants import CLOUD_FREE
from mmcloudseg.utils.samples import sample_stem
from mmcloudseg.visualization.colours import (
    Stretch,
    colour_classes,
    colour_sar,
    pick_bands,
    rgb_bands,
)
from mmcloudseg.visualization.figure import PanelRow, draw_rows
from mmcloudseg.visualization.samples import (
    Array,
    field_array,
    sample_cover,
    split_bands,
    to_numpy,
)

OPTICAL, TRUTH, RECONSTRUCTION = "optical input", "cloud-free truth", "reconstruction"


@VISUALIZERS.register_module()
class CloudSegLocalVisualizer(SegLocalVisualizer):
    """MMSegmentation's visualiser with panels for optical, SAR and cloud-free images.

    Panels are the optical image that the network reads, SAR, the cloud-free truth, the
    reconstruction, label and prediction, those that a sample has. The optical ones share one
    stretch, so that they can be compared: the truth's, or else that of the input's cloud-free
    pixels.

    Args:
        rgb_bands: Indices of the red, green and blue band among the optical ones; None finds them
            by the names that the data set gives them, or else takes the order blue, green, red,
            near infrared.
        **kwargs: Like all other arguments, as in `SegLocalVisualizer`.
    """

    def __init__(
        self,
        name: str = "visualizer",
        *args: Any,
        rgb_bands: Sequence[int] | None = None,
        classes: list | None = None,
        palette: list | None = None,
        dataset_name: str | None = None,
        **kwargs: Any,
    ) -> None:
        # The parent's constructor hands classes and palette to its setter in the wrong order.
        super().__init__(name, *args, **kwargs)
        self.set_dataset_meta(classes=classes, palette=palette, dataset_name=dataset_name)
        self.rgb_bands = None if rgb_bands is None else tuple(rgb_bands)

    @classmethod
    def get_instance(cls, name: str = "visualizer", **kwargs: Any) -> "CloudSegLocalVisualizer":
        """MMEngine's global instance of a name; ``browse_dataset.py`` gives none."""
        return super().get_instance(name, **kwargs)

    def make_row(
        self,
        optical: Array | None,
        sar: Array | None,
        data_sample: SegDataSample,
        band_names: Sequence[str] = (),
    ) -> PanelRow:
        """Make the title and panels of one sample, ready for `draw_overview`.

        Args:
            optical: C x H x W image that the network reads, scaled like the cloud-free images.
            sar: B x H x W backscatter, in dB or scaled.
            data_sample: May hold ``gt_cloud_free``, ``pred_cloud_free``, ``gt_sem_seg``,
                ``pred_sem_seg`` and ``gt_cloud_mask``.
            band_names: Names of the optical bands, by which red, green and blue are found.
        """
        optical = None if optical is None else to_numpy(optical)
        mask = field_array(data_sample, "gt_cloud_mask")
        found = {
            OPTICAL: optical,
            TRUTH: field_array(data_sample, "gt_cloud_free"),
            RECONSTRUCTION: field_array(data_sample, "pred_cloud_free"),
        }
        images = {
            name: pick_bands(image, self.rgb_bands or rgb_bands(band_names, len(image)))
            for name, image in found.items()
            if image is not None
        }
        panels = {}
        if images:
            stretch = _shared_stretch(images, None if mask is None else mask[0])
            panels = {k: stretch.apply(v) for k, v in images.items()}
        if sar is not None:
            panels["SAR"] = colour_sar(to_numpy(sar))
        palette = self.dataset_meta["palette"]
        for name, key in (("label", "gt_sem_seg"), ("prediction", "pred_sem_seg")):
            labels = field_array(data_sample, key)
            if labels is not None:
                panels[name] = colour_classes(labels[0], palette)
        order = (OPTICAL, "SAR", TRUTH, RECONSTRUCTION, "label", "prediction")
        ordered = {name: panels[name] for name in order if name in panels}
        return PanelRow(self.describe(data_sample), ordered)

    def describe(self, data_sample: SegDataSample) -> str:
        """Name a sample, its cloud cover and, where it has a label, its overall accuracy."""
        parts = [str(data_sample.get("sample_name") or sample_stem(data_sample))]
        cover = sample_cover(data_sample)
        if cover is not None:
            parts.append(f"cloud cover {100 * cover:.0f} %")
        if "gt_sem_seg" in data_sample and "pred_sem_seg" in data_sample:
            all_pixels, cloudy = self._overall_accuracy(data_sample)
            if not np.isnan(all_pixels):
                parts.append(f"overall accuracy {100 * all_pixels:.1f} %")
            if not np.isnan(cloudy):
                parts.append(f"cloudy {100 * cloudy:.1f} %")
        return " · ".join(parts)

    def _overall_accuracy(self, data_sample: SegDataSample) -> tuple[float, float]:
        prediction = data_sample.pred_sem_seg.data[0].cpu()
        label = data_sample.gt_sem_seg.data[0].cpu()
        mask = None
        if "gt_cloud_mask" in data_sample:
            mask = data_sample.gt_cloud_mask.data[0].cpu()
            mask = mask_to_label_grid(mask, tuple(label.shape))
        num_classes = len(self.dataset_meta["classes"])
        matrices = region_matrices(label, prediction, mask, num_classes)
        everywhere, _, cloudy = (scores_from_confusion(m).overall_accuracy for m in matrices)
        return everywhere, cloudy

    def draw_overview(self, rows: Sequence[PanelRow]) -> np.ndarray:
        """Draw rows of panels with a legend in one picture, as `draw_rows` does."""
        return draw_rows(rows, self.dataset_meta["classes"], self.dataset_meta["palette"])

    @master_only
    def add_datasample(
        self,
        name: str,
        image: np.ndarray,
        data_sample: SegDataSample | None = None,
        draw_gt: bool = True,
        draw_pred: bool = True,
        show: bool = False,
        wait_time: float = 0,
        out_file: str | None = None,
        step: int = 0,
        **kwargs: Any,
    ) -> None:
        """Draw a sample and show it, write it to a file or hand it to the backends.

        Arguments are as in `SegLocalVisualizer`, except that the image is H x W x C of the bands
        optical | SAR by the sample's ``band_layout``, all optical without one, or the first three
        of more, reversed, as MMSegmentation's ``browse_dataset.py`` hands them over. ``draw_gt``
        and ``draw_pred`` also hide the cloud-free truth and the reconstruction; ``kwargs`` have no
        effect.
        """
        data_sample = SegDataSample() if data_sample is None else data_sample.clone()
        hidden: tuple[str, ...] = () if draw_gt else ("gt_cloud_free", "gt_sem_seg")
        hidden += () if draw_pred else ("pred_cloud_free", "pred_sem_seg")
        for key in hidden:
            if key in data_sample:
                delattr(data_sample, key)
        optical, sar = _shown_bands(image.transpose(2, 0, 1), data_sample.get("band_layout"))
        names = (self.dataset_meta.get("bands") or {}).get("optical", ())
        drawn = self.draw_overview([self.make_row(optical, sar, data_sample, names)])
        if show:
            self.show(drawn, win_name=name, wait_time=wait_time)
        if out_file is not None:
            mmcv.imwrite(mmcv.rgb2bgr(drawn), out_file)
        else:
            self.add_image(name, drawn, step)


def _shown_bands(bands: np.ndarray, layout: dict | None) -> tuple[Array | None, Array | None]:
    """Optical and SAR bands of an image, C x H x W, as `CloudSegLocalVisualizer` takes it."""
    try:
        return split_bands(bands, layout)
    except ValueError:
        if len(bands) != 3:
            raise
        return bands[::-1], None


def _shared_stretch(images: dict[str, np.ndarray], mask: np.ndarray | None) -> Stretch:
    if TRUTH in images:
        return Stretch.of(images[TRUTH])
    if OPTICAL in images:
        return Stretch.of(images[OPTICAL], None if mask is None else mask == CLOUD_FREE)
    return Stretch.of(images[RECONSTRUCTION])
