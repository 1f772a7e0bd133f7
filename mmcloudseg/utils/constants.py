"""Values that labels and cloud masks share across the package."""

IGNORE_INDEX = 255
"""Pixels of a label or cloud mask that neither losses nor scores count: nodata and padding."""

CLOUD_FREE = 0
"""Value of cloud-free pixels in a cloud mask."""

CLOUDY = 1
"""Value of cloudy pixels in a cloud mask."""
