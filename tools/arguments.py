"""What the command lines of several tools have in common; imports nothing heavy."""

from __future__ import annotations

import argparse
import functools
import os
import sys
import time
from collections.abc import Callable
from typing import Any


class CfgOptions(argparse.Action):
    """MMEngine's ``DictAction``, which is imported only when there is something to parse.

    Importing MMEngine takes seconds, and ``--help`` should not.
    """

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Parse ``KEY=VALUE`` pairs into a dict of dotted keys."""
        from mmengine.config import DictAction

        odd = [pair for pair in values if "=" not in pair]
        if odd:
            parser.error(f"{option_string}: expected KEY=VALUE, found '{odd[0]}'")
        DictAction(self.option_strings, self.dest)(parser, namespace, values, option_string)


def add_cfg_options(add: Callable[..., argparse.Action], note: str = "") -> None:
    """Add ``--cfg-options``.

    Args:
        add: ``add_argument`` of a parser or a group.
        note: What to know about the keys.
    """
    add(
        "--cfg-options",
        nargs="+",
        action=CfgOptions,
        metavar="KEY=VALUE",
        default={},
        help=f"override settings of the config by dotted keys; write lists as a,b or [a,b]{note}",
    )


def add_run_arguments(parser: argparse.ArgumentParser, work_dir_help: str) -> None:
    """Add the arguments of anything that runs a config on data."""
    add = parser.add_argument
    add("--data-root", metavar="DIR", help="root of the data (default: data_root of the config)")
    add("--work-dir", metavar="DIR", help=work_dir_help)
    add(
        "--overfit",
        action="store_true",
        help="validate and test on the training samples, without drop path and at a constant "
        "learning rate, to see whether the network can learn the data at all",
    )
    add(
        "--no-value-check",
        action="store_true",
        help="do not look at the data before the run; by default values in another unit than the "
        "model's, cloud masks and labels that do not fit stop it",
    )
    add_cfg_options(add, "; for a distillation, test.py takes the keys of the student")
    add(
        "--launcher",
        choices=["none", "pytorch", "slurm", "mpi"],
        default="none",
        help="launcher that started the processes of a distributed run (default: none)",
    )
    add("--local_rank", "--local-rank", type=int, default=0, help=argparse.SUPPRESS)


def parse(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """Parse, and tell MMEngine the local rank as torch.distributed.launch passes it."""
    args = parser.parse_args()
    os.environ.setdefault("LOCAL_RANK", str(args.local_rank))
    return args


def natural_number(text: str) -> int:
    """Read a whole number from 0."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"expected a whole number from 0, found {text}")
    return number


def mini_set_parser(description: str, example: str, replaced: str) -> argparse.ArgumentParser:
    """A parser of what every maker of a miniature set takes.

    Args:
        description: What the tool does.
        example: Its epilog.
        replaced: What ``--force`` replaces.
    """
    parser = argparse.ArgumentParser(
        description=description,
        epilog=example,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("out", metavar="OUT", help="folder to write")
    parser.add_argument(
        "--seed",
        type=natural_number,
        default=0,
        help="seed of the set; the same seed gives the same pixels (default: 0)",
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help=f"replace {replaced} in a folder that this tool did not make",
    )
    return parser


def make_mini_set(
    args: argparse.Namespace, write: Callable[..., int], content: str, unit: str
) -> None:
    """Make a miniature set with a progress bar, and say in one line what was made.

    Args:
        args: ``out``, ``seed``, ``force``.
        write: ``write(out, seed=…, force=…, progress=…)`` makes the set and returns its bytes.
        content: What it holds, for that line.
        unit: What the bar counts.
    """
    from tqdm import tqdm

    start = time.perf_counter()
    bar = functools.partial(tqdm, desc="making", unit=unit, dynamic_ncols=True)
    try:
        size = write(args.out, seed=args.seed, force=args.force, progress=bar)
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(f"stopped: nothing was written to {args.out}")
    print(
        f"{args.out}: {content}, {size / 1e6:.1f} MB, made in {time.perf_counter() - start:.0f} s"
    )
