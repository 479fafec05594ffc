"""How to make a call with curl and with Python, as programs that run as they are: ``x-codeSamples`` of an operation.

They read the platform's address and the key from the environment. The names are not those of settings: the platform
refuses variables with its own prefix that it does not know.
"""

import json
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

URL_VARIABLE = "AMAR_EVENTS_URL"
KEY_VARIABLE = "AMAR_EVENTS_KEY"

_INDENT = "    "


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request to show. ``path`` is below ``/api`` and may hold ``{names}`` of ``path_values``."""

    method: str
    path: str
    needs_key: bool
    path_values: Mapping[str, object] = field(default_factory=dict)
    query: Mapping[str, object] = field(default_factory=dict)
    body: Mapping[str, object] | None = None

    @property
    def address(self) -> str:
        """The path with its values. Raises KeyError for a name without one."""
        values = {name: quote(str(value), safe="") for name, value in self.path_values.items()}
        return "/api" + self.path.format_map(values)


def code_samples(call: Call) -> list[dict[str, str]]:
    """The samples of a call, in the form that OpenAPI tools read."""
    return [
        {"lang": "shell", "label": "curl", "source": curl_sample(call)},
        {"lang": "python", "label": "Python (httpx)", "source": python_sample(call)},
    ]


def curl_sample(call: Call) -> str:
    """A command for a POSIX shell, which fails when the answer is an error, and prints the answer in any case."""
    parts = [f"curl --fail-with-body{_curl_method(call)}", f'"${URL_VARIABLE}{call.address}"']
    if call.needs_key:
        parts.append(f'--header "Authorization: Bearer ${KEY_VARIABLE}"')
    parts += [f"--data-urlencode {shlex.quote(f'{name}={_as_text(value)}')}" for name, value in call.query.items()]
    if call.body is not None:
        parts.append('--header "Content-Type: application/json"')
        parts.append(f"--data {shlex.quote(json.dumps(call.body, ensure_ascii=False, indent=2))}")
    return " \\\n  ".join(parts)


def _curl_method(call: Call) -> str:
    if call.method == "GET":
        return " --get" if call.query else ""
    return f" --request {call.method}"


def python_sample(call: Call) -> str:
    """A program that prints ``data`` of the answer, or exits with 1 and shows the status and body of a failure."""
    arguments = [f'os.environ["{URL_VARIABLE}"] + {_literal(call.address)}']
    if call.needs_key:
        arguments.append(f'headers={{"Authorization": f"Bearer {{os.environ[\'{KEY_VARIABLE}\']}}"}}')
    if call.query:
        arguments.append(f"params={_literal(call.query, _INDENT)}")
    if call.body is not None:
        arguments.append(f"json={_literal(call.body, _INDENT)}")
    lines = [
        "import os",
        "import sys",
        "",
        "import httpx",
        "",
        f"response = httpx.{call.method.lower()}(",
        *(f"{_INDENT}{argument}," for argument in arguments),
        ")",
        "if not response.is_success:",
        f'{_INDENT}sys.exit(f"{{response.status_code}} {{response.text}}")',
        'print(response.json()["data"])',
    ]
    return "\n".join(lines)


def _literal(value: object, indent: str = "") -> str:
    """JSON as a Python expression; objects and lists that hold something stand on lines of their own."""
    if isinstance(value, Mapping) and value:
        return _block(
            "{}", (f"{_text(str(name))}: {_literal(one, indent + _INDENT)}" for name, one in value.items()), indent
        )
    if isinstance(value, list | tuple) and value:
        return _block("[]", (_literal(one, indent + _INDENT) for one in value), indent)
    return _text(value) if isinstance(value, str) else repr(value)


def _block(brackets: str, entries: Iterable[str], indent: str) -> str:
    lines = "".join(f"{indent}{_INDENT}{entry},\n" for entry in entries)
    return f"{brackets[0]}\n{lines}{indent}{brackets[1]}"


def _text(value: str) -> str:
    """A text in double quotes; JSON's escapes mean the same in Python."""
    return json.dumps(value, ensure_ascii=False)


def _as_text(value: object) -> str:
    """A value as it stands in an address."""
    return value if isinstance(value, str) else json.dumps(value)
