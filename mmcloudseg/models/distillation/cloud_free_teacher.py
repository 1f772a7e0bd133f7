"""MMRazor's single-teacher distillation with a teacher that sees through the clouds."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from mmseg.registry import MODELS
from mmseg.utils import SampleList
from torch import Tensor, nn

from mmcloudseg.compat import import_mmrazor
from mmcloudseg.models.losses.fields import stack_cloud_free
from mmcloudseg.utils.text import shorten_list

import_mmrazor()

from mmrazor.models.algorithms import SingleTeacherDistill  # noqa: E402
from mmrazor.models.utils import add_prefix  # noqa: E402

_STUDENT = "architecture."


@MODELS.register_module()
class CloudFreeTeacherDistill(SingleTeacherDistill):
    """Trains a student on cloudy images beside a frozen teacher on cloud-free ones (CloudSeg).

    The teacher gets the same batch with the optical bands replaced by ``gt_cloud_free``: where
    ``RandomModalityDropout`` took the optical image from the student, the teacher still has the
    clear one; where it took SAR, the teacher lacks SAR too. It stays
    in eval mode throughout, and is no submodule: neither the optimiser nor a checkpoint sees it.
    Checkpoints are those of a plain student, which stock MMSeg tools load.

    Args:
        architecture: Config of the student, a segmentor.
        teacher: Config of the teacher, a segmentor. Its backbone has the student's ``stream``
            and ``pretrained`` where it names none.
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
        if isinstance(architecture, dict) and isinstance(teacher, dict):
            teacher = follow_student(teacher, architecture)
        if isinstance(architecture, dict):
            architecture = MODELS.build(architecture)
        if isinstance(teacher, dict):
            teacher = MODELS.build(teacher)
        super().__init__(architecture=architecture, teacher=teacher, distiller=distiller, **kwargs)
        # Outside of _modules, train(), parameters() and state_dict() pass it by.
        self.__dict__["teacher"] = self._modules.pop("teacher").eval()
        self.teacher_ckpt = teacher_ckpt
        self._register_state_dict_hook(_to_plain_student)
        self._register_load_state_dict_pre_hook(_from_plain_student)

    def init_weights(self) -> None:
        """Initialize the student and load the teacher.

        Raises:
            FileNotFoundError: ``teacher_ckpt`` is not set or does not exist.
            ValueError: It is not a checkpoint of this teacher.
        """
        super().init_weights()
        load_teacher(self.teacher, self.teacher_ckpt)

    def loss(self, batch_inputs: Tensor, data_samples: SampleList) -> dict[str, Tensor]:
        """The student's losses and the distillation's.

        Args:
            batch_inputs: N x (optical + SAR bands) x H x W, normalised.
            data_samples: With ``gt_cloud_free`` and what the losses read.
        """
        self.distiller.set_deliveries_override(False)
        with self.distiller.teacher_recorders, self.distiller.deliveries, torch.no_grad():
            self.teacher(
                cloud_free_inputs(batch_inputs, data_samples), data_samples, mode="tensor"
            )

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
        """Move the teacher along with the student (``to``, ``cuda``, ``double`` end here)."""
        self.teacher._apply(fn, *args, **kwargs)
        return super()._apply(fn, *args, **kwargs)


def follow_student(teacher: dict, architecture: dict) -> dict:
    """The teacher's config with the student's streams where it names none.

    A backbone is then swapped in one place.

    Args:
        teacher: Config of the teacher, which is not changed.
        architecture: Config of the student.
    """
    student = architecture.get("backbone", {})
    shared = {k: copy.deepcopy(student[k]) for k in ("stream", "pretrained") if k in student}
    if "stream" in teacher["backbone"]:
        return teacher
    return {**teacher, "backbone": {**teacher["backbone"], **shared}}


def cloud_free_inputs(inputs: Tensor, data_samples: SampleList) -> Tensor:
    """The batch as the teacher sees it: optical bands, which come first, made cloud-free.

    A missing optical image comes back this way. SAR is the student's, also where it is missing
    and holds the preprocessor's ``missing_val``: no measurement of it is left in the batch, and
    both networks then answer to the same question, what the optical image alone tells.

    Args:
        inputs: N x (optical + SAR bands) x H x W.
        data_samples: With ``gt_cloud_free``, optical bands x H x W.
    """
    clear = stack_cloud_free(data_samples).to(inputs)
    return torch.cat([clear, inputs[:, clear.shape[1] :]], dim=1)


def load_teacher(teacher: nn.Module, checkpoint: str | None) -> None:
    """Load the teacher's weights, every one of them.

    Args:
        teacher: The teacher.
        checkpoint: Path of its checkpoint.

    Raises:
        FileNotFoundError: The path is not set or does not exist.
        ValueError: A key is missing, surplus or of another shape.
    """
    remedy = "train one with tools/train.py on the teacher's config, or name one by --teacher-ckpt"
    if checkpoint is None or not Path(checkpoint).is_file():
        raise FileNotFoundError(
            f"the teacher's checkpoint '{checkpoint}' does not exist: {remedy}"
        )
    content = torch.load(checkpoint, map_location="cpu", weights_only=True)
    weights = content.get("state_dict", content)
    own = teacher.state_dict()
    wrong_shape = [k for k in own if k in weights and weights[k].shape != own[k].shape]
    for kind, keys in (
        ("lacks", sorted(own.keys() - weights.keys())),
        ("has the surplus", sorted(weights.keys() - own.keys())),
        ("has another shape for", wrong_shape),
    ):
        if keys:
            raise ValueError(
                f"'{checkpoint}' is not a checkpoint of this teacher: it {kind} "
                f"{shorten_list(keys, 3)}; "
                f"{remedy}"
            )
    teacher.load_state_dict(weights)


def _to_plain_student(module: nn.Module, state_dict: dict, prefix: str, _: dict) -> None:
    for key in [k for k in state_dict if k.startswith(prefix + _STUDENT)]:
        state_dict[prefix + key.removeprefix(prefix + _STUDENT)] = state_dict.pop(key)


def _from_plain_student(state_dict: dict, prefix: str, *_: Any) -> None:
    for key in [k for k in state_dict if k.startswith(prefix)]:
        name = key.removeprefix(prefix)
        if not name.startswith((_STUDENT, "distiller.")):
            state_dict[prefix + _STUDENT + name] = state_dict.pop(key)
