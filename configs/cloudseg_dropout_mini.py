# CloudSeg on the mini M3M-CR, trained to do without its optical image or without SAR.
_base_ = "./cloudseg_mini.py"

train_dataloader = dict(dataset=dict(pipeline=_base_.dropout_pipeline))
