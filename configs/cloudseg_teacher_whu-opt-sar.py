# CloudSeg's teacher on WHU-OPT-SAR: land cover alone, from the cloud-free image, without the spatial gate.
_base_ = "./cloudseg_student_whu-opt-sar.py"

model = _base_.teacher
train_dataloader = val_dataloader = test_dataloader = _base_.clear_images
test_evaluator = dict(metrics=_base_.land_cover_metrics)
