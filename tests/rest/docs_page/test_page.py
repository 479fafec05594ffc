"""The reference page at ``/docs``: its security headers, its static files and their caching."""

import gzip
import re

import httpx
import pytest

from amarevents.rest.docs_page.page import ASSETS


async def addresses(http: httpx.AsyncClient) -> list[str]:
    """Return the addresses of the files that the page loads."""
    return re.findall(r'(?:src|href)="(/docs/[^"]+)"', (await http.get("/docs")).text)


async def library(http: httpx.AsyncClient) -> str:
    [address] = [one for one in await addresses(http) if one.endswith("/scalar.js")]
    return address


async def test_page_is_html_and_revalidated_by_browsers(http: httpx.AsyncClient) -> None:
    response = await http.get("/docs")
    assert (response.status_code, response.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert response.headers["Cache-Control"] == "no-cache"
    assert "<title>Amar Events API reference</title>" in response.text
    assert '<html lang="en">' in response.text


async def test_page_links_to_the_document_without_javascript(http: httpx.AsyncClient) -> None:
    assert re.search(r'<noscript>.*href="/openapi.json".*</noscript>', (await http.get("/docs")).text)


async def test_content_security_policy_allows_only_this_origin(http: httpx.AsyncClient) -> None:
    policy = (await http.get("/docs")).headers["Content-Security-Policy"]
    allowed = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert allowed["default-src"] == "'none'"
    assert allowed["script-src"] == allowed["connect-src"] == "'self'"
    assert allowed["frame-ancestors"] == allowed["base-uri"] == allowed["form-action"] == "'none'"
    assert "http" not in policy
    assert "unsafe-eval" not in policy


async def test_page_has_no_inline_scripts(http: httpx.AsyncClient) -> None:
    scripts = re.findall(r"<script[^>]*>(.*?)</script>", (await http.get("/docs")).text)
    assert scripts == ["", "", ""]


async def test_static_files_exist_and_are_immutable(http: httpx.AsyncClient) -> None:
    loaded = await addresses(http)
    assert len(loaded) == len(ASSETS.files)
    for address in loaded:
        response = await http.get(address)
        assert response.status_code == 200
        assert "immutable" in response.headers["Cache-Control"]


async def test_static_files_have_their_media_types(http: httpx.AsyncClient) -> None:
    types = {
        address.rpartition(".")[2]: (await http.head(address)).headers["Content-Type"]
        for address in await addresses(http)
    }
    assert types == {
        "svg": "image/svg+xml",
        "css": "text/css; charset=utf-8",
        "js": "text/javascript; charset=utf-8",
    }


@pytest.mark.parametrize("path", ["/docs", "/docs/outdated/scalar.js"])
async def test_sniffing_and_referrers_are_disabled(http: httpx.AsyncClient, path: str) -> None:
    response = await http.get(path)
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"


async def test_head_has_the_headers_of_get(http: httpx.AsyncClient) -> None:
    for path in ("/docs", await library(http)):
        got, head = await http.get(path), await http.head(path)
        assert (head.status_code, head.headers["Content-Length"]) == (200, got.headers["Content-Length"])


async def test_library_is_compressed(http: httpx.AsyncClient) -> None:
    address, content = await library(http), ASSETS.loaded["scalar"].content
    compressed = await http.get(address, headers={"Accept-Encoding": "br, gzip;q=0.08"})
    assert (compressed.headers["Content-Encoding"], compressed.headers["Vary"]) == ("gzip", "Accept-Encoding")
    assert compressed.content == content
    assert int(compressed.headers["Content-Length"]) < len(content) / 3


@pytest.mark.parametrize("accepted", ["identity", "gzip;q=0", "gzip;q=0.000", "br"])
async def test_library_is_not_compressed_unless_accepted(http: httpx.AsyncClient, accepted: str) -> None:
    response = await http.get(await library(http), headers={"Accept-Encoding": accepted})
    assert "Content-Encoding" not in response.headers
    assert response.content == ASSETS.loaded["scalar"].content


@pytest.mark.parametrize(
    "path",
    [
        "/docs/outdated/scalar.js",
        "/docs/outdated/manifest.json",
        "/docs/../page.py",
        "/docs/%2e%2e/page.py",
        "/docs/",
    ],
)
async def test_unknown_file_is_404(http: httpx.AsyncClient, path: str) -> None:
    assert (await http.get(path)).status_code == 404


async def test_address_of_a_file_depends_on_its_content() -> None:
    for name, asset in ASSETS.loaded.items():
        assert gzip.decompress(asset.compressed) == asset.content, name
    assert len({asset.url.split("/")[2] for asset in ASSETS.loaded.values()}) == len(ASSETS.files)
