"""The teacher's network as a distillation config states it."""

from __future__ import annotations

import copy
from typing import TypeVar

_Config = TypeVar("_Config", bound=dict)


def follow_student(teacher: _Config, architecture: dict) -> _Config:
    """The teacher's config, with the student's streams if it names none.

    The backbone of both is then changed in one place. A teacher that names its own stream also
    keeps its own ``pretrained``. The config that is passed is not changed.
    """
    student = architecture.get("backbone", {})
    if "stream" in teacher["backbone"] or "stream" not in student:
        return teacher
    teacher = copy.deepcopy(teacher)
    for key in ("stream", "pretrained"):
        if key in student:
            teacher["backbone"][key] = copy.deepcopy(student[key])
    return teacher
