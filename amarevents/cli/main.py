"""The ``amarevents`` command: its subcommands, each imported only when it runs, and its errors."""

import os
import re
import sys
from collections.abc import Sequence
from typing import NoReturn

from cyclopts import App, CycloptsError, Group, Parameter

from amarevents import __version__
from amarevents.errors import AmarEventsError, OperatorError

SERVER = Group("Server", sort_key=1)
ACCOUNTS = Group("Accounts", sort_key=2)
EMAIL = Group("Email", sort_key=3)
PLANS = Group("Plans", sort_key=4)
SHELL = Group("Shell", sort_key=5)
OPTIONS = Group("Options", sort_key=6)

COMPLETION_HELP = """Print a script that completes commands and options.

For bash, add this line to ~/.bashrc:

eval "$(amarevents completion bash)"
"""

COMMANDS = {
    SERVER: {
        "serve": ("serve:serve", "Serve the platform until stopped."),
        "migrate": ("database:migrate", "Apply the migrations that the database needs."),
        "doctor": ("database:doctor", "Check the database; exits with 1 if something is wrong."),
        "seed": ("database:seed", "Fill an empty, migrated database with demo data."),
        "settings": ("settings:print_settings", "List the settings and their current values."),
    },
    ACCOUNTS: {
        "create-admin": ("accounts:create_admin", "Create an admin account with a password from stdin."),
        "create-key": ("accounts:create_key", "Create an API key for an account and print it."),
        "confirm-email": ("accounts:confirm_email", "Mark the email address of an account as confirmed."),
    },
    EMAIL: {
        "outbox": ("outbox:outbox", "List or release the emails in the outbox."),
    },
    PLANS: {
        "plans": ("plans:list_plans", "List the plans that an organization can have."),
        "create-plan": ("plans:create_plan", "Create a plan."),
        "update-plan": ("plans:update_plan", "Change the given fields of a plan."),
        "delete-plan": ("plans:delete_plan", "Delete a plan that no organization has."),
    },
    SHELL: {
        "completion": ("completion:print_completion", COMPLETION_HELP),
    },
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command. Exits with 1 and a line on stderr if it fails, with 2 if it was not understood."""
    tokens = list(sys.argv[1:] if arguments is None else arguments)
    if not tokens:
        _exit_not_understood("amarevents", "A command is required.")
    if re.search("[\ud800-\udfff]", "".join(tokens)):  # what Python makes of other bytes
        _exit_not_understood("amarevents", "The arguments are not encoded in UTF-8.")
    try:
        create_cli()(tokens, exit_on_error=False, print_error=False)
        sys.stdout.flush()
    except CycloptsError as error:
        _exit_not_understood(" ".join(["amarevents", *(error.command_chain or ())]), str(error))
    except (AmarEventsError, OperatorError) as error:
        sys.exit(f"amarevents: {error}")
    except BrokenPipeError:  # the reader of the output, such as head, needs no more of it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _exit_not_understood(command: str, message: str) -> NoReturn:
    operands = "COMMAND" if command == "amarevents" else "[OPTIONS]"
    print(f"Usage: {command} {operands}\namarevents: {message}\nSee '{command} --help'.", file=sys.stderr)
    sys.exit(2)


def create_cli() -> App:
    """Return the command line; none of its commands has been imported yet."""
    cli = App(
        name="amarevents",
        help="An event and ticketing platform: REST under /api, GraphQL under /graphql.",
        help_epilogue="Settings are environment variables; 'amarevents settings' lists them.",
        help_format="plaintext",
        version=f"amarevents {__version__}",
        version_format="plaintext",
        default_parameter=Parameter(negative=()),
    )
    cli["--help"].group = cli["--version"].group = OPTIONS
    for group, commands in COMMANDS.items():
        for position, (name, (function, description)) in enumerate(commands.items()):
            path = f"amarevents.cli.{function}"
            cli.command(path, name=name, help=description, group=group, sort_key=position, help_epilogue="")
    return cli
