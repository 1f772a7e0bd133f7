# CloudSeg's networks for M3M-CR.
_base_ = ["../models/cloudseg_mit-b4.py", "../datasets/m3mcr.py"]

student = _base_.network
teacher = _base_.network
distill = dict(architecture=student, teacher=teacher)
