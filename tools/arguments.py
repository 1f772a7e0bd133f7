"""What the command lines of train.py and test.py have in common; imports nothing heavy."""

from __future__ import annotations

import argparse
import os


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
