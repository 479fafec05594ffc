"""The frame of HTML pages: placeholders, headers and the Content-Security-Policy."""

import json
import re
from pathlib import Path

import pytest

from amarevents.web.page import Page, script_json


@pytest.fixture
def page(tmp_path: Path) -> Page:
    template = tmp_path / "page.html"
    template.write_text('<style nonce="$nonce"></style>$body', encoding="utf-8")
    return Page(template=template, policy={"style-src": "'nonce-{nonce}'", "form-action": "'self'"})


def test_policy_forbids_everything_that_a_page_does_not_allow(page: Page) -> None:
    directives = page.respond(body="").headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"} < set(directives)
    assert len(directives) == 5


def test_nonce_is_that_of_the_policy_and_differs_in_each_response(page: Page) -> None:
    nonces = set()
    for response in (page.respond(body=""), page.respond(body="")):
        [nonce] = re.findall(r'nonce="([^"]{16,})"', bytes(response.body).decode())
        assert f"style-src 'nonce-{nonce}'" in response.headers["Content-Security-Policy"]
        nonces.add(nonce)
    assert len(nonces) == 2


def test_response_has_its_status_its_values_and_the_headers_of_all_pages(page: Page) -> None:
    response = page.respond(404, body="<p>$5</p>")
    assert (response.status_code, bytes(response.body).endswith(b"<p>$5</p>")) == (404, True)
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["X-Frame-Options"] == "DENY"
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"


def test_placeholder_without_a_value_is_an_error(page: Page) -> None:
    with pytest.raises(KeyError, match="body"):
        page.respond()


def test_json_cannot_close_a_script_element() -> None:
    value = {"text": "</script><script>alert(1)</script>"}
    assert "<" not in script_json(value)
    assert json.loads(script_json(value)) == value
