# CMX-B0 on the mini M3M-CR.
_base_ = [
    "_base_/models/cmx_mit-b0.py",
    "_base_/datasets/mini_m3mcr.py",
    "_base_/schedules/schedule_mini.py",
    "_base_/default_runtime.py",
]
model = _base_.network
