"""HTML pages: a template, the assets that it loads, and the Content-Security-Policy that it runs under."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from string import Template

import orjson
from starlette.responses import HTMLResponse

from amarevents.web.static_files import BASE_HEADERS, Assets

_STRICT_POLICY = {
    "default-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}


@dataclass(frozen=True, kw_only=True)
class HtmlPage:
    """A page of the platform.

    ``template`` is an HTML file with the placeholders of ``string.Template``: the names of ``assets``, ``nonce``, and
    those passed to ``respond``. ``policy`` adds directives to a Content-Security-Policy that forbids everything; its
    sources may contain ``{nonce}``, which differs in each response.
    """

    template: Path
    policy: Mapping[str, str]
    assets: Assets | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def respond(self, status: int = 200, **values: str) -> HTMLResponse:
        """Return the page with ``values``, which must be HTML already, in its placeholders.

        The first call reads the files, so run it outside the event loop where the page has assets.
        """
        nonce = secrets.token_urlsafe(16)
        urls = self.assets.urls if self.assets else {}
        html = self._source.substitute(urls, nonce=nonce, **values)
        policy = self._content_security_policy.format(nonce=nonce)
        headers = {**BASE_HEADERS, "Content-Security-Policy": policy, "X-Frame-Options": "DENY", **self.headers}
        return HTMLResponse(html, status, headers)

    @cached_property
    def _source(self) -> Template:
        return Template(self.template.read_text(encoding="utf-8"))

    @cached_property
    def _content_security_policy(self) -> str:
        directives = {**_STRICT_POLICY, **self.policy}
        return "; ".join(f"{name} {sources}" for name, sources in directives.items())


def script_json(value: object) -> str:
    """Return ``value`` as JSON for a ``script`` element, in which no text can close the element."""
    return orjson.dumps(value).decode().replace("<", "\\u003c")
