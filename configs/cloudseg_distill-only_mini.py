# Ablation on the mini M3M-CR: distillation without cloud removal.
_base_ = "./cloudseg_mini.py"

model = dict(architecture=_base_.land_cover_only)
test_evaluator = dict(metrics=_base_.land_cover_metrics)
