"""A route for all paths below a prefix, including those with unusual characters."""

from dataclasses import dataclass

from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send


@dataclass(frozen=True)
class PathPrefix(BaseRoute):
    """Passes the prefix itself and all paths below it to an application.

    Starlette's ``Mount`` does not match paths with line breaks, which would be answered by its own plain text.
    """

    prefix: str
    app: ASGIApp

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        is_below = scope["type"] != "lifespan" and f"{scope['path']}/".startswith(f"{self.prefix}/")
        return (Match.FULL if is_below else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)
