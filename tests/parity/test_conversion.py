"""Reference checkpoint files and their refusal."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from mmcloudseg.engine.reference_checkpoint import convert_file, convert_reference


@pytest.mark.parametrize("role", ["student", "teacher"])
def test_role_is_found_out_and_checked(reference_network, role):
    network = reference_network(role)
    _, found = convert_reference(network)
    assert found == role
    other = dict(student="teacher", teacher="student")[role]
    with pytest.raises(ValueError, match=f"{role}'s .*--role {role}"):
        convert_reference(network, other)


@pytest.mark.parametrize(
    "key",
    [
        "module.cr_head.1.bias",
        "module.modality1_stream.encoder.block3.1.attn.kv.weight",
        "module.modality2_stream.decoder.blocks.0.conv1.0.weight",  # nothing reads it
        "module.fuse_block_stage2.spatial_attn_block.spatial.bn.running_var",
    ],
)
def test_a_missing_key_is_named(reference_network, key):
    network = reference_network("student")
    del network[key]
    with pytest.raises(ValueError, match=f"lacks {key.removeprefix('module.')}.*[Cc]opy"):
        convert_reference(network)


def test_surplus_keys_are_named(reference_network):
    network = reference_network("teacher") | {"module.fuse_block_stage5.x": torch.ones(1)}
    with pytest.raises(ValueError, match=r"surplus fuse_block_stage5\.x.*another"):
        convert_reference(network)


def test_values_go_where_they_belong(reference_network):
    network = reference_network("student")
    ours, _ = convert_reference(network)
    block = "modality1_stream.encoder.block2.1"
    projection = ours["backbone.optical.layers.1.1.1.attn.attn.in_proj_weight"]
    assert torch.equal(projection[:64], network[f"module.{block}.attn.q.weight"])
    assert torch.equal(projection[64:], network[f"module.{block}.attn.kv.weight"])
    conv = ours["backbone.optical.layers.1.1.1.ffn.layers.0.weight"]
    assert torch.equal(conv[:, :, 0, 0], network[f"module.{block}.mlp.fc1.weight"])


def test_other_files_are_refused(tmp_path):
    torch.save(dict(state_dict={}), tmp_path / "a.pth")
    with pytest.raises(ValueError, match=r"a\.pth' .*'network'.*reference"):
        convert_file(tmp_path / "a.pth", tmp_path / "out.pth")
    (tmp_path / "b.pth").write_bytes(b"half a file")
    with pytest.raises(ValueError, match=r"b\.pth' .*copy .*another file"):
        convert_file(tmp_path / "b.pth", tmp_path / "out.pth")
    with pytest.raises(FileNotFoundError, match=r"c.pth' does not exist"):
        convert_file(tmp_path / "c.pth", tmp_path / "out.pth")
    assert not (tmp_path / "out.pth").exists()


def test_code_in_a_file_is_not_run(tmp_path):
    class Attack:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    torch.save(dict(network=Attack()), tmp_path / "evil.pth")
    with pytest.raises(ValueError, match=r"evil\.pth' .*Weights only.*another file"):
        convert_file(tmp_path / "evil.pth", tmp_path / "out.pth")
    assert not (tmp_path / "ran").exists()


@pytest.mark.slow
def test_the_tool(reference_network, root, tmp_path):
    torch.save(dict(network=reference_network("teacher")), tmp_path / "in.pth")
    command = [sys.executable, str(root / "tools/convert_reference.py"), str(tmp_path / "in.pth")]
    done = subprocess.run([*command, str(tmp_path / "out.pth")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "a teacher" in done.stdout
    content = torch.load(tmp_path / "out.pth", weights_only=True)
    assert len(content["state_dict"]) > 400
    done = subprocess.run(
        [*command, str(tmp_path / "x.pth"), "--role", "student"], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert f"convert_reference: '{tmp_path}/in.pth'" in done.stderr
    assert "--role teacher" in done.stderr
    assert not (tmp_path / "x.pth").exists()
