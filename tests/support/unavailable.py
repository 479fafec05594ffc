"""The error of a program that the tests need and the machine lacks."""


class ProgramUnavailable(Exception):
    """The machine lacks a program; the message says which one, and how to install it."""
