"""Files, folder locks, errors, constants and text that every part uses."""
