"""Search that ignores case in every script (decisions 4.9): a folded column, compared with a folded word."""

import unicodedata


def fold(text: str) -> str:
    """Without case, and with each letter spelled one way: Bangla keyboards write some as one character or as two."""
    return unicodedata.normalize("NFC", text.casefold())


def search_text(*parts: str | None) -> str:
    """What a row's search column holds: its texts, folded, each on a line of its own."""
    return "\n".join(fold(part) for part in parts if part)
