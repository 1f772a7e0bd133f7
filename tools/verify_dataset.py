"""Read every file of a config's datasets, report all problems at once, and sum up the data."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from functools import partial

EXAMPLE = """examples:
  python tools/verify_dataset.py configs/cloudseg_mini.py
  python tools/verify_dataset.py configs/cloudseg_m3mcr.py --data-root /data/M3M-CR
"""


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=f"{__doc__} The exit code is 1 if there are problems.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "config", metavar="CONFIG", help="config with train, val and test dataloaders"
    )
    parser.add_argument(
        "--no-value-check",
        action="store_true",
        help="do not compare the values of images with the ranges that the model expects",
    )
    parser.add_argument(
        "--data-root", metavar="PATH", help="root of the data (default: data_root of the config)"
    )
    return parser.parse_args()


def main() -> None:
    """Verify each split, then report."""
    args = parse_args()
    from mmengine.registry import init_default_scope
    from tqdm import tqdm

    import mmcloudseg  # noqa: F401  (registers the datasets)
    from mmcloudseg.datasets.verification import leaf_datasets, verify
    from mmcloudseg.engine.configs import load_config
    from mmcloudseg.engine.model_description import value_ranges

    try:
        config = load_config(args.config, data_root=args.data_root)
    except (FileNotFoundError, ValueError) as error:
        sys.exit(f"verify_dataset: {error}")
    init_default_scope(config.get("default_scope", "mmseg"))
    model = config.get("model") or {}
    known = value_ranges(model.get("architecture") or model)
    ranges = None if args.no_value_check else known

    problems: list[str] = []
    odd: list[str] = []
    done: dict[str, str] = {}
    leaves = list(leaf_datasets(config))
    joined = Counter(split for split, _ in leaves)
    for split, leaf in leaves:
        if joined[split] > 1:
            split = f"{split}, {leaf.get('data_root')}"
        key = repr({name: leaf[name] for name in sorted(leaf) if name != "pipeline"})
        if key in done:
            print(f"{split}: the same samples as {done[key]}")
            continue
        done[key] = split
        findings = verify(leaf, partial(tqdm, desc=split, unit="sample"), ranges)
        print(f"{split}: {findings.summary()}")
        problems += [f"{split}: {problem}" for problem in findings.problems]
        odd += findings.warnings
    for text in dict.fromkeys(odd):
        print(f"warning: {text}")
    if problems:
        listed = "\n".join(f"  - {problem}" for problem in dict.fromkeys(problems))
        sys.exit(f"{len(problems)} problem(s) found:\n{listed}")
    print("no problems found" if done else f"verify_dataset: {args.config} has no data loaders")


if __name__ == "__main__":
    main()
