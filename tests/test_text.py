"""The normal form of text and its folded forms (decisions 1.11): examples with Bangla first, then their properties."""

import contextlib
import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amarevents.text import (
    ascii_digits,
    ascii_domain,
    clean_phone,
    compact,
    email_key,
    fold,
    has_direction_characters,
    is_part_of_phone,
    is_visible,
    nfc,
    phone_digits,
    prepare_password,
    search_key,
    search_text,
)

WORDS = ["boi mela", "İstanbul", "straße", "ΟΔΟΣ", "Ünal", "ÇELİK", "Ǆ", "ﬁn", "বইমেলা", "Ⅷ", "Łódź", "Ҋ"]
EQUAL = [
    ("\u09dc", "\u09a1\u09bc"), ("\u09dd", "\u09a2\u09bc"), ("\u09df", "\u09af\u09bc"),  # ড় ঢ় য়
    ("\u09cb", "\u09c7\u09be"), ("\u09cc", "\u09c7\u09d7"),  # vowel signs of two parts
    ("\u09ce", "\u09a4\u09cd\u200d"),  # khanda ta
    ("১২৩", "123"), ("१२३", "123"), ("１２３", "123"),
    ("ক\u200dলম", "কলম"), ("ক\u200cলম", "কলম"), ("কলম\u200c", "কলম"), ("a\u200cb", "ab"), ("❤\ufe0f", "❤"),
    ("Rokeya", "ROKEYA"), ("ＲＯＫＥＹＡ", "rokeya"), ("ro\u00adkeya\u200b", "rokeya"), ("é", "e\u0301"),
]  # fmt: skip
DIFFERENT = [
    ("র\u200d্যাব", "র্যাব"),  # ya-phala and reph
    ("ক্\u200cষ", "ক্ষ"),  # a visible hasanta and a conjunct
    ("ড", "ড\u09bc"), ("কা", "কি"), ("👨\u200d👩", "👨👩"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), EQUAL)
def test_spellings_that_look_alike_fold_alike(one: str, other: str) -> None:
    assert one != other
    assert fold(one) == fold(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_texts_that_look_different_fold_differently(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@pytest.mark.parametrize("before", ["\ue000", "\u0378", "\n", "\ud800", "ক\ue000", ""])
def test_joiner_after_a_character_without_a_name_is_not_seen(before: str) -> None:
    assert fold(f"{before}\u200cক") == fold(f"{before}ক")


@pytest.mark.parametrize("word", WORDS)
def test_upper_lower_and_title_case_fold_alike(word: str) -> None:
    assert fold(word.upper()) == fold(word) == fold(word.title()) == fold(fold(word))


def test_search_ignores_joiners() -> None:
    assert search_key("র\u200d্যাব") == search_key("র্যাব")


def test_search_text_contains_all_texts() -> None:
    assert search_text("Boi Mela", None, "", "Dhaka") == "boi mela\ndhaka"


@pytest.mark.parametrize("word", [*WORDS, "র\u200d্যাব ১২"])
def test_search_text_contains_every_folded_part(word: str) -> None:
    text = f"At {word} tonight"
    parts = {text[start:end] for start in range(len(text)) for end in range(start + 1, len(text) + 1)}
    assert [part for part in parts if search_key(part) not in search_text("x", text)] == []


@pytest.mark.parametrize(("code", "key"), [("ae-12 3_x", "ae123x"), ("৮N7A\u200d ১২\r\n", "8n7a12"), ("--", "")])
def test_compact_form_is_letters_and_digits(code: str, key: str) -> None:
    assert compact(code) == key


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("K@BÜCHER.example", "k@xn--bcher-kva.example"),
        ("k@xn--bcher-kva.example", "k@xn--bcher-kva.example"),
        ("ａ@straße.example", "a@xn--strae-oqa.example"),
        ("করিম১@example.com", "করিম1@example.com"),
        ("no address", "no address"),
        ("a@-.x", "a@-.x"),
    ],
)
def test_key_of_an_email_is_its_mailbox(address: str, key: str) -> None:
    assert email_key(address) == key


@pytest.mark.parametrize(
    ("typed", "stored", "digits"),
    [
        ("+880 1711-000000", "+880 1711-000000", "8801711000000"),
        ("০১৭১১-০০০০০০", "০১৭১১-০০০০০০", "01711000000"),
        ("(02) 955.1234", "(02) 955.1234", "029551234"),
        ("\u202a+8801711000000\u202c", "+8801711000000", "8801711000000"),
        ("999", "999", "999"),
        ("1–2\u00a03", "1–2\u00a03", "123"),
    ],
)
def test_phone_numbers_are_taken_as_people_write_them(typed: str, stored: str, digits: str) -> None:
    assert (clean_phone(typed), phone_digits(typed)) == (stored, digits)
    assert is_part_of_phone(typed)


@pytest.mark.parametrize("text", ["", "12", "1" * 21, "abc", "1234x", "+", "1+234", "++123", "12\n34", "#123"])
def test_other_texts_are_no_phone_numbers(text: str) -> None:
    with pytest.raises(ValueError, match="phone number"):
        clean_phone(text)


@pytest.mark.parametrize("text", ["", " ", "\u200b", "\u200d", "\u3164", "\u2800", "\ufe0f", "\u0301", "\ue000"])
def test_text_without_a_displayed_character_is_not_visible(text: str) -> None:
    assert not is_visible(text)


@pytest.mark.parametrize("text", ["ক", "x", "১", "!", "😀"])
def test_letters_digits_marks_and_symbols_are_visible(text: str) -> None:
    assert is_visible(text)


@pytest.mark.parametrize("character", [*"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"])
def test_direction_characters_are_recognized(character: str) -> None:
    assert has_direction_characters(f"a{character}b")


def test_joiners_are_no_direction_characters() -> None:
    assert not has_direction_characters("র\u200d্যাব ক্\u200cষ")


def test_password_is_prepared_without_changing_its_letters() -> None:
    assert prepare_password("Pässwort\u00a0১\u3000x") == "P\u00e4sswort ১ x"


@pytest.mark.parametrize("text", ["a" + "\u0301\u0323" * 30_000, "ক\u200dলম" * 15_000, "\u200c\u200d" * 30_000])
def test_long_hostile_text_is_searched_within_seconds(text: str) -> None:
    """Sorting the marks of one letter would take half a minute without a limit on their number."""
    started = time.process_time()
    assert len(search_key(text)) + len(nfc(text)) <= 2 * len(text)
    assert time.process_time() - started < 5


# Properties -----------------------------------------------------------------------------------------------------

TEXTS = st.one_of(
    st.text(),
    st.text(
        # The first four have no name: private use, unassigned, control and half of a surrogate pair.
        alphabet="\ue000\u0378\n\ud800"
        "\u09b0\u09cd\u200d\u200c\u09af\u09a4\u09bc\u09ce\u0628\u064e❤\ufe0f🔥aß১é\u0301 Σς\u0345İ\u1160½-"
    ),
)
FORMS = (nfc, fold, compact, search_key, search_text, email_key, prepare_password, phone_digits, ascii_digits)
PROPERTY = settings(max_examples=200, deadline=None, database=None, derandomize=True)


@PROPERTY
@given(TEXTS)
def test_folded_forms_are_stable_and_independent_of_the_normal_form(text: str) -> None:
    for key in (fold, compact, search_key, prepare_password):
        assert key(key(text)) == key(text) == key(nfc(text))
    assert compact(fold(text)) == compact(text)
    assert fold(unicodedata.normalize("NFD", text)) == fold(text)


@PROPERTY
@given(TEXTS)
def test_folded_form_has_no_hidden_characters_and_no_capitals(text: str) -> None:
    folded = fold(text)
    assert folded == nfc(folded) == folded.casefold()
    assert not has_direction_characters(folded)
    assert "\ufe0f" not in folded


@PROPERTY
@given(TEXTS | st.text(st.characters(exclude_categories=())))
def test_any_text_has_every_form(text: str) -> None:
    for function in (*FORMS, is_visible, has_direction_characters, is_part_of_phone):
        function(text)
    for strict in (clean_phone, ascii_domain):
        with contextlib.suppress(ValueError):
            strict(text)


@PROPERTY
@given(TEXTS, st.sampled_from(["bücher.example", "উদাহরণ.বাংলা", "Example.COM", "xn--bcher-kva.example"]))
def test_key_of_an_email_is_stable(name: str, domain: str) -> None:
    key = email_key(f"{name}@{domain}")
    assert email_key(key) == key == email_key(nfc(f"{name}@{domain}"))
    assert key.rpartition("@")[2].isascii() or not name


@PROPERTY
@given(st.text(alphabet="0123456789০১২৩৪৫৬৭৮৯+-. ()\u200e\u202a\u202c", max_size=30))
def test_cleaned_phone_number_is_stable(text: str) -> None:
    try:
        number = clean_phone(text)
    except ValueError:
        return
    assert clean_phone(number) == number
    assert 3 <= len(phone_digits(number)) <= 20
    assert phone_digits(number) == phone_digits(text)
