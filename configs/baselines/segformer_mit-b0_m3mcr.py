# SegFormer-B0 on M3M-CR, optical and SAR bands stacked.
_base_ = [
    "../_base_/models/segformer_mit-b0.py",
    "../_base_/datasets/m3mcr.py",
    "../_base_/schedules/schedule_30e.py",
    "../_base_/default_runtime.py",
]
model = _base_.network
