# Ablation on the mini M3M-CR: land cover alone, with neither cloud removal nor distillation.
_base_ = "./cloudseg_student_mini.py"

model = _base_.land_cover_only
test_evaluator = dict(metrics=_base_.land_cover_metrics)
