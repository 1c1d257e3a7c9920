"""Types of request fields, with their bounds."""

from typing import Annotated

from msgspec import Meta

MAX_ID = 2**63 - 1

Id = Annotated[int, Meta(ge=1, le=MAX_ID)]
"""Id of an object."""
Line = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]*(?!\n)$")]
"""One line of text: it may reach a SIP header, so no control characters. Python's `$` would let a
newline pass at the end."""
Text = Annotated[str, Meta(max_length=10_000, pattern=r"^[^\x00]*$")]
"""Free text; NUL can't be stored."""
Count = Annotated[int, Meta(ge=0, le=1_000_000)]
"""A small number that is not negative."""
