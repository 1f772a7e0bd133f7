"""The two-step habit: remove the clouds first, then map the image as if it had been clear."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.config import ConfigDict
from mmengine.model import BaseModule
from mmseg.models.segmentors import BaseSegmentor, EncoderDecoder
from mmseg.models.utils import resize
from mmseg.registry import MODELS
from mmseg.utils import OptSampleList, SampleList, add_prefix
from torch import Tensor, nn

from mmcloudseg.models.fields import cloud_free_inputs
from mmcloudseg.models.segmentors.heads import with_bands, with_channels
from mmcloudseg.models.segmentors.sliding import SlidingInference


class CloudRemover(BaseModule):
    """A network from a cloudy image and SAR to the cloud-free image, and to nothing else.

    Args:
        backbone: Config of the backbone, such as a ``CrossModalBackbone`` with
            ``with_optical=True``.
        head: Config of a ``CloudRemovalHead``; channels and bands come from the backbone where
            it names none.
        init_cfg: MMEngine's initialization config of this module.
    """

    def __init__(self, backbone: dict, head: dict, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.backbone = MODELS.build(backbone)
        self.head = MODELS.build(with_bands(with_channels(head, self.backbone), self.backbone))

    def forward(self, inputs: Tensor) -> Tensor:
        """Cloudy bands, N x (optical + SAR) x H x W, to the cloud-free image, N x optical x H x W.

        Both are normalised; the output is not clamped.
        """
        image = self.head(self.backbone(inputs))
        return resize(
            image, inputs.shape[2:], mode="bilinear", align_corners=self.head.align_corners
        )

    def loss(self, inputs: Tensor, data_samples: SampleList) -> dict[str, Tensor]:
        """The head's losses; arguments and errors as in :meth:`TwoStep.loss`."""
        return self.head.loss(self.backbone(inputs), data_samples, None)


@MODELS.register_module()
class TwoStep(SlidingInference, BaseSegmentor):
    """Cloud removal by a network of its own, then a segmentor that was trained on clear images.

    What CloudSeg is measured against: the usual practice, with CloudSeg's own streams and
    cloud-removal head as the first step and any MMSeg segmentor as the second.

    Training: the remover learns ``gt_cloud_free`` from cloudy inputs; the segmentor learns land
    cover from ``gt_cloud_free`` and SAR. The two share neither parameters nor activations, and
    optimisers such as Adam treat every parameter by itself, so one run stands for two of as many
    iterations each. Two things would couple them: clipping the gradient's norm over all
    parameters, which the shipped schedules do not do, and ``save_best``, which keeps the iteration
    with the best map for both.

    Inference: the remover's image, clamped to [0, 1] as all normalised images are, takes the
    place of the optical bands in the segmentor's input; SAR stays. ``test_cfg.cloud_free=True``
    returns the image as ``pred_cloud_free``, not clamped, as CloudSeg returns its own. With
    ``test_cfg.mode='slide'`` each window goes through both steps, and logits and image are
    averaged over the windows.

    Args:
        remover: ``dict(backbone=…, head=…)``, see :class:`CloudRemover`.
        segmentor: Config of an MMSeg segmentor on optical and SAR bands, without a data
            preprocessor. Its ``test_cfg`` does not choose windows; that of this class does.
        data_preprocessor: Config of the data preprocessor, a ``CloudSegDataPreprocessor``.
        train_cfg: Not read; here because datasets and tools may set it for any segmentor.
        test_cfg: ``mode``, ``crop_size``, ``stride``, ``window_batch`` and ``cloud_free``.
        init_cfg: MMEngine's initialization config of this module.
        pretrained: Not read; MMSegmentation's ``init_model`` sets it to None for any segmentor.
    """

    def __init__(
        self,
        remover: dict,
        segmentor: dict,
        data_preprocessor: dict | None = None,
        train_cfg: dict | None = None,
        test_cfg: dict | None = None,
        init_cfg: dict | None = None,
        pretrained: None = None,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        self.remover = CloudRemover(**remover)
        self.segmentor = MODELS.build(segmentor)
        self.train_cfg = train_cfg
        self.test_cfg = ConfigDict(test_cfg or dict(mode="whole"))
        self.align_corners = self.segmentor.align_corners
        self.num_classes = self.segmentor.num_classes
        self.out_channels = self.segmentor.out_channels

    @property
    def decode_head(self) -> nn.Module:
        """The segmentor's head, where MMSeg looks for the threshold of a single class."""
        return self.segmentor.decode_head

    def loss(self, inputs: Tensor, data_samples: SampleList) -> dict[str, Tensor]:
        """The losses of both steps, under ``remover.`` and ``segmentor.``.

        Args:
            inputs: N x (optical + SAR bands) x H x W, cloudy, normalised.
            data_samples: With ``gt_sem_seg``, ``gt_cloud_free`` and ``gt_cloud_mask``.

        Raises:
            ValueError: A sample lacks ``gt_cloud_free`` or ``gt_cloud_mask``.
        """
        losses = add_prefix(self.remover.loss(inputs, data_samples), "remover")
        clear = cloud_free_inputs(inputs, data_samples)
        losses.update(add_prefix(self.segmentor.loss(clear, data_samples), "segmentor"))
        return losses

    def remove_clouds(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """The first step, on normalised cloudy inputs, N x (optical + SAR bands) x H x W.

        Returns:
            The remover's image, N x optical bands x H x W, and ``inputs`` with it, clamped to
            [0, 1], in the optical bands' place.
        """
        image = self.remover(inputs)
        restored = torch.cat([image.clamp(0, 1), inputs[:, image.shape[1] :]], dim=1)
        return image, restored

    def extract_feat(self, inputs: Tensor) -> Any:
        """The segmentor's features of the restored image."""
        return self.segmentor.extract_feat(self.remove_clouds(inputs)[1])

    def _maps(self, inputs: Tensor, cloud_free: bool) -> Tensor:
        image, restored = self.remove_clouds(inputs)
        # MMSeg's heads take a torch.Size for the size of a window, and resize to it.
        metas = [dict(img_shape=inputs.shape[2:])] * len(inputs)
        logits = self.segmentor.encode_decode(restored, metas)
        return torch.cat([logits, image], dim=1) if cloud_free else logits

    # MMSeg chooses between whole images and windows in its EncoderDecoder, not in the base class.
    inference = EncoderDecoder.inference
    whole_inference = EncoderDecoder.whole_inference

    def _forward(self, inputs: Tensor, data_samples: OptSampleList = None) -> Any:
        return self.segmentor(self.remove_clouds(inputs)[1], data_samples, mode="tensor")
