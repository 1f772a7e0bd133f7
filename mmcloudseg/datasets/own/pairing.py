"""Which files of several modalities belong to one sample."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress

from mmcloudseg.datasets.own.folders import (
    OPTIONS,
    described,
    is_modality_word,
    named_modality,
    tokens,
)
from mmcloudseg.utils.errors import DataError
from mmcloudseg.utils.text import shorten_list

_ENOUGH = 0.5
Name = list[list[str]]
Shorten = Callable[[Mapping[str, Name]], dict[str, Name]]


def pair(
    files: Mapping[str, Sequence[str]], folders: Mapping[str, str]
) -> tuple[dict[str, dict[str, str]], list[str]]:
    """Pair files by what their names have in common.

    Words that tell a modality are left out of the names. Where that does not pair all of them, so
    are the words that begin or end every name of a modality, or the folders named after one.

    Args:
        files: Path key -> paths.
        folders: Path key -> the folder that names are compared below.

    Returns:
        Name -> path key -> path, of the samples that have all modalities; and a line for each
        modality that others lack.

    Raises:
        DataError: If two files of a modality have one name, or most files find no partner.
    """
    best: dict[str, dict[str, str]] = {}
    for shorten in (None, _without_common_words, _without_modality_folders):
        with suppress(DataError) if best else nullcontext():
            words = {key: _names(paths, folders[key], shorten) for key, paths in files.items()}
            named = {key: _by_name(key, names) for key, names in words.items()}
            best = max(best, named, key=lambda named: len(_shared(named)))
        if len(_shared(best)) == len(files["img_path"]):
            break
    names = _shared(best)
    if len(names) < _ENOUGH * len(files["img_path"]):
        shown = [f"{described(key)}: {shorten_list(paths, 2)}" for key, paths in files.items()]
        remedy = (
            "Give the files of a sample the same name in each folder, name the folders "
            f"({', '.join(OPTIONS.values())}), or leave a modality out by --without."
        )
        title = f"only {len(names)} of {len(files['img_path'])} optical images have all others"
        raise DataError.from_problems(title, shown, remedy)
    problems = []
    for key, by_name in best.items():
        alone = [path for name, path in by_name.items() if name not in names]
        if alone:
            problems.append(f"{len(alone)} {described(key)}(s) unpaired: {shorten_list(alone, 3)}")
    return {name: {key: best[key][name] for key in files} for name in names}, problems


def _names(paths: Sequence[str], folder: str, shorten: Shorten | None) -> dict[str, Name]:
    """Path -> words of its folders and of its own name, without those that tell a modality."""
    names = {}
    for path in paths:
        parts = os.path.splitext(os.path.relpath(path, folder or "."))[0].split(os.sep)
        names[path] = [tokens(part) for part in parts]
    if shorten is _without_modality_folders:
        names = shorten(names)
    kept = {
        path: [
            [word for i, word in enumerate(part) if not is_modality_word(part, i)] for part in name
        ]
        for path, name in names.items()
    }
    # A name of modality words alone, such as "images/7/rgb.tif", is told by its folder.
    kept = {path: [part for part in name if part] for path, name in kept.items()}
    return shorten(kept) if shorten is _without_common_words else kept


def _without_common_words(names: Mapping[str, Name]) -> dict[str, Name]:
    last = [name[-1] for name in names.values() if name]
    if len(set(map(tuple, last))) < 2:
        return dict(names)
    start = _shared_start(last)
    end = _shared_start([words[start:][::-1] for words in last])
    return {
        path: [*name[:-1], name[-1][start : len(name[-1]) - end]] if name else name
        for path, name in names.items()
    }


def _without_modality_folders(names: Mapping[str, Name]) -> dict[str, Name]:
    return {
        path: [*(part for part in name[:-1] if not named_modality("_".join(part))), name[-1]]
        for path, name in names.items()
    }


def _shared_start(names: Sequence[Sequence[str]]) -> int:
    """How many words, or letters, all names begin with."""
    return sum(1 for _ in itertools.takewhile(lambda part: len(set(part)) == 1, zip(*names)))  # noqa: B905


def _by_name(key: str, names: Mapping[str, Name]) -> dict[str, str]:
    found: dict[str, str] = {}
    for path, parts in names.items():
        name = "/".join("_".join(part) for part in parts)
        if name in found:
            raise DataError(
                f"{found[name]} and {path} would both be the {described(key)} of '{name}'. Rename "
                f"one, or name the folder to take by {OPTIONS[key]}."
            )
        found[name] = path
    return found


def _shared(named: Mapping[str, Mapping[str, str]]) -> list[str]:
    return sorted(set.intersection(*map(set, named.values()))) if named else []
