"""Descriptions for API documentation, read from the docstrings of the code that they describe.

They serve both surfaces, so they avoid what the two write differently: names of several words, such as ``created_at``
and ``createdAt``, and words of enums.
"""

import ast
import inspect
import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType, ModuleType


def public_text(docstring: str | None) -> str:
    """Return a docstring as callers read it: unwrapped, without markup and without the sources of its rules."""
    paragraphs = [" ".join(paragraph.split()) for paragraph in inspect.cleandoc(docstring or "").split("\n\n")]
    without_sources = re.sub(r" \(decisions [^)]*\)", "", "\n\n".join(filter(None, paragraphs)))
    return without_sources.replace("``", "`")


@cache
def attribute_descriptions(owner: type) -> Mapping[str, str]:
    """Return the docstrings below the attributes of a class, by public name, those of its bases included."""
    found: dict[str, str] = {}
    for base in reversed(owner.__mro__):
        module = inspect.getmodule(base)
        if module is not None and module.__name__.startswith("amarevents."):
            found |= _docstrings_of_module(module).get(base.__qualname__, {})
    return MappingProxyType(found)


def description_of(owner: type, attribute: str) -> str:
    """Return the description of an attribute. Raises KeyError, which says where to write one, if there is none."""
    try:
        return attribute_descriptions(owner)[attribute]
    except KeyError:
        name = f"{owner.__module__}.{owner.__qualname__}.{attribute}"
        raise KeyError(f"{name} has no description: write a docstring below it") from None


@cache
def _docstrings_of_module(module: ModuleType) -> dict[str, dict[str, str]]:
    """Return the attribute docstrings of every class in a module; Python itself does not keep them."""
    classes = (node for node in ast.parse(inspect.getsource(module)).body if isinstance(node, ast.ClassDef))
    return {node.name: _docstrings_of_class(node) for node in classes}


def _docstrings_of_class(node: ast.ClassDef) -> dict[str, str]:
    found = {}
    for statement, following in zip(node.body, node.body[1:], strict=False):
        name = _assigned_name(statement)
        match following:
            case ast.Expr(value=ast.Constant(value=str(text))) if name is not None:
                found[name.removesuffix("_")] = public_text(text)
    return found


def _assigned_name(statement: ast.stmt) -> str | None:
    match statement:
        case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
            return name
    return None
