"""The normal form of text, and the folded forms in which text is compared and searched (decisions 1.11).

Text is stored in NFC. What people may spell in several ways is compared as ``fold`` returns it.
"""

import re
import unicodedata
from functools import lru_cache

import idna

_ZWNJ, _ZWJ = "\u200c", "\u200d"
_JOINERS = re.compile(f"([{_ZWNJ}{_ZWJ}]+)")
# What Unicode calls Default_Ignorable_Code_Point, except for the two joiners: variation selectors, direction marks,
# fillers and other characters that are not displayed; and the braille cell without dots, which is a symbol to Unicode.
_IGNORABLE = re.compile(
    "[\u00ad\u034f\u2800\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_VIRAMA_CLASS = 9
# Both letters of Bangla and Assamese that take a ya-phala only with a joiner before the virama.
_RA = "\u09b0\u09f0"
# Before Unicode 4.1, khanda ta was spelled as ta with a virama and a joiner.
_OLD_KHANDA_TA, _KHANDA_TA = "\u09a4\u09cd\u200d", "\u09ce"
_MAX_MARKS = 30  # on one letter, as in Unicode's Stream-Safe Text Format
_MANY = 500  # characters of a text that is short enough for any number of marks
_CONTEXT = 16  # characters on each side of a joiner that decide whether it is seen

_SPACES = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_OTHER_SPACES = re.compile(f"[{_SPACES}]")
_PHONE = re.compile(f"[ {_SPACES}(]*\\+?[\\d .(){_SPACES}\u2010-\u2015\u2212-]+")
PHONE_DIGITS = range(3, 21)
"""How many digits a phone number can have."""


def nfc(text: str) -> str:
    """Return the normal form in which text is stored. A text with very many marks on a letter stays as it is."""
    return unicodedata.normalize("NFC", text) if _with_few_marks(text) == text else text


def _nfkc(text: str) -> str:
    return unicodedata.normalize("NFKC", _with_few_marks(text))


def _with_few_marks(text: str) -> str:
    """Return a text without the marks that a letter has in excess: the time to sort them grows with their square."""
    if len(text) < _MANY or text.isascii():
        return text
    kept, marks = [], 0
    for character in text:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= _MAX_MARKS:
            kept.append(character)
    return "".join(kept)


def fold(text: str) -> str:
    """Return the form in which texts are compared.

    It is NFKC with folded case, with the digits of every script as ASCII digits, and without characters that are not
    displayed. Joiners stay where they change what is displayed, such as the ya-phala in র‍্যাব.
    """
    if text.isascii():
        return text.lower()
    while (folded := _fold_once(text)) != text:
        text = folded
    return text


def _fold_once(text: str) -> str:
    displayed = _IGNORABLE.sub("", _nfkc(text)).replace(_OLD_KHANDA_TA, _KHANDA_TA)
    folded = _nfkc(_without_unseen_joiners(displayed).casefold())
    return ascii_digits(folded)


def ascii_digits(text: str) -> str:
    """Return a text with the digits of every script as ASCII digits."""
    return re.sub(r"\d", lambda digit: str(unicodedata.decimal(digit[0])), text)


def _without_unseen_joiners(text: str) -> str:
    first, *parts = _JOINERS.split(text)
    kept, before = [first], first
    for joiners, after in zip(parts[::2], parts[1::2], strict=True):
        if _is_seen(joiners[0], before[-_CONTEXT:], after[:_CONTEXT]):
            kept.append(joiners[0])
        kept.append(after)
        before = before[-_CONTEXT:] + after
    return "".join(kept)


def _is_seen(joiner: str, before: str, after: str) -> bool:
    """Return whether a joiner between two texts changes how they are displayed."""
    if not before or not after:
        return False
    last, first = before[-1], after[0]
    if joiner == _ZWNJ:
        is_named = unicodedata.name(last, "") != ""  # of others, such as unassigned ones, idna knows no rules
        follows = is_named and unicodedata.category(first)[0] == "L"
        return follows and idna.valid_contextj(before + joiner + after, len(before))
    joins_emoji = unicodedata.category(last) in {"So", "Sk"} and unicodedata.category(first) == "So"
    shapes_letter = unicodedata.combining(last) == _VIRAMA_CLASS and unicodedata.category(first)[0] == "L"
    return joins_emoji or shapes_letter or (last in _RA and unicodedata.combining(first) == _VIRAMA_CLASS)


def compact(text: str) -> str:
    """Return the folded letters and digits of a text, by which codes and transaction IDs are compared."""
    return fold("".join(character for character in fold(text) if unicodedata.category(character)[0] in "LMN"))


def search_key(text: str) -> str:
    """Return the form in which text is searched: folded and without joiners, which many keyboards cannot type."""
    displayed = _IGNORABLE.sub("", _nfkc(text)).replace(_OLD_KHANDA_TA, _KHANDA_TA)
    return fold(_JOINERS.sub("", displayed))


def search_text(*parts: str | None) -> str:
    """Return the value of a row's search column: the texts that searches look at, one per line."""
    return "\n".join(search_key(part) for part in parts if part)


def is_visible(text: str) -> bool:
    """Return whether a text shows at least one letter, digit, punctuation mark or symbol."""
    displayed = _IGNORABLE.sub("", text)
    return any(unicodedata.category(character)[0] in "LNPS" for character in displayed)


def has_direction_characters(text: str) -> bool:
    """Return whether a text has characters that change the direction in which a line is displayed."""
    return _DIRECTION.search(text) is not None


@lru_cache(maxsize=1_000)  # few domains have most of the addresses, and the mapping takes time
def ascii_domain(domain: str) -> str:
    """Return the ASCII form of a domain (IDNA 2008 with the mapping of UTS 46). Raises ValueError if it has none."""
    return idna.encode(domain, uts46=True).decode().lower()


def email_key(address: str) -> str:
    """Return what identifies a mailbox: the folded name and the domain in its ASCII form.

    A text that is not an address is only folded, so that any text can be looked up.
    """
    name, _, domain = _nfkc(address).rpartition("@")
    try:
        return f"{fold(name)}@{ascii_domain(domain)}" if name else fold(address)
    except ValueError:
        return fold(address)


def prepare_password(password: str) -> str:
    """Return a password as it is hashed, so that any keyboard can enter it (RFC 8265, OpaqueString)."""
    return nfc(_OTHER_SPACES.sub(" ", password))


def clean_phone(text: str) -> str:
    """Return a phone number without characters that are not displayed. Raises ValueError if it is not a number."""
    number = _displayed(text)
    if not _PHONE.fullmatch(number) or len(phone_digits(number)) not in PHONE_DIGITS:
        raise ValueError("must be a phone number with 3 to 20 digits")
    return number


def _displayed(text: str) -> str:
    return nfc(_JOINERS.sub("", _IGNORABLE.sub("", text))).replace("\uff0b", "+").strip()


def phone_digits(text: str) -> str:
    """Return the digits of a text as ASCII digits: what phone numbers are searched by."""
    return "".join(re.findall("[0-9]", fold(text)))


def is_part_of_phone(text: str) -> bool:
    """Return whether a text is a phone number or a part of one, however it is written."""
    return _PHONE.fullmatch(_displayed(text)) is not None and bool(phone_digits(text))
