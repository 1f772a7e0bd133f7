"""The teacher's network as a distillation config states it."""

from __future__ import annotations

import copy

from mmcloudseg.models.distillation import follow_student

STUDENT = dict(
    backbone=dict(type="B", stream=dict(name="mit-b0"), pretrained="mit.pth", gate=True)
)
TEACHER = dict(type="CloudSeg", backbone=dict(type="B", gate=False))


def test_streams_and_their_weights_are_the_students():
    before = copy.deepcopy((STUDENT, TEACHER))
    teacher = follow_student(TEACHER, STUDENT)
    assert teacher == dict(
        type="CloudSeg",
        backbone=dict(type="B", gate=False, stream=dict(name="mit-b0"), pretrained="mit.pth"),
    )
    teacher["backbone"]["stream"]["name"] = "swin-t"
    assert before == (STUDENT, TEACHER)


def test_a_teacher_with_its_own_stream_keeps_it():
    own = dict(TEACHER, backbone=dict(type="B", stream="swin-t"))
    assert follow_student(own, STUDENT) == dict(
        type="CloudSeg", backbone=dict(type="B", stream="swin-t")
    )


def test_backbones_without_streams_stay():
    plain = dict(backbone=dict(type="ResNet", depth=18, pretrained="r18.pth"))
    assert follow_student(TEACHER, plain) is TEACHER
