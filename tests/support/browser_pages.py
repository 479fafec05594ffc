"""Pages in a real browser, which may only send requests to the platform."""

from dataclasses import dataclass, field

from playwright.async_api import ConsoleMessage, Error, Page, Request, ViewportSize

# CSS pixels
DESKTOP: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
TIMEOUT_MS = 60_000  # milliseconds: a shared machine may be slow


@dataclass
class PageVisit:
    """An open page, and the errors and foreign requests recorded on it."""

    page: Page
    url: str
    problems: list[str] = field(default_factory=list)

    def record_problems(self) -> None:
        self.page.on("console", self._on_console)
        self.page.on("pageerror", self._on_error)
        self.page.on("request", self._on_request)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.problems.append(f"{message.type}: {message.text}")

    def _on_error(self, error: Error) -> None:
        self.problems.append(f"exception: {error}")

    def _on_request(self, request: Request) -> None:
        """Record requests to other origins; ``data:`` and ``blob:`` URLs send none."""
        if not request.url.startswith((f"{self.url}/", "data:", "blob:")):
            self.problems.append(f"asked another origin: {request.url}")
