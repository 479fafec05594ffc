"""Case-insensitive search in every script (decisions 4.9): a search column and search terms, both folded."""

import unicodedata


def fold(text: str) -> str:
    """Fold the case and normalize a text: Bangla keyboards write some letters as one or as two characters."""
    return unicodedata.normalize("NFC", text.casefold())


def search_text(*parts: str | None) -> str:
    """Return the value of a row's search column: its folded texts, one per line."""
    return "\n".join(fold(part) for part in parts if part)
