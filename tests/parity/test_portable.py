"""The published method, number by number, on drawn inputs (float64)."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mmcloudseg.engine.reference_checkpoint import _names

TOLERANCE = 1e-6  # the golden outputs are stored as float32


def close(ours: torch.Tensor, golden: np.ndarray, atol: float = TOLERANCE) -> None:
    np.testing.assert_allclose(ours.detach().numpy(), golden, rtol=0, atol=atol)


@torch.no_grad()
@pytest.mark.parametrize("role", ["student", "teacher"])
def test_forward(build, samples, golden, role):
    sample, model = samples["a"], build(role)
    x = (sample.inputs if role == "student" else sample.clear_inputs)[None]
    features = model.extract_feat(x)
    logits = model.decode_head(features)
    assert torch.equal(logits, model(x, mode="tensor"))
    on_labels = F.interpolate(logits, size=(48, 48), mode="bilinear")[0]
    close(on_labels, golden["forward"][f"{role}_logits_48"])
    decoded = model.decode_head.decoder(features[:4])[0, :, ::8, ::8]
    close(decoded, golden["forward"][f"{role}_decoder_out_every8"])
    if role == "student":
        image = model.auxiliary_head(features)[0, :, ::4, ::4]
        close(image, golden["forward"]["student_cloud_free_every4"])


def batch(samples, tags):
    inputs = torch.stack([samples[tag].inputs for tag in tags])
    return inputs, [samples[tag].data_sample for tag in tags]


def named(losses: dict) -> dict:
    return dict(
        loss_seg=losses["student.decode.loss_ce"],
        loss_cr=losses["student.aux.loss_cloud_removal"],
        loss_kd=losses["distill.loss_kd"],
        loss_total=sum(value for key, value in losses.items() if "loss" in key),
    )


@torch.no_grad()
def test_losses_in_eval_mode(build, samples, golden):
    inputs, data_samples = batch(samples, "a")
    losses = named(build("distill")(inputs, data_samples, mode="loss"))
    for name, value in losses.items():
        assert value.item() == pytest.approx(golden["losses"]["eval_a"][name], rel=1e-9), name


@torch.no_grad()
@pytest.mark.parametrize(("tags", "which"), [("a", "eval_a"), ("ab", "train_ab")])
def test_teacher_loss(build, samples, golden, tags, which):
    inputs = torch.stack([samples[tag].clear_inputs for tag in tags])
    data_samples = [samples[tag].data_sample for tag in tags]
    losses = build("teacher")(inputs, data_samples, mode="loss")
    expected = golden["losses"][which]["teacher_loss_seg"]
    assert losses["decode.loss_ce"].item() == pytest.approx(expected, rel=1e-9)


def gradient_norms(model) -> dict[str, float]:
    """By the reference's names; our in-projection is its q and kv."""
    gradients = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    norms = {}
    for key, name in _names((2, 2, 2, 2), "student"):
        if name not in gradients:
            continue
        gradient = gradients.pop(name)
        if ".attn.q." in key:
            width = len(gradient) // 3
            norms[key] = gradient[:width].norm().item()
            norms[key.replace(".attn.q.", ".attn.kv.")] = gradient[width:].norm().item()
        else:
            norms[key] = gradient.norm().item()
    assert not gradients, "parameters that the reference does not have"
    return norms


def test_losses_and_gradients_in_train_mode(build, samples, golden):
    expected = golden["losses"]["train_ab"]
    model = build("distill").train()
    losses = named(model(*batch(samples, "ab"), mode="loss"))
    for name, value in losses.items():
        assert value.item() == pytest.approx(expected[name], rel=1e-9), name
    losses["loss_total"].backward()
    norms = gradient_norms(model.architecture)
    for key, norm in expected["grad_norm"].items():
        # The norm of a gradient that is zero but for rounding is rounding.
        assert norms[key] == pytest.approx(norm, rel=1e-6, abs=1e-12), key
    total = sum(norm**2 for norm in norms.values()) ** 0.5
    assert total == pytest.approx(expected["grad_norm_all"], rel=1e-6)


def test_every_parameter_gets_a_gradient(build, samples):
    model = build("distill").train()
    named(model(*batch(samples, "ab"), mode="loss"))["loss_total"].backward()
    assert [name for name, p in model.named_parameters() if p.grad is None] == []


def test_adam_steps(build, samples, golden):
    model = build("distill").train()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
    totals = []
    for _ in range(4):
        loss = named(model(*batch(samples, "ab"), mode="loss"))["loss_total"]
        totals.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    expected = golden["losses"]["adam_1e-4_total_loss_4_steps_batch_ab"]
    assert totals == pytest.approx(expected, rel=1e-6)


@torch.no_grad()
def test_sliding_window(build, samples, golden):
    sample, model = samples["c"], build("student")
    (result,) = model.predict(sample.inputs[None], [sample.data_sample.clone()])
    close(result.seg_logits.data, golden["sliding"]["merged"])
    assert torch.equal(result.pred_sem_seg.data[0], result.seg_logits.data.argmax(0))
    assert result.pred_cloud_free.data.shape == (4, 300, 300)
