"""The settings that every command reads, and the command that lists them."""

import re
import textwrap

from amarevents.server.logging import configure_logging
from amarevents.settings import Settings, variable_of


def read_settings() -> Settings:
    """Return the settings of the environment, with the log configured by them."""
    settings = Settings.from_environment()
    configure_logging(settings)
    return settings


def print_settings() -> None:
    settings = read_settings()
    for name, field in Settings.model_fields.items():
        description = " ".join((field.description or "").replace("`", "").split())
        lines = textwrap.wrap(description, 76, break_long_words=False, break_on_hyphens=False)
        value = _format(getattr(settings, name), is_secret=not field.repr)
        print(variable_of(name), *lines, f"now: {value}", sep="\n    ")


def _format(value: object, *, is_secret: bool) -> str:
    if is_secret and isinstance(value, str):
        return re.sub(r"://[^/]*@", "://…@", value)
    if isinstance(value, tuple | frozenset):
        return ", ".join(str(part) for part in value) or "none"
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value is None else str(value)
