# Ablation: land cover alone, neither cloud removal nor distillation.
_base_ = "./cloudseg_student_m3mcr.py"

model = dict(
    backbone=dict(with_optical=False), auxiliary_head=None, test_cfg=dict(cloud_free=False)
)
test_evaluator = _base_.land_cover_metrics
