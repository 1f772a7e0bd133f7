# CloudSeg's networks for the mini WHU-OPT-SAR.
_base_ = ["../models/cloudseg_mit-b0.py", "../datasets/mini_whu-opt-sar.py"]

student = _base_.network
teacher = _base_.network
distill = dict(architecture=student, teacher=teacher)
