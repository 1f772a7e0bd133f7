"""Land-cover maps of whole scenes: two rasters of any size in, a GeoTIFF out.

A pair of rasters passes through ``predictor`` (the run), ``inputs`` (opened and checked),
``mapping`` (tile by tile), ``network`` (logits), ``blending`` (rows of the map's grid),
``products`` (pixels) and ``outputs`` (files).
"""
