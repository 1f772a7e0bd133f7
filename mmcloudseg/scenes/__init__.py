"""From two rasters to a map: tiles, blending, cloud-optimised output."""
