# CloudSeg's networks for WHU-OPT-SAR.
_base_ = ["../models/cloudseg_mit-b4.py", "../datasets/whu-opt-sar.py"]

student = _base_.network
teacher = _base_.network
distill = dict(architecture=student, teacher=teacher)
