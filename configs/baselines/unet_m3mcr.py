# U-Net on M3M-CR, optical and SAR bands stacked.
_base_ = [
    "../_base_/models/unet.py",
    "../_base_/datasets/m3mcr.py",
    "../_base_/schedules/schedule_30e.py",
    "../_base_/default_runtime.py",
]
model = dict(_base_.network, auxiliary_head=_base_.network.decode_head)
