from __future__ import annotations

import pytest
import torch
from mmengine.runner.checkpoint import get_state_dict, load_state_dict
from mmseg.registry import MODELS
from torch import nn

from mmcloudseg.models.fields import cloud_free_inputs


@pytest.fixture
def teacher_file(small_models, tmp_path):
    torch.manual_seed(3)
    teacher = MODELS.build(small_models.teacher)
    torch.save(dict(state_dict=teacher.state_dict()), tmp_path / "teacher.pth")
    return tmp_path / "teacher.pth"


def build(small_models, teacher_file):
    model = MODELS.build(dict(small_models.distill, teacher_ckpt=str(teacher_file)))
    model.init_weights()
    return model


def test_teacher_sees_the_clear_image_and_the_same_sar(small_models, teacher_file, batch):
    inputs, samples = batch(2)
    seen = {}
    model = build(small_models, teacher_file)
    model.teacher.backbone.register_forward_pre_hook(lambda _, i: seen.update(x=i[0]))
    model(inputs, samples, mode="loss")
    for x, sample, cloudy in zip(seen["x"], samples, inputs, strict=True):
        assert torch.equal(x[:4], sample.gt_cloud_free.data)
        assert torch.equal(x[4:], cloudy[4:])
    assert not torch.equal(cloud_free_inputs(inputs, samples), inputs)


@pytest.mark.parametrize(("bands", "seen"), [(slice(0, 4), "clear"), (slice(4, 6), "missing")])
def test_what_the_teacher_sees_of_a_missing_modality(small_models, batch, bands, seen):
    """Raw NaN through the student's preprocessor: optical comes back, SAR does not."""
    preprocessor = MODELS.build(dict(small_models.student.data_preprocessor, missing_val=0.25))
    _, samples = batch(1, 40)
    inputs = torch.rand(1, 6, 40, 40) * 100
    inputs[:, bands] = float("nan")
    prepared = preprocessor(dict(inputs=inputs, data_samples=samples), training=True)
    assert (prepared["inputs"][:, bands] == 0.25).all()
    teachers = cloud_free_inputs(prepared["inputs"], prepared["data_samples"])
    assert torch.equal(teachers[0, :4], prepared["data_samples"][0].gt_cloud_free.data)
    assert torch.equal(teachers[:, 4:], prepared["inputs"][:, 4:])
    assert (teachers[:, bands] == 0.25).all() == (seen == "missing")


def test_losses(small_models, teacher_file, batch):
    losses = build(small_models, teacher_file)(*batch(2), mode="loss")
    assert {k for k in losses if "loss" in k} == {
        "student.decode.loss_ce",
        "student.aux.loss_cloud_removal",
        "distill.loss_kd",
    }


def test_teacher_never_changes(small_models, teacher_file, batch):
    model = build(small_models, teacher_file)
    before = {k: v.clone() for k, v in model.teacher.state_dict().items()}
    assert model.train() is model
    assert not any(m.training for m in model.teacher.modules())
    assert all(m.training for m in model.architecture.modules())
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    losses = model(*batch(2), mode="loss")
    sum(v for k, v in losses.items() if "loss" in k).backward()
    optimizer.step()
    assert all(torch.equal(v, before[k]) for k, v in model.teacher.state_dict().items())


def test_neither_optimiser_nor_checkpoint_sees_the_teacher(small_models, teacher_file):
    model = build(small_models, teacher_file)
    ids = {id(p) for p in model.teacher.parameters()}
    assert not any(id(p) in ids for p in model.parameters())
    plain = MODELS.build(small_models.student)
    for state in (model.state_dict(), get_state_dict(model)):
        assert state.keys() == plain.state_dict().keys()
        plain.load_state_dict(state)


def test_a_plain_student_checkpoint_goes_back_in(small_models, teacher_file):
    torch.manual_seed(5)
    plain = MODELS.build(small_models.student)
    model = build(small_models, teacher_file)
    assert model.load_state_dict(plain.state_dict()).missing_keys == []
    for name, value in model.architecture.state_dict().items():
        assert torch.equal(value, plain.state_dict()[name])
    other = build(small_models, teacher_file)
    load_state_dict(other, plain.state_dict(), strict=True)  # MMEngine's own way
    assert torch.equal(
        other.architecture.decode_head.conv_seg.weight, plain.decode_head.conv_seg.weight
    )


def test_teacher_moves_along(small_models, teacher_file):
    model = build(small_models, teacher_file).double()
    assert model.teacher.decode_head.conv_seg.weight.dtype == torch.float64


def test_teacher_checkpoint_is_loaded(small_models, teacher_file):
    weights = torch.load(teacher_file, weights_only=True)["state_dict"]
    teacher = build(small_models, teacher_file).teacher
    assert all(torch.equal(v, weights[k]) for k, v in teacher.state_dict().items())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w.pop("decode_head.conv_seg.weight"), r"lacks decode_head.conv_seg.weight"),
        (lambda w: w.update(extra=torch.ones(1)), r"has the surplus extra"),
        (
            lambda w: w.update({"decode_head.conv_seg.bias": torch.ones(11)}),
            r"another shape for decode_head.conv_seg.bias",
        ),
    ],
)
def test_a_wrong_teacher_is_refused(small_models, teacher_file, change, message):
    weights = torch.load(teacher_file, weights_only=True)["state_dict"]
    change(weights)
    torch.save(dict(state_dict=weights), teacher_file)
    with pytest.raises(ValueError, match=message):
        build(small_models, teacher_file)


def test_a_student_is_no_teacher(small_models, tmp_path):
    torch.save(MODELS.build(small_models.student).state_dict(), tmp_path / "student.pth")
    with pytest.raises(ValueError, match=r"student\.pth' .*--teacher-ckpt.*auxiliary_head"):
        build(small_models, tmp_path / "student.pth")


@pytest.mark.parametrize("missing", [None, "nowhere.pth"])
def test_no_teacher(small_models, missing):
    model = MODELS.build(dict(small_models.distill, teacher_ckpt=missing))
    with pytest.raises(FileNotFoundError, match=f"'{missing}'.*--teacher-ckpt"):
        model.init_weights()


def test_distillation_without_cloud_removal(small_models, teacher_file, batch):
    student = small_models.distill.architecture
    student.backbone.with_optical = False
    student.auxiliary_head = None
    student.test_cfg.cloud_free = False
    losses = build(small_models, teacher_file)(*batch(2), mode="loss")
    assert {k for k in losses if "loss" in k} == {"student.decode.loss_ce", "distill.loss_kd"}


def test_batch_norm_of_the_teacher_stays(small_models, teacher_file, batch):
    model = build(small_models, teacher_file).train()
    norms = [m for m in model.teacher.modules() if isinstance(m, nn.BatchNorm2d)]
    before = [m.running_mean.clone() for m in norms]
    model(*batch(2), mode="loss")
    assert all(torch.equal(m.running_mean, b) for m, b in zip(norms, before, strict=True))
