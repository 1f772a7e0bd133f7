# CMX-B2 on M3M-CR.
_base_ = [
    "_base_/models/cmx_mit-b2.py",
    "_base_/datasets/m3mcr.py",
    "_base_/schedules/schedule_30e.py",
    "_base_/default_runtime.py",
]
model = _base_.network
