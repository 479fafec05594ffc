"""Code samples for curl and Python that run as they are: the ``x-codeSamples`` of an OpenAPI operation.

They read the address of the platform and the API key from environment variables. Their names do not start with the
prefix of settings, because the platform rejects unknown variables with that prefix.
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
    """A request to show. ``path`` is below ``/api`` and may contain ``{names}`` of ``path_values``."""

    method: str
    path: str
    needs_key: bool
    path_values: Mapping[str, object] = field(default_factory=dict)
    query: Mapping[str, object] = field(default_factory=dict)
    body: Mapping[str, object] | None = None

    @property
    def url_path(self) -> str:
        """The path with its parameters filled in. Raises KeyError for one without a value."""
        values = {name: quote(str(value), safe="") for name, value in self.path_values.items()}
        return "/api" + self.path.format_map(values)


def code_samples(call: Call) -> list[dict[str, str]]:
    """Return the samples of a call in the format of the ``x-codeSamples`` extension."""
    return [
        {"lang": "shell", "label": "curl", "source": curl_sample(call)},
        {"lang": "python", "label": "Python (httpx)", "source": python_sample(call)},
    ]


def curl_sample(call: Call) -> str:
    """Return a POSIX shell command that prints the response and fails if it is an error."""
    parts = [f"curl --fail-with-body{_curl_method(call)}", f'"${URL_VARIABLE}{call.url_path}"']
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
    """Return a program that prints the ``data`` of the response, or exits with status 1 and shows the error."""
    arguments = [f'os.environ["{URL_VARIABLE}"] + {_literal(call.url_path)}']
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
    """Return JSON as a Python expression. Objects and lists that are not empty get one line per entry."""
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
    """Return a string literal in double quotes; the escapes of JSON mean the same in Python."""
    return json.dumps(value, ensure_ascii=False)


def _as_text(value: object) -> str:
    """Return a value as query parameters contain it."""
    return value if isinstance(value, str) else json.dumps(value)
