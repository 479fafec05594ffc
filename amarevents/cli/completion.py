"""The ``completion`` command, which prints a script that makes a shell complete commands and options."""

from typing import Annotated, Literal

from cyclopts import Parameter

from amarevents.cli.main import create_cli

Shell = Literal["bash", "fish", "zsh"]


def print_completion(shell: Annotated[Shell, Parameter(help="Shell to print the script for.")], /) -> None:
    print(create_cli().generate_completion(shell=shell))
