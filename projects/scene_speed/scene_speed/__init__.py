"""Time, memory and seams of scene inference."""
