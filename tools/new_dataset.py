"""Look at a folder of optical and SAR images and labels, and write configs that train on it."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

EXAMPLES = """examples:
  python tools/new_dataset.py /data/mine
  python tools/new_dataset.py /data/mine --out configs/cloudseg_mine.py --small \\
      --classes 10=forest 20=rangeland 30=rangeland 80=water
  python tools/new_dataset.py /data/mine --optical s2 --sar s1 --label reference --sar-unit linear
"""
CONFIGS = Path(__file__).resolve().parents[1] / "configs"
MODALITIES = {
    "optical": "img_path",
    "sar": "sar_path",
    "label": "seg_map_path",
    "cloud-free": "cloud_free_path",
    "cloud-mask": "cloud_mask_path",
}


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("root", metavar="DIR", help="folder of the data")
    add(
        "--out",
        metavar="CONFIG.py",
        help="config to write; its teacher and student go next to it, and what describes the data "
        "to _base_/datasets there (default: configs/cloudseg_<folder's name>.py)",
    )
    add("--lists", metavar="DIR", help="where to write the lists of samples (default: the data's)")
    add("--overwrite", action="store_true", help="replace configs and lists that are there")
    add("--dry-run", action="store_true", help="show what was found, and write nothing")
    add(
        "--small",
        action="store_true",
        help="MiT-B0 from scratch for 400 iterations, which a CPU can do (default: MiT-B4 from "
        "ImageNet weights for 30 epochs)",
    )
    add("--crop-size", type=int, default=256, help="side of training crops (default: 256)")
    _add_data_arguments(parser.add_argument_group("what names and values do not tell"))
    return parser.parse_args()


def _add_data_arguments(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    for name in MODALITIES:
        add(f"--{name}", metavar="DIR", help=f"folder of the {name} files, below the data's")
    add(
        "--without",
        nargs="+",
        default=[],
        choices=list(MODALITIES),
        help="leave out modalities that are there",
    )
    add(
        "--classes",
        nargs="+",
        metavar="NAME",
        help="classes in the order of the label codes, or CODE=NAME pairs: codes of one name are "
        "one class, and codes that are not named are ignored",
    )
    add("--optical-unit", choices=["reflectance", "percent", "reflectance_x10000"])
    add("--sar-unit", choices=["db", "db_x100", "linear", "amplitude"])
    add("--optical-bands", nargs="+", metavar="NAME", help="names of the bands, in their order")
    add("--sar-bands", nargs="+", metavar="NAME", help="names of the bands, in their order")
    add(
        "--fractions",
        nargs=3,
        type=float,
        default=[0.8, 0.1, 0.1],
        metavar=("TRAIN", "VAL", "TEST"),
        help="shares of the splits (default: 0.8 0.1 0.1)",
    )
    add(
        "--together",
        nargs="+",
        action="append",
        default=[],
        metavar="NAME",
        help="samples to keep in one split, by name or pattern; may be given several times",
    )


def classes(words: list[str] | None) -> dict[float, str] | list[str] | None:
    """Read ``--classes``.

    Raises:
        ValueError: Some are pairs and some are not, or a code is no number.
    """
    if words is None or not any("=" in word for word in words):
        return words
    pairs = [word.split("=", 1) for word in words]
    if any(len(pair) != 2 for pair in pairs):
        raise ValueError("--classes: give either names, or CODE=NAME for each")
    return {float(code): name for code, name in pairs}


def main() -> None:
    """Look, report, write; what cannot be told ends in one line."""
    args = parse_args()
    from tqdm import tqdm

    from mmcloudseg.datasets.own import Stated, survey, write_configs
    from mmcloudseg.datasets.own.report import report

    named = {key: getattr(args, name.replace("-", "_")) for name, key in MODALITIES.items()}
    try:
        stated = Stated(
            folders={key: folder for key, folder in named.items() if folder},
            without=[MODALITIES[name] for name in args.without],
            classes=classes(args.classes),
            optical_unit=args.optical_unit,
            sar_unit=args.sar_unit,
            optical_bands=args.optical_bands,
            sar_bands=args.sar_bands,
            fractions=args.fractions,
            together=args.together,
        )
        data = survey(args.root, stated, partial(tqdm, desc="maps", unit="file", leave=False))
        print("\n".join(report(data)))
        if args.dry_run:
            return
        out = args.out or CONFIGS / f"cloudseg_{Path(data.root).name}.py"
        written = write_configs(
            data, out, CONFIGS, args.lists, args.crop_size, args.small, args.overwrite
        )
    except (OSError, ValueError) as error:
        sys.exit(f"new_dataset: {error}")
    config = args.out or written.config.relative_to(CONFIGS.parent)
    print(f"Wrote {config} and the lists {', '.join(map(str, written.lists.values()))}. Next:")
    print(f"  python tools/verify_dataset.py {config}")
    print(f"  python tools/train.py {config}")
    print(f"  python tools/test.py {config} work_dirs/{Path(config).stem}/best.pth --out results")


if __name__ == "__main__":
    main()
