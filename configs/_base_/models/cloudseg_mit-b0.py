# CloudSeg with MiT-B0, from scratch: small enough for a CPU.
_base_ = "./cloudseg_mit-b4.py"

model = dict(backbone=dict(stream="mit-b0", pretrained=False))
