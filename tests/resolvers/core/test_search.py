"""Search ignores case in every script (decisions 4.9)."""

import pytest

from amarevents.resolvers.core.search import fold, search_text

WORDS = ["boi mela", "İstanbul", "straße", "ΟΔΟΣ", "Ünal", "ÇELİK", "Ǆ", "ﬁn", "বইমেলা", "Ⅷ", "Łódź", "Ҋ"]


@pytest.mark.parametrize("word", WORDS)
def test_every_case_of_a_word_folds_alike(word: str) -> None:
    assert fold(word.upper()) == fold(word) == fold(word.title()) == fold(fold(word))


@pytest.mark.parametrize(
    ("one", "other"), [("\u09df", "\u09af\u09bc"), ("\u09dc", "\u09a1\u09bc"), ("\u00e9", "e\u0301")]
)
def test_one_letter_in_two_spellings_folds_alike(one: str, other: str) -> None:
    assert one != other
    assert fold(one) == fold(other)


def test_what_is_searched_holds_all_that_there_is() -> None:
    assert search_text("Boi Mela", None, "", "Dhaka") == "boi mela\ndhaka"


@pytest.mark.parametrize("word", WORDS)
def test_every_part_of_a_text_is_found_in_it(word: str) -> None:
    text = f"At {word} tonight"
    parts = {text[start:end] for start in range(len(text)) for end in range(start + 1, len(text) + 1)}
    assert [part for part in parts if fold(part) not in search_text("x", text)] == []
