# CloudSeg's networks for the mini LuojiaSET-OSFCR.
_base_ = ["../models/cloudseg_mit-b0.py", "../datasets/mini_luojia-osfcr.py"]

student = _base_.network
teacher = _base_.network
distill = dict(architecture=student, teacher=teacher)
