"""Reading and writing rasters, for training and for whole scenes; nothing else does either."""
