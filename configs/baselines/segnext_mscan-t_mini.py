# SegNeXt-T on the mini M3M-CR, optical and SAR bands stacked.
_base_ = [
    "../_base_/models/segnext_mscan-t.py",
    "../_base_/datasets/mini_m3mcr.py",
    "../_base_/schedules/schedule_mini.py",
    "../_base_/default_runtime.py",
]
model = _base_.network
