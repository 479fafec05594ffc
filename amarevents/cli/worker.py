"""The application of a server process, one of several."""

from typing import TYPE_CHECKING

from amarevents.server.startup import share_freed_memory, without_collections

if TYPE_CHECKING:
    from starlette.applications import Starlette


def create_application() -> "Starlette":
    """Return the application, with settings from the environment."""
    share_freed_memory()
    with without_collections():
        from amarevents.app import app_from_environment

        return app_from_environment()
