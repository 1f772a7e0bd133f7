from __future__ import annotations

import contextlib
import multiprocessing
import socket
import threading

import pytest
import torch
from mmengine.model import PretrainedInit
from mmseg.models.backbones import MixVisionTransformer
from mmseg.registry import MODELS

from mmcloudseg.models.backbones import pretrained
from mmcloudseg.models.backbones.pretrained import adapt_first_conv, load_pretrained

STREAM = dict(
    type="MixVisionTransformer", embed_dims=16, num_layers=[1, 1, 1, 1], num_heads=[1, 2, 5, 8]
)


def published(path, **change):
    """A file like MMSeg's: a plain RGB backbone's weights."""
    torch.manual_seed(1)
    weights = MODELS.build(STREAM).state_dict()
    weights.update(change)
    torch.save(weights, path)
    return weights


def build(checkpoint, **init):
    stream = dict(STREAM, init_cfg=dict(type="Pretrained", checkpoint=str(checkpoint), **init))
    net = MODELS.build(dict(type="CrossModalBackbone", stream=stream))
    net.init_weights()
    return net


def test_adapted_kernels():
    kernel = torch.rand(8, 3, 7, 7)
    four = adapt_first_conv(kernel, 4)
    torch.testing.assert_close(four[:, 3], kernel[:, 0] * 0.75)
    torch.testing.assert_close(four[:, 1], kernel[:, 1] * 0.75)
    two = adapt_first_conv(kernel, 2)
    torch.testing.assert_close(two, kernel[:, :2] * 1.5)
    assert torch.equal(adapt_first_conv(kernel, 3), kernel)


def test_grey_image_keeps_its_response():
    kernel = torch.rand(8, 3, 7, 7, dtype=torch.float64)
    grey = torch.rand(1, 1, 20, 20, dtype=torch.float64)
    rgb = torch.nn.functional.conv2d(grey.expand(-1, 3, -1, -1), kernel)
    one_band = torch.nn.functional.conv2d(grey, adapt_first_conv(kernel, 1))
    torch.testing.assert_close(one_band, 3 * torch.nn.functional.conv2d(grey, kernel[:, :1]))
    six = torch.nn.functional.conv2d(grey.expand(-1, 6, -1, -1), adapt_first_conv(kernel, 6))
    torch.testing.assert_close(six, rgb)


def test_all_streams_start_from_it(tmp_path):
    weights = published(tmp_path / "mit.pth")
    net = build(tmp_path / "mit.pth")
    key = "layers.0.0.projection.weight"
    for stream, bands in ((net.optical, 4), (net.sar, 2)):
        assert torch.equal(stream.state_dict()[key], adapt_first_conv(weights[key], bands))
    for stream, first in ((net.optical, 0), (net.sar, 0), (net.cross, 1)):
        for name, value in stream.state_dict().items():
            if name != key:
                assert int(name.split(".")[1]) >= first
                assert torch.equal(value, weights[name]), name


def test_initializer_and_stream_by_their_classes(tmp_path):
    weights = published(tmp_path / "mit.pth")
    init_cfg = dict(type=PretrainedInit, checkpoint=str(tmp_path / "mit.pth"))
    stream = dict(STREAM, type=MixVisionTransformer, init_cfg=init_cfg)
    net = MODELS.build(dict(type="CrossModalBackbone", stream=stream))
    net.init_weights()
    assert torch.equal(net.sar.layers[3][2].weight, weights["layers.3.2.weight"])


def test_prefix_and_classifier_are_taken_off(tmp_path):
    weights = {f"backbone.{k}": v for k, v in published(tmp_path / "a.pth").items()}
    torch.save(dict(state_dict=weights | {"head.weight": torch.rand(3)}), tmp_path / "b.pth")
    net = build(tmp_path / "b.pth", prefix="backbone.")
    assert torch.equal(net.sar.layers[3][2].weight, weights["backbone.layers.3.2.weight"])


def test_another_variant_is_refused(tmp_path):
    published(tmp_path / "mit.pth", **{"layers.3.2.weight": torch.rand(7)})
    with pytest.raises(
        ValueError, match=r"mit\.pth'.*layers\.3\.2\.weight .*\(7,\), .*\(128,\).*variant"
    ):
        build(tmp_path / "mit.pth")


def test_missing_parameters_are_named(tmp_path):
    weights = published(tmp_path / "mit.pth")
    del weights["layers.1.2.bias"]
    torch.save(weights, tmp_path / "mit.pth")
    with pytest.raises(ValueError, match=r"mit\.pth'.*layers\.1\.2\.bias .*init_cfg\.prefix"):
        build(tmp_path / "mit.pth")


def test_missing_file():
    with pytest.raises(FileNotFoundError, match=r"'nowhere.pth' do not exist.*pretrained=False"):
        build("nowhere.pth")


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A folder in place of torch.hub's, and no proxy between here and this machine."""
    monkeypatch.setenv("no_proxy", "*")
    before = torch.hub.get_dir()
    torch.hub.set_dir(str(tmp_path / "hub"))
    yield tmp_path / "hub/checkpoints"
    torch.hub.set_dir(before)


@contextlib.contextmanager
def server(answer):
    """The URL of weights on a server that sends ``answer`` and closes, or says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                if answer is None:
                    connection.recv(1)  # until the client gives up
                else:
                    connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/mit.pth"
        thread.join(10)


def response(content, length):
    return f"HTTP/1.0 200 OK\r\nContent-Length: {length}\r\n\r\n".encode() + content


def forbid_default_timeout(monkeypatch):
    def refuse(_):
        raise AssertionError("the time-out of every socket of the process was changed")

    monkeypatch.setattr(socket, "setdefaulttimeout", refuse)


def test_a_url_is_downloaded_once(hub, tmp_path, monkeypatch):
    weights = published(tmp_path / "mit.pth")
    content = (tmp_path / "mit.pth").read_bytes()
    forbid_default_timeout(monkeypatch)
    with server(response(content, len(content))) as url:
        found = load_pretrained(url)
    assert found.keys() == weights.keys() == load_pretrained(url).keys()
    assert [path.name for path in hub.iterdir()] == ["mit.pth"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, "timed out"),
        (response(b"half", 8), "4 of 8 bytes"),
        (b"HTTP/1.0 404 No\r\n\r\n", "404"),
    ],
)
def test_what_cannot_be_downloaded_is_a_clear_message(hub, monkeypatch, answer, reason):
    forbid_default_timeout(monkeypatch)
    monkeypatch.setattr(pretrained, "_TIMEOUT_S", 0.2)
    with (
        server(answer) as url,
        pytest.raises(FileNotFoundError, match=rf"{url}.*{reason}.*{hub}.*pretrained=False"),
    ):
        load_pretrained(url)
    assert not hub.exists() or not list(hub.iterdir())


def _one_rank(store, rank, hub, said):
    torch.distributed.init_process_group("gloo", f"file://{store}", rank=rank, world_size=2)
    torch.hub.set_dir(hub)
    try:
        load_pretrained("http://127.0.0.1:1/mit.pth")  # nobody listens there
    except Exception as error:
        said.put((rank, f"{type(error).__name__}: {error}"))


@pytest.mark.parametrize("unlucky", [0, 1])
def test_a_failed_download_reaches_every_rank(hub, tmp_path, unlucky):
    """Two machines, of which one has the file in its cache."""
    lucky = tmp_path / str(1 - unlucky) / "checkpoints"
    lucky.mkdir(parents=True)
    published(lucky / "mit.pth")
    forked = multiprocessing.get_context("fork")
    said = forked.Queue()
    ranks = [
        forked.Process(
            target=_one_rank, args=(tmp_path / "store", rank, str(tmp_path / str(rank)), said)
        )
        for rank in range(2)
    ]
    for process in ranks:
        process.start()
    try:
        heard = dict(said.get(timeout=60) for _ in ranks)
    finally:
        for process in ranks:
            process.kill()
    for rank in range(2):
        assert heard[rank].startswith("FileNotFoundError: pretrained weights 'http://127.0.0.1:1/")
        assert "refused" in heard[rank] and "pretrained=False" in heard[rank]


def test_code_in_a_file_is_not_run(tmp_path):
    class Attack:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    torch.save(dict(state_dict=Attack()), tmp_path / "evil.pth")
    with pytest.raises(Exception, match="weights_only"):
        build(tmp_path / "evil.pth")
    assert not (tmp_path / "ran").exists()
