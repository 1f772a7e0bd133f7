# CloudSeg on files of your own without cloud-free images: land cover alone, from optical and SAR images.
_base_ = "./cloudseg_student_your_data.py"

model = _base_.land_cover_only
test_evaluator = _base_.land_cover_metrics
