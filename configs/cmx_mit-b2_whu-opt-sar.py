# CMX-B2 on WHU-OPT-SAR.
_base_ = [
    "_base_/models/cmx_mit-b2.py",
    "_base_/datasets/whu-opt-sar.py",
    "_base_/schedules/schedule_30e.py",
    "_base_/default_runtime.py",
]
model = _base_.network
