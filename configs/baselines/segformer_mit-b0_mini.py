# SegFormer-B0 on the mini M3M-CR, optical and SAR bands stacked.
_base_ = [
    "../_base_/models/segformer_mit-b0.py",
    "../_base_/datasets/mini_m3mcr.py",
    "../_base_/schedules/schedule_mini.py",
    "../_base_/default_runtime.py",
]
model = dict(_base_.network, backbone=dict(_base_.network.backbone, pretrained=False))
