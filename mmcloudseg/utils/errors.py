"""The one exception that bad input data raises."""

from __future__ import annotations

import re
from collections.abc import Sequence

MAX_LISTED = 5


class DataError(ValueError):
    """Input data that cannot be used.

    The message names the file or key, what was found, what was expected and what to do.
    """

    @classmethod
    def from_problems(cls, title: str, problems: Sequence[str], remedy: str = "") -> DataError:
        """Put all problems of one check in one message: the first few, and how many there are.

        Args:
            title: What the check found, without its final colon.
            problems: One line each.
            remedy: What to do about them.
        """
        lines = [f"{title} ({len(problems)} in all):"]
        lines += [f"  - {problem}" for problem in problems[:MAX_LISTED]]
        if len(problems) > MAX_LISTED:
            lines.append(f"  … and {len(problems) - MAX_LISTED} more")
        if remedy:
            lines.append(remedy)
        return cls("\n".join(lines))


def plain_text(error: Exception) -> str:
    """What went wrong, without the traceback that a dataloader's worker puts around it."""
    text = str(error)
    if "Original Traceback" not in text:
        return text
    # The worker's text ends with "package.module.SomeError: message", perhaps of several lines.
    parts = re.split(r"^[\w.]*(?:Error|Exception): ", text, flags=re.MULTILINE)
    return parts[-1].strip()
