"""Train the model of a config. A distillation trains its teacher first if that is missing."""

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
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("config", help="config file, such as configs/cloudseg_m3mcr.py")
    add_run_arguments(
        parser,
        "folder of logs and checkpoints (default: work_dirs/<config name>; if given, the teacher "
        "of a distillation is in DIR/teacher)",
    )
    add(
        "--resume",
        action="store_true",
        help="resume an interrupted run from the newest checkpoint in its work dir",
    )
    add(
        "--seed",
        type=int,
        help="seed of weights, crops and the order of samples (default: the config's)",
    )
    add("--amp", action="store_true", help="train in mixed precision, on a GPU")
    add(
        "--teacher-ckpt",
        metavar="FILE",
        help="checkpoint of a distillation's teacher (default: model.teacher_ckpt of the config)",
    )
    add(
        "--no-auto-teacher",
        action="store_true",
        help="if the teacher's checkpoint is missing, stop and print the command that trains it",
    )
    return parse(parser)


def main() -> None:
    """Train. Errors in the data or options end in one line."""
    args = parse_args()
    from mmcloudseg.apis.train import train
    from mmcloudseg.engine.runs import RunSettings
    from mmcloudseg.utils.errors import plain_text

    try:
        run = RunSettings(
            work_dir=args.work_dir,
            data_root=args.data_root,
            options=args.cfg_options,
            seed=args.seed,
            launcher=args.launcher,
            overfit=args.overfit,
            amp=args.amp,
            check_values=not args.no_value_check,
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
