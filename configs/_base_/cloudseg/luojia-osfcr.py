# CloudSeg's networks for LuojiaSET-OSFCR.
_base_ = ["../models/cloudseg_mit-b4.py", "../datasets/luojia-osfcr.py"]

student = _base_.network
teacher = _base_.network
distill = dict(architecture=student, teacher=teacher)
