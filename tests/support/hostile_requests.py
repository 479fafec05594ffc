"""Hostile requests: the most expensive ones that are known, and random ones determined by a seed."""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.support.random_documents import DocumentWriter

SIZE = 65_000
"""The maximum size of a document in bytes, which leaves room in the body for the JSON around it."""

# Any below: JSON.


def body(query: str, **variables: Any) -> bytes:
    return json.dumps({"query": query, "variables": variables}, ensure_ascii=False).encode()


def many(part: Callable[[int], str], number: int) -> str:
    return " ".join(part(index) for index in range(number))


def _event(fields: str) -> str:
    return "{ event(id: 1) { %s } }" % fields


def _events(argument: str) -> str:
    return "{ events(%s) { pagination { total } } }" % argument


def _fragments(number: int, selections: Callable[[int], str]) -> str:
    return many(lambda index: f"fragment F{index} on Event {{ {selections(index)} }}", number)


def _create(values: str) -> str:
    return "mutation { createEvent(input: %s) { id } }" % values


EXPENSIVE_DOCUMENTS: Mapping[str, str] = {
    "one field, 500 times": _event("id " * 490),
    "one object, 245 times": _event("organization { id } " * 245),
    "one root field, 160 times": "{ %s }" % ("events { pagination { total } } " * 160),
    "one root field, its argument different": "{ %s }" % many(lambda index: f"event(id: {index}) {{ id }}", 245),
    "as many fields as may be compared": "{ %s }" % many(lambda index: f'event(id: "{"9" * 700}{index}") {{ id }}', 70),
    "one conflict, many times": _event("a: id b: name a: name " * 10 + "id " * 440),
    "objects in objects": "{ %s }" % ("events { items { organization { id } } } " * 120),
    "fragments side by side": _event(many(lambda index: f"...F{index}", 155)) + _fragments(155, lambda _: "id"),
    "fragments of 70 kinds": _event(many(lambda index: f"...F{index}", 70)) + _fragments(70, lambda _: "__typename"),
    "fragments with objects": _event(many(lambda index: f"...F{index}", 98))
    + _fragments(98, lambda _: "organization { id }"),
    "fragments that are not spread": "{ __typename }" + _fragments(490, lambda _: "id"),
    "a chain of fragments": _event("...F0") + _fragments(400, lambda index: f"id ...F{index + 1}"),
    "a ring of fragments": _event("...F0") + _fragments(400, lambda index: f"...F{(index + 1) % 400}"),
    "spreads of unknown fragments": "{ %s }" % many(lambda index: f"...F{index}", 490),
    "inline fragments": _event("... on Event { id } " * 245),
    "inline fragments on unknown types": _event(many(lambda index: f"... on Evet{index} {{ id }}", 245)),
    "unknown fields": _event(many(lambda index: f"organizaton{index}", 490)),
    "unknown arguments": _events(many(lambda index: f"pag{index}: 1", 1300)),
    "one argument, many times": _events("page: 1 " * 1300),
    "unknown values": _create("{ %s }" % many(lambda index: f"nme{index}: 1", 1300)),
    "one value, many times": _create("{ %s }" % ('name: "x" ' * 1300)),
    "a list of objects": _create("{ ticketTypes: [%s] }" % ("{} " * 1900)),
    "a list": _events("search: [%s]" % ("1 " * 3900)),
    "enum values": _events("category: [%s]" % ("CONCRT " * 3900)),
    "unknown variables": "query(%s) { __typename }" % many(lambda index: f"$v{index}: Evnt{index}", 990),
    "one variable, many times": "query(%s) { __typename }" % ("$v: Int " * 990),
    "a default of many values": "query($v: RegisterInput = { %s }) { __typename }"
    % many(lambda index: f"v{index}: 1", 1300),
    "a long default": "query($v: [Int] = [%s]) { __typename }" % ("1 " * 3900),
    "operations": many(lambda index: f"query Q{index} {{ __typename }}", 790),
    "definitions": "{ __typename } type A { %s }" % many(lambda index: f"a{index}: Int", 1200),
    "directives": "query %s { __typename }" % ("@a " * 1900),
    "directives of a variable": "query($v: Int %s) { __typename }" % ("@a " * 1900),
    "an argument of a directive, many times": "{ __typename @include(%s) }" % ("if: true " * 1300),
    "comments": "{ __typename }" + "#\n" * (SIZE // 3),
    "commas": "{ __typename %s }" % ("," * SIZE),
    "a text": _events(f'search: "{"x" * SIZE}"'),
    "escapes": _events('search: "%s"' % ("\\u0041" * (SIZE // 8))),
    "a block of spaces": _events(f'search: """{" " * SIZE}"""'),
    "a block of lines": _events('search: """%s"""' % ("x\n " * (SIZE // 5))),
    "a number": "{ event(id: %s) { id } }" % ("9" * SIZE),
    "a name": "{ %s }" % ("a" * SIZE),
    "long names": "{ %s }" % many(lambda index: f"n{index}{'x' * 120}", 480),
    "emoji": "🏃" * (SIZE // 4),
    "braces": "{" * SIZE,
    "dots": "..." * (SIZE // 3),
    "types, many times": "{ %s }" % ('__type(name: "Event") { name } ' * 200),
    "types by aliases": "{ %s }" % many(lambda index: f'a{index}: __type(name: "Query") {{ name }}', 20),
    "the schema by aliases": "{ __schema { types { %s } } }" % many(lambda index: f"a{index}: fields {{ name }}", 30),
    "the schema within itself": "{ __schema { types { fields { args { type { ofType { inputFields { description type"
    " { description ofType { description inputFields { description } } } } } } } type { ofType { description fields"
    " { description args { description } } } description fields { description type { description } } } } } } }",
}

_REGISTER = "mutation($v: RegisterInput!) { register(input: $v) { id } }"
_CREATE = "mutation($v: CreateEventInput!) { createEvent(input: $v) { id } }"
_SEARCH = "query($v: String) { events(search: $v) { items { id } } }"

EXPENSIVE_BODIES: Mapping[str, bytes] = {
    **{name: body(document) for name, document in EXPENSIVE_DOCUMENTS.items()},
    "a long variable": body(_SEARCH, v="%" * 60_000),
    "a list for a text": body(_SEARCH, v=["x"] * 12_000),
    "unknown fields of a variable": body(_REGISTER, v={f"k{index}": 1 for index in range(5_000)}),
    "a list for an object": body(_REGISTER, v=[{}] * 12_000),
    "a list of empty objects": body(_CREATE, v={"ticketTypes": [{}] * 15_000}),
    "a list of invalid objects": body(_CREATE, v={"ticketTypes": [{"name": 1}] * 5_000}),
    "a list of valid objects": body(_CREATE, v={"name": "x", "ticketTypes": [{"name": "x"}] * 4_000}),
    "undeclared variables": body("{ __typename }", **{f"k{index}": 1 for index in range(5_000)}),
    "lists in lists": body("query($v: [[[Int]]]) { __typename }", v=[[["x"]]] * 7_000),
    "a deep variable": body(_REGISTER, v=json.loads('{"a":' * 400 + "1" + "}" * 400)),
    "an endless number": body("{ __typename }").replace(b'"variables"', b'"a": %s, "variables"' % (b"9" * 60_000)),
    "a long name": json.dumps({"query": "query A { __typename }", "operationName": "x" * 60_000}).encode(),
    "many parameters": json.dumps({"query": "{ __typename }"} | {f"k{index}": 1 for index in range(5_000)}).encode(),
    "a name many times": b'{"query": "{ __typename }"' + b', "a": 1' * 7_000 + b"}",
    "small objects": json.dumps({"query": "{ __typename }", "extensions": {"a": [{"a": {}}] * 5_000}}).encode(),
}


class HostileRequestWriter:
    """A writer of random request bodies; the same seed gives the same bodies."""

    _PIECES = (
        *("{", "}", "(", ")", "[", "]", ":", "=", "!", "$", "@", "|", "&", "...", "-", ","),
        *('"', '"""', "#", "\n", "\\"),
        *("query", "mutation", "subscription", "fragment", "on", "true", "null", "A", "Event", "Query", "Mutation"),
        *("events", "event", "items", "id", "name", "me", "register", "input", "__typename", "__schema", "types", "$v"),
        *('"\\u{1F3C3}"', '"\\uD83C\\uDFC3"', '"\\uD800"', "\x00", "\ufeff", "0", "1e9", "1.5", "@skip(if: true)", "é"),
    )

    _OPERATIONS = (
        "mutation($v: RegisterInput!) { register(input: $v) { id } }",
        "query($v: String) { events(search: $v, limit: 3) { items { name stats { total } } pagination { total } } }",
        'mutation { logout { loggedOut } updateMe(input: { number: "1" }) { id } deleteEvent(id: 1) { id } }',
        "{ me { id } event(id: 1) { gallery { url } customFields { id } } ...F } fragment F on Query { plans { id } }",
    )

    def __init__(self, documents: DocumentWriter, seed: int) -> None:
        self._documents = documents
        self._random = random.Random(seed)

    def write(self) -> bytes:
        kinds = [self._noise, self._parameters, self._broken, self._deep]
        [kind] = self._random.choices(kinds, weights=[1, 1, 3, 1])
        return kind()[:SIZE]

    def _noise(self) -> bytes:
        return self._random.randbytes(self._random.choice([1, 10, 1_000, SIZE]))

    def _parameters(self) -> bytes:
        """Return parameters with random values, some of them repeated."""
        names = self._random.choices(["query", "variables", "operationName", "extensions", "id", ""], k=4)
        return ("{%s}" % ", ".join(f"{json.dumps(name)}: {json.dumps(self._value(0))}" for name in names)).encode()

    def _broken(self) -> bytes:
        """Return a valid document with pieces removed, repeated or replaced, and with random variables."""
        text = self._random.choice([self._documents.write(), *self._OPERATIONS])
        for _ in range(self._random.choice([0, 0, 1, 3, 10])):
            text = self._mutate(text)
        values = {"username": self._value(3), "password": self._value(3), "number": self._value(1)}
        return body(text, v=self._random.choice([values, values, self._value(0)]))

    def _mutate(self, text: str) -> str:
        start = self._random.randrange(len(text) + 1)
        end = min(len(text), start + self._random.choice([0, 1, 5, 40]))
        times = self._random.choice([0, 0, 1, 2, 50, 400])
        piece = self._random.choice(self._PIECES)
        return (text[:start] + text[start:end] * times + piece + text[end:])[: SIZE // 2]

    def _deep(self) -> bytes:
        """Return a sequence of random pieces, or the same pieces repeated many times."""
        pieces = self._random.sample(self._PIECES, self._random.choice([1, 2, 4]))
        number = self._random.choice([3, 100, 1_000, 20_000])
        chosen: Sequence[str] = self._random.choices(pieces, k=number) if number < 20_000 else pieces * (number // 4)
        return body("{ " + self._random.choice(["", " "]).join(chosen)[: SIZE // 2])

    def _value(self, depth: int) -> Any:
        numbers, texts = [0, -1, 1.5, 2**53, 10**30], ["", "x", "\x00", "🏃", "{ __typename }", "9" * 400, "x" * 20_000]
        simple = [None, True, *numbers, *texts]
        if depth > 3 or self._random.random() < 0.6:
            return self._random.choice(simple)
        length = self._random.choice([0, 1, 3, 30])
        if self._random.random() < 0.5:
            return [self._value(depth + 1)] * length
        return {f"{self._random.choice(self._PIECES)}{index}": self._value(depth + 1) for index in range(length)}
