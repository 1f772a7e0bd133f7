"""Band centres in micrometres, and pixel sizes, of the sensors whose images the package knows."""

PLANETSCOPE_UM = (0.490, 0.565, 0.665, 0.865)
"""PlanetScope: blue, green, red, near infrared."""

GAOFEN1_UM = (0.66, 0.555, 0.485, 0.83)
"""Gaofen-1 in WHU-OPT-SAR's order: red, green, blue, near infrared."""

SENTINEL2_UM = (
    0.443, 0.490, 0.560, 0.665, 0.705, 0.740, 0.783, 0.842, 0.865, 0.945, 1.375, 1.610, 2.190
)  # fmt: skip
"""Sentinel-2: B01 to B08, B8A, B09 to B12."""

WHU_OPT_SAR_GSD_M = 5.0
"""Side of a pixel of WHU-OPT-SAR in metres."""

BAND_UM = {
    "coastal": 0.443,
    **dict(zip(("blue", "green", "red", "nir"), PLANETSCOPE_UM, strict=True)),
    "swir1": 1.61,
    "swir2": 2.20,
}
"""Centres assumed for bands that are known by name only."""
