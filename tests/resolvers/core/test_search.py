"""The folding of texts for search, which ignores case in every script (decisions 4.9)."""

import pytest

from amarevents.text import fold, search_text

WORDS = ["boi mela", "İstanbul", "straße", "ΟΔΟΣ", "Ünal", "ÇELİK", "Ǆ", "ﬁn", "বইমেলা", "Ⅷ", "Łódź", "Ҋ"]


@pytest.mark.parametrize("word", WORDS)
def test_upper_lower_and_title_case_fold_alike(word: str) -> None:
    assert fold(word.upper()) == fold(word) == fold(word.title()) == fold(fold(word))


@pytest.mark.parametrize(
    ("one", "other"), [("\u09df", "\u09af\u09bc"), ("\u09dc", "\u09a1\u09bc"), ("\u00e9", "e\u0301")]
)
def test_composed_and_decomposed_letters_fold_alike(one: str, other: str) -> None:
    assert one != other
    assert fold(one) == fold(other)


def test_search_text_contains_all_texts() -> None:
    assert search_text("Boi Mela", None, "", "Dhaka") == "boi mela\ndhaka"


@pytest.mark.parametrize("word", WORDS)
def test_search_text_contains_every_folded_part(word: str) -> None:
    text = f"At {word} tonight"
    parts = {text[start:end] for start in range(len(text)) for end in range(start + 1, len(text) + 1)}
    assert [part for part in parts if fold(part) not in search_text("x", text)] == []
