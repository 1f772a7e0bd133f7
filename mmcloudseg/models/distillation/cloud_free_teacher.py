"""MMRazor's single-teacher distillation with a teacher that sees no clouds.

Importing this module imports MMRazor.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from mmseg.registry import MODELS
from mmseg.utils import SampleList
from torch import Tensor, nn

from mmcloudseg.compat import import_mmrazor
from mmcloudseg.models.distillation.configs import follow_student
from mmcloudseg.models.fields import cloud_free_inputs
from mmcloudseg.models.weights import check_weights, read_weights

import_mmrazor()

from mmrazor.models.algorithms import SingleTeacherDistill  # noqa: E402
from mmrazor.models.utils import add_prefix  # noqa: E402

_STUDENT = "architecture."


class CloudFreeTeacherDistill(SingleTeacherDistill):
    """Trains a student on cloudy images with a frozen teacher that sees clear ones (CloudSeg).

    The teacher gets the same batch with the optical bands replaced by ``gt_cloud_free``: where
    ``RandomModalityDropout`` has removed the optical image, the teacher still has the clear one;
    where it has removed SAR, the teacher lacks SAR as well. The teacher stays in eval mode and is
    not a submodule, so neither the optimiser nor a checkpoint contains it. Checkpoints are those
    of a plain student, which stock MMSeg tools load.

    Args:
        architecture: Config of the student, a segmentor.
        teacher: Config of the teacher, a segmentor. If its backbone names no ``stream``, it has
            the student's ``stream`` and ``pretrained``.
        distiller: Config of ``mmrazor.ConfigurableDistiller``.
        teacher_ckpt: The teacher's checkpoint, read when training starts.
        kwargs: As in MMRazor's ``SingleTeacherDistill``.
    """

    def __init__(
        self,
        architecture: dict | nn.Module,
        teacher: dict | nn.Module,
        distiller: dict,
        teacher_ckpt: str | None = None,
        **kwargs: Any,
    ) -> None:
        if isinstance(architecture, dict):
            if isinstance(teacher, dict):
                teacher = follow_student(teacher, architecture)
            architecture = MODELS.build(architecture)
        if isinstance(teacher, dict):
            teacher = MODELS.build(teacher)
        # MMSegmentation's init_model sets what segmentors take, such as pretrained, to None.
        given = {key: value for key, value in kwargs.items() if value is not None}
        super().__init__(architecture=architecture, teacher=teacher, distiller=distiller, **given)
        # Outside of _modules, train(), parameters() and state_dict() pass it by.
        self.__dict__["teacher"] = self._modules.pop("teacher").eval()
        self.teacher_ckpt = teacher_ckpt
        self.register_state_dict_post_hook(_to_plain_student)
        self.register_load_state_dict_pre_hook(_from_plain_student)

    def init_weights(self) -> None:
        """Initialize the student and load the teacher.

        Raises:
            FileNotFoundError: ``teacher_ckpt`` is not set or does not exist.
            ValueError: It is not a checkpoint of this teacher.
        """
        super().init_weights()
        load_teacher(self.teacher, self.teacher_ckpt)

    def loss(self, batch_inputs: Tensor, data_samples: SampleList) -> dict[str, Tensor]:
        """The losses of the student and of the distillation.

        Args:
            batch_inputs: N x (optical + SAR bands) x H x W, normalised.
            data_samples: With ``gt_cloud_free`` and what the losses read.

        Raises:
            ValueError: A sample has no ``gt_cloud_free``.
        """
        self.distiller.set_deliveries_override(False)
        with self.distiller.teacher_recorders, self.distiller.deliveries, torch.no_grad():
            clear = cloud_free_inputs(batch_inputs, data_samples)
            self.teacher(clear, data_samples, mode="tensor")

        self.distiller.set_deliveries_override(True)
        with self.distiller.student_recorders, self.distiller.deliveries:
            losses = add_prefix(self.student(batch_inputs, data_samples, mode="loss"), "student")

        if not self.distillation_stopped:
            losses.update(add_prefix(self.distiller.compute_distill_losses(), "distill"))
        return losses

    def train(self, mode: bool = True) -> CloudFreeTeacherDistill:
        """Set the student's mode; the teacher's never changes."""
        super().train(mode)
        return self

    def _apply(self, fn: Callable, *args: Any, **kwargs: Any) -> CloudFreeTeacherDistill:
        """Move the teacher along with the student (``to``, ``cuda``, ``double`` call this)."""
        self.teacher._apply(fn, *args, **kwargs)
        return super()._apply(fn, *args, **kwargs)


def load_teacher(teacher: nn.Module, checkpoint: str | None) -> None:
    """Load all of the teacher's weights from the path of its checkpoint.

    Raises:
        FileNotFoundError: The path is not set or does not exist.
        ValueError: A key is missing, unexpected or of another shape.
    """
    remedy = "train one with tools/train.py on the teacher's config, or name one by --teacher-ckpt"
    if checkpoint is None or not Path(checkpoint).is_file():
        raise FileNotFoundError(
            f"the teacher's checkpoint '{checkpoint}' does not exist: {remedy}"
        )
    weights = read_weights(checkpoint)
    check_weights(
        teacher, weights, f"'{checkpoint}' is not a checkpoint of this teacher ({remedy})"
    )
    teacher.load_state_dict(weights)


def _to_plain_student(module: nn.Module, state_dict: dict, prefix: str, _: dict) -> None:
    for key in [k for k in state_dict if k.startswith(prefix + _STUDENT)]:
        state_dict[prefix + key.removeprefix(prefix + _STUDENT)] = state_dict.pop(key)


def _from_plain_student(module: nn.Module, state_dict: dict, prefix: str, *_: Any) -> None:
    for key in [k for k in state_dict if k.startswith(prefix)]:
        name = key.removeprefix(prefix)
        if not name.startswith((_STUDENT, "distiller.")):
            state_dict[prefix + _STUDENT + name] = state_dict.pop(key)
