"""Search that ignores case in every script (decisions 4.9): a case-folded column, compared with a case-folded word."""


def search_text(*parts: str | None) -> str:
    """What a row's search column holds: its texts, case-folded, each on a line of its own."""
    return "\n".join(part.casefold() for part in parts if part)
