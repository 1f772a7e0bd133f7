# CloudSeg's networks for the mini M3M-CR.
_base_ = ["../models/cloudseg_mit-b0.py", "../datasets/mini_m3mcr.py"]

student = _base_.network
teacher = _base_.network
distill = dict(architecture=student, teacher=teacher)
