"""What the command line does beside serving, a module a noun; ``cli`` puts the commands together."""

import argparse
from collections.abc import Callable, Coroutine
from typing import Any

from amarevents.settings import Settings

Command = Callable[[argparse.Namespace, Settings], Coroutine[Any, Any, None]]  # Any: what coroutines never use

AddCommand = Callable[[str, Command, str], argparse.ArgumentParser]
"""Makes the parser of a command from its name, what it runs and what that does."""
