# SegNeXt-B on WHU-OPT-SAR, optical and SAR bands stacked.
_base_ = [
    "../_base_/models/segnext_mscan-b.py",
    "../_base_/datasets/whu-opt-sar.py",
    "../_base_/schedules/schedule_30e.py",
    "../_base_/default_runtime.py",
]
model = _base_.network
