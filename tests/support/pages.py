"""Pages in a real browser that reaches nothing but the platform."""

from dataclasses import dataclass, field

from playwright.async_api import ConsoleMessage, Error, Page, Request, ViewportSize

# CSS pixels
DESKTOP: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
PATIENCE = 60_000  # milliseconds: a shared machine may be slow


@dataclass
class Visit:
    """One visitor's page, and what ought not to have happened on it."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    def listen(self) -> None:
        self.page.on("console", self._on_console)
        self.page.on("pageerror", self._on_error)
        self.page.on("request", self._on_request)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.type}: {message.text}")

    def _on_error(self, error: Error) -> None:
        self.complaints.append(f"exception: {error}")

    def _on_request(self, request: Request) -> None:
        """``data:`` and ``blob:`` ask nobody."""
        if not request.url.startswith((f"{self.url}/", "data:", "blob:")):
            self.complaints.append(f"asked another origin: {request.url}")
