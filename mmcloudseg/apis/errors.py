"""Errors as the tools tell them."""

from __future__ import annotations

import re


def plain_text(error: Exception) -> str:
    """What went wrong, without the traceback that a dataloader's worker puts around it.

    Args:
        error: The error, perhaps raised again from a worker process.

    Returns:
        Its own message.
    """
    text = str(error)
    if "Original Traceback" not in text:
        return text
    # The worker's text ends with "package.module.SomeError: message", perhaps of several lines.
    parts = re.split(r"^[\w.]*(?:Error|Exception): ", text, flags=re.MULTILINE)
    return parts[-1].strip()
