"""ImageNet weights for streams with any number of bands."""

from __future__ import annotations

import shutil
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from mmengine.dist import all_gather_object, barrier, get_rank
from mmengine.runner import CheckpointLoader
from mmseg.registry import MODELS
from torch import Tensor, nn
from tqdm import tqdm

from mmcloudseg.models.backbones.stages import find_stages
from mmcloudseg.utils.files import atomic_write
from mmcloudseg.utils.text import shorten_list

_TIMEOUT_S = 20
_Got = TypeVar("_Got")


def adapt_first_conv(kernel: Tensor, bands: int) -> Tensor:
    """Spread the RGB kernels of a first convolution, out x 3 x k x k, over any number of bands.

    The three kernels are repeated cyclically and multiplied by 3 / bands, which keeps the
    magnitude of the response.
    """
    indices = torch.arange(bands) % kernel.shape[1]
    return kernel[:, indices] * (kernel.shape[1] / bands)


def load_pretrained(checkpoint: str, prefix: str | None = None) -> dict[str, Tensor]:
    """Read a checkpoint's weights from a path or URL, as tensors only.

    Args:
        checkpoint: Path or URL, as in MMEngine's ``init_cfg=dict(type='Pretrained')``.
        prefix: Only keys with this prefix are taken, and the prefix is removed.

    Raises:
        FileNotFoundError: The path does not exist, or the URL cannot be reached.
    """
    if checkpoint.startswith(("http://", "https://")):
        content = _download(checkpoint)
    else:
        try:
            content = CheckpointLoader.load_checkpoint(checkpoint, map_location="cpu")
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f"pretrained weights '{checkpoint}' do not exist: give a path or URL in "
                "backbone.pretrained, or set backbone.pretrained=False to train from scratch"
            ) from error
    weights = content.get("state_dict", content)
    if prefix:
        prefix = prefix.rstrip(".") + "."
        weights = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
    return weights


def _download(url: str) -> dict[str, Any]:
    try:
        return _on_every_rank(lambda: _fetch(url))
    except OSError as error:
        raise FileNotFoundError(
            f"pretrained weights '{url}' could not be downloaded ({error}). Without a network: "
            f"fetch the file elsewhere and put it into {_cache()}, or give its path by "
            "--cfg-options model.backbone.pretrained=PATH, or train from scratch with "
            "model.backbone.pretrained=False (in a distillation config "
            "model.architecture.backbone.pretrained: the teacher follows)"
        ) from error


def _cache() -> Path:
    return Path(torch.hub.get_dir()) / "checkpoints"


def _fetch(url: str) -> dict[str, Any]:
    path = _cache() / Path(urllib.parse.urlparse(url).path).name
    if not path.is_file():
        # torch.hub has no time-out: its download hangs on a network that drops packets.
        request = urllib.request.Request(url, headers={"User-Agent": "torch.hub"})
        with (
            urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response,
            atomic_write(path) as temporary,
        ):
            size = int(response.headers.get("Content-Length") or 0)
            shown = dict(total=size or None, desc=f"downloading {path.name}")
            with temporary.open("wb") as file, tqdm.wrapattr(file, "write", **shown) as target:
                shutil.copyfileobj(response, target)
            arrived = temporary.stat().st_size
            if size and arrived != size:
                raise OSError(f"{arrived} of {size} bytes arrived")
    return torch.hub.load_state_dict_from_url(
        url, str(path.parent), map_location="cpu", weights_only=True
    )


def _on_every_rank(get: Callable[[], _Got]) -> _Got:
    """Get something on every rank of a distributed run, or fail on every rank.

    Rank 0 goes first, so that the others on its machine find what it downloaded. A rank that fails
    alone would keep the others waiting, so all of them raise its error, as an OSError.
    """
    cause: Exception | None = None
    for is_first in (True, False):
        if (get_rank() == 0) == is_first:
            try:
                got = get()
            except Exception as error:
                cause = error
        barrier()
    failed = None if cause is None else f"{type(cause).__name__}: {cause}"
    failures = [text for text in all_gather_object(failed) if text is not None]
    if failures:
        raise OSError(failures[0]) from cause
    return got


def load_timm_pretrained(stream: Mapping) -> dict[str, Tensor]:
    """ImageNet weights for three bands of an MMSeg ``TIMMBackbone``, as timm downloads them.

    Raises:
        FileNotFoundError: timm cannot download them.
    """
    try:
        net = _on_every_rank(lambda: MODELS.build(dict(stream, in_channels=3, pretrained=True)))
    except OSError as error:
        raise FileNotFoundError(
            f"timm could not get its weights of '{stream['model_name']}' ({error}). Train from "
            "scratch with backbone.pretrained=False, or give a file's path as backbone.pretrained"
        ) from error
    return net.state_dict()


def load_into_stream(net: nn.Module, weights: Mapping[str, Tensor], source: str) -> None:
    """Load pretrained weights into one stream, with its first convolution adapted to its bands.

    Weights of parts that the stream does not have (a classifier, a dropped stage) are ignored.

    Args:
        net: The stream's backbone.
        weights: What :func:`load_pretrained` returned.
        source: Where the weights came from, for the error message.

    Raises:
        ValueError: A parameter is missing from the weights or has another shape.
    """
    adapter = find_stages(net)
    if adapter is not None:
        weights = adapter.published(net, weights)
    chosen, problems = {}, []
    for key, value in net.state_dict().items():
        if key.endswith("num_batches_tracked"):
            continue
        given = weights.get(key)
        if given is None and adapter is not None and adapter.made_for_segmentation(key):
            continue
        if given is None:
            problems.append(f"{key} is missing")
        elif given.shape == value.shape:
            chosen[key] = given
        elif _differs_in_bands_only(given, value):
            chosen[key] = adapt_first_conv(given, value.shape[1])
        else:
            problems.append(f"{key} is {tuple(given.shape)}, not {tuple(value.shape)}")
    if problems:
        raise ValueError(
            f"'{source}' does not fit {type(net).__name__}: {shorten_list(problems)}. Choose the "
            "file of the same variant, or set init_cfg.prefix if its keys have a prefix"
        )
    net.load_state_dict(chosen, strict=False)


def _differs_in_bands_only(given: Tensor, wanted: Tensor) -> bool:
    return (
        given.ndim == wanted.ndim == 4
        and given.shape[1] == 3
        and given[:, 0].shape == wanted[:, 0].shape
    )
