# ASANet-R18 on the mini set: minutes on a CPU.
_base_ = [
    "./_base_/models/asanet_r18.py",
    "./_base_/datasets/mini_m3mcr.py",
    "./_base_/schedules/schedule_mini.py",
    "./_base_/default_runtime.py",
]
model = dict(_base_.network, auxiliary_head=_base_.network.decode_head)
test_evaluator = _base_.land_cover_metrics
