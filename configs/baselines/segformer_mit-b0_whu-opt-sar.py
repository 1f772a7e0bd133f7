# SegFormer-B0 on WHU-OPT-SAR, optical and SAR bands stacked.
_base_ = [
    "../_base_/models/segformer_mit-b0.py",
    "../_base_/datasets/whu-opt-sar.py",
    "../_base_/schedules/schedule_30e.py",
    "../_base_/default_runtime.py",
]
model = _base_.network
