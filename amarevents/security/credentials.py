"""What a request shows of who it comes from (decisions 2.1)."""

from dataclasses import dataclass, field

from amarevents.security.keys import ParsedKey


@dataclass(frozen=True, slots=True)
class SessionToken:
    """The session cookie's value as it was presented."""

    value: str = field(repr=False)


Credential = ParsedKey | SessionToken | None
