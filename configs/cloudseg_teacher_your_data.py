# CloudSeg's teacher on files of your own: land cover alone, from the cloud-free image, without the spatial gate.
_base_ = "./cloudseg_student_your_data.py"

model = _base_.teacher
train_dataloader = val_dataloader = test_dataloader = _base_.clear_images
test_evaluator = dict(metrics=_base_.land_cover_metrics)
