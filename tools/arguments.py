"""What the command lines of several tools have in common; imports nothing heavy."""

from __future__ import annotations

import argparse
import functools
import os
import sys
import time
from collections.abc import Callable


def add_run_arguments(parser: argparse.ArgumentParser, work_dir_help: str) -> None:
    """Add the arguments of anything that runs a config on data."""
    add = parser.add_argument
    add("--data-root", metavar="DIR", help="where the data lie (default: the config's data_root)")
    add("--work-dir", metavar="DIR", help=work_dir_help)
    add(
        "--overfit",
        action="store_true",
        help="can it learn these data at all? Validates and tests on the training samples, "
        "without drop path and at a constant learning rate",
    )
    add(
        "--cfg-options",
        nargs="+",
        metavar="KEY=VALUE",
        default=[],
        help="change the config: dotted keys, lists as a,b or [a,b]; of a distillation, test.py "
        "takes the student's keys",
    )
    add(
        "--launcher",
        choices=["none", "pytorch", "slurm", "mpi"],
        default="none",
        help="how the processes of a distributed run were started",
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
    parser.add_argument("out", metavar="OUT", help="folder to make")
    parser.add_argument(
        "--seed", type=natural_number, default=0, help="same seed, same pixels (default 0)"
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
