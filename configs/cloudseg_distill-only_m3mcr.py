# Ablation: distillation without cloud removal.
_base_ = "./cloudseg_m3mcr.py"

model = dict(
    architecture=dict(
        backbone=dict(with_optical=False), auxiliary_head=None, test_cfg=dict(cloud_free=False)
    )
)
test_evaluator = _base_.land_cover_metrics
