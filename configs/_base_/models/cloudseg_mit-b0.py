# The same with MiT-B0, from scratch: small enough for a CPU.
_base_ = "./cloudseg_mit-b4.py"

stream = dict(embed_dims=32, num_layers=[2, 2, 2, 2], init_cfg=None)
student = dict(backbone=dict(stream=stream))
teacher = dict(backbone=dict(stream=stream))
distill = dict(architecture=student, teacher=teacher)
