# The same with MiT-B0, from scratch: small enough for a CPU.
_base_ = "./cloudseg_mit-b4.py"

backbone = dict(stream="mit-b0", pretrained=False)
student = dict(backbone=backbone)
teacher = dict(backbone=backbone)
distill = dict(architecture=student)
