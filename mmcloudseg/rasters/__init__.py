"""Reading and writing rasters: the only place that does."""
