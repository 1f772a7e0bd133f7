"""Train a model from a config; a distillation's teacher is trained first if it is missing."""

from __future__ import annotations

import argparse
import sys

from arguments import add_run_arguments, parse

EXAMPLES = """examples:
  python tools/train.py configs/cloudseg_mini.py
  python tools/train.py configs/cloudseg_m3mcr.py --data-root /data/M3M-CR --amp
  python tools/train.py configs/cloudseg_m3mcr.py --resume
  python tools/train.py configs/cloudseg_mini.py --cfg-options train_cfg.max_iters=500 \\
      optim_wrapper.optimizer.lr=1e-3
  torchrun --nproc-per-node 4 tools/train.py configs/cloudseg_m3mcr.py --launcher pytorch
"""


def parse_args() -> argparse.Namespace:
    """The command line; MMEngine is imported only when there is something to parse for it."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("config", help="config file, such as configs/cloudseg_m3mcr.py")
    add_run_arguments(
        parser,
        "logs and checkpoints (default: work_dirs/<config name>; if given, a distillation's "
        "teacher lies in DIR/teacher)",
    )
    add(
        "--resume",
        action="store_true",
        help="go on from the latest checkpoint in the work dir, if there is one",
    )
    add("--seed", type=int, help="of weights, crops and order (default: the config's)")
    add("--amp", action="store_true", help="mixed precision, on a GPU")
    add(
        "--teacher-ckpt",
        metavar="FILE",
        help="teacher's checkpoint for a distillation (default: the config's model.teacher_ckpt)",
    )
    add(
        "--no-auto-teacher",
        action="store_true",
        help="stop, with the command that trains it, where the teacher's checkpoint is missing",
    )
    return parse(parser)


def main() -> None:
    """Train; what is wrong with data or options ends in one clear line."""
    args = parse_args()
    from mmcloudseg.apis.train import train
    from mmcloudseg.engine.configs import parse_options
    from mmcloudseg.engine.runs import RunSettings
    from mmcloudseg.utils.errors import plain_text

    try:
        run = RunSettings(
            work_dir=args.work_dir,
            data_root=args.data_root,
            options=parse_options(args.cfg_options),
            seed=args.seed,
            launcher=args.launcher,
            overfit=args.overfit,
            amp=args.amp,
        )
        train(
            args.config,
            run,
            resume=args.resume,
            teacher_ckpt=args.teacher_ckpt,
            auto_teacher=not args.no_auto_teacher,
        )
    except (FileNotFoundError, ValueError) as error:
        sys.exit(f"train: {plain_text(error)}")


if __name__ == "__main__":
    main()
