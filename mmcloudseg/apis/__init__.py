"""What the tools call: training, testing, conversion of reference checkpoints."""
