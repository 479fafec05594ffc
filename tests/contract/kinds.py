"""Kinds of values: for each, examples that must be accepted and examples that must be refused (decisions 1.8, 1.9)."""

from dataclasses import dataclass
from typing import Any

# Any throughout: JSON, much of it invalid on purpose.

LARGEST_ID = 2**31 - 1
NOT_TEXT = (5, 1.5, True, ["x"], {"a": "b"})
BLANK = ("", " \t ")


@dataclass(frozen=True)
class Kind:
    """Values that a field accepts and values that it refuses.

    ``$name`` among the valid values is replaced with what the scene has under that name. ``is_text``: blank text counts
    as a missing value, not as a value of the wrong type.
    """

    valid: tuple[Any, ...]
    invalid: tuple[Any, ...]
    is_text: bool = True


def text(longest: int, *, shortest: int = 1) -> Kind:
    """Return the kind of a line of text, ``shortest`` to ``longest`` characters."""
    too_short = ("x" * (shortest - 1), f" {'x' * (shortest - 1)} ") if shortest > 1 else ()
    unprintable = tuple(f"before{character}after" for character in "\x00\n\t\x1b\x7f\x85")
    return Kind(("x" * longest, "x" * shortest), (*NOT_TEXT, "x" * (longest + 1), *too_short, *unprintable))


NAME = text(200)
SHORT = text(255)
LONG = Kind(("x" * 20_000, "a\nb\tc"), (*NOT_TEXT, "x" * 20_001, "a\x00b", "a\x1bb", "a\x7fb"))
USERNAME = text(50, shortest=3)
PASSWORD = text(128, shortest=6)
EMAIL = Kind(
    ("Karim.Rahman+fair@mail.example.com", "karim@email.com"),
    (
        *(*NOT_TEXT, "karim", "a@b", "@example.com", "a@", "a b@example.com", "a@example.com, b@example.com"),
        *("x" * 250 + "@a.com", "a@example.com\x00"),
    ),
)
PHONE = Kind(("01700000000", "+880 1700-000000"), (*NOT_TEXT, 1700000000, "phone", "+", "12", "0" * 60, "01700000000x"))
URL = Kind(
    ("https://example.com/a.png", "http://example.com", "https://example.com/".ljust(255, "x")),
    (
        *(*NOT_TEXT, "image.png", "//example.com/a.png", "ftp://example.com/a.png", "javascript:alert(1)", "https://"),
        *("https://a.com/a b", "https://a.com/".ljust(256, "x")),
    ),
)
DATE = Kind(
    ("2030-01-02", "2028-02-29"),
    (
        *(20300102, True, ["2030-01-02"], "2030-02-30", "2030-13-01", "20300102", "02/01/2030", "tomorrow"),
        "2030-01-02T00:00:00",
    ),
)
EXPIRY = Kind(
    ("2999-01-01", "2999-01-01T12:30:00Z", "2999-01-01T12:30:00+06:00"),
    (5, True, ["2999-01-01"], "tomorrow", "2020-01-01", "2999-13-01", "01/01/2999"),
)
# REST takes numbers and booleans as text, and whole numbers however they are written (decisions 1.6).
NOT_A_NUMBER = ("five", "1,000", "1_000", "0x5", "NaN", "Infinity", "1e400", "--5", "5 6", True, [5], {"taka": 5})
MONEY = Kind(
    (0, 5, 0.5, 1234567.89, "5", "499.50", " 5e2 ", "৪৯৯.৫০", 1e2),
    (*NOT_A_NUMBER, -1, -0.01, 1.005, 10**15, "-1", "1.005", "1e15"),
    is_text=False,
)
COUNT = Kind(
    (0, 1, LARGEST_ID, 40.0, "40", "40.0", "4e1", " ৪০ "),
    (*NOT_A_NUMBER, -1, 1.5, "1.5", 2**31, 10**30, "1e30", "9" * 400),
    is_text=False,
)
FLAG = Kind(
    (True, False, "true", "FALSE", " True ", "0", "1", 0, 1, "১"),
    ("maybe", "yes", "2", 2, -1, 1.5, [True], {"a": True}),
    is_text=False,
)


def _in_any_case(words: tuple[str, ...]) -> tuple[str, ...]:
    return (*words, *(f" {word.swapcase()} " for word in words))


def one_of(*words: str) -> Kind:
    """Return the kind of an enum, whose words are accepted in any case (decisions 1.6)."""
    return Kind(_in_any_case(words), (5, True, "nonsense", f"{words[0]}s", [words[0]], {words[0]: True}))


def whole_number(*valid: Any, least: int = 1, most: int = LARGEST_ID) -> Kind:
    """Return the kind of a whole number from ``least`` to ``most``."""
    return Kind(
        valid,
        (*NOT_A_NUMBER, 1.5, "1.5", least - 1, -1, most + 1, str(most + 1), 10**30, [1], {"id": 1}),
        is_text=False,
    )


def structure(*valid: Any, invalid: tuple[Any, ...]) -> Kind:
    """Return the kind of a list or an object; ``invalid`` are further values that it refuses."""
    return Kind(valid, (5, True, "text", *invalid), is_text=False)


# Query parameters: always text.
PAGE = Kind(
    ("1", "7", "7.0", "1e3", "৭", str(LARGEST_ID)),
    ("0", "-1", "1.5", "x", "true", str(2**31), str(2**63), "9" * 40, "9" * 4_000),
)
# More than 100 is taken as 100 (decisions 1.6).
LIMIT = Kind(("1", "100", "101", "1e2", str(2**31), str(2**63), "9" * 40), ("0", "-1", "1.5", "x", "true", "-1e9"))
ID_IN_QUERY = Kind(("$event",), ("0", "-1", "1.5", "x", str(2**31), "9" * 40))
FLAG_IN_QUERY = Kind(("0", "1", "true", "False"), ("2", "-1", "maybe", "10"))
DATE_IN_QUERY = Kind(("2030-01-02", "2028-02-29"), ("2030-02-30", "20300102", "tomorrow", "2030-01-02T00:00:00", "1"))
SEARCH = Kind(("x" * 255, "100%", "_", "\\", "মেলা"), ("x" * 256, "a\x00b", "a\x1bb"))


def word_in_query(*words: str) -> Kind:
    return Kind(_in_any_case(words), ("nonsense", f"{words[0]}s", "0"))
