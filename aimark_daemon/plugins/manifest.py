"""Manifest: what a plugin says of itself in its source, read without running it, and whether it can work here."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final

import msgspec
from packaging.requirements import InvalidRequirement, Requirement

_CONSTANTS: Final = ("AIMARK_API", "REQUIRES", "NEEDS")
_SAYS_SOMETHING: Final = re.compile(rf"^(?:{'|'.join(_CONSTANTS)})\b", re.MULTILINE)


class Manifest(msgspec.Struct, frozen=True):
    """A plugin's constants: `AIMARK_API`, `REQUIRES` (packages, as pip writes them), `NEEDS` (other plugins)."""

    api: int | None = None
    requires: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


def read_manifest(source: str) -> Manifest:
    """The constants at the top level of a module.

    Raises:
        SyntaxError: the source is no Python.
        ValueError: a constant is not written as one; says which.
    """
    values: dict[str, Any] = {}
    compile(source, "plugin", "exec", dont_inherit=True)
    # Only what says something is parsed: a syntax tree takes several times as long as a check.
    for statement in ast.parse(source).body if _SAYS_SOMETHING.search(source) else ():
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        for target in targets:
            if isinstance(target, ast.Name) and target.id in _CONSTANTS and isinstance(statement, ast.Assign):
                values[target.id] = _constant(target.id, statement.value)
    try:
        return msgspec.convert(
            {
                "api": values.get("AIMARK_API"),
                "requires": values.get("REQUIRES", ()),
                "needs": values.get("NEEDS", ()),
            },
            Manifest,
        )
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error


def missing(requirements: Iterable[str], version_of: Callable[[str], str | None]) -> list[str]:
    """The requirements that are not met; `version_of` tells a package's version, None if it is not installed.

    Raises:
        ValueError: a requirement that pip would not understand.
    """
    unmet = []
    for text in requirements:
        try:
            requirement = Requirement(text)
        except InvalidRequirement as error:
            raise ValueError(f"REQUIRES: {text!r}: {error}") from error
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        version = version_of(requirement.name)
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            unmet.append(str(requirement))
    return unmet


def in_order(needs: Mapping[str, Iterable[str]]) -> tuple[list[str], list[str]]:
    """The plugins so that each comes after those it needs, and those that in the end need themselves.

    What a plugin needs but is not there does not count here.
    """
    cyclic: list[str] = []
    graph = {name: [want for want in wants if want in needs] for name, wants in needs.items()}
    while True:
        try:
            return list(TopologicalSorter(graph).static_order()), cyclic
        except CycleError as error:
            circle = set(error.args[1])
            cyclic += sorted(circle)
            graph = {
                name: [want for want in wants if want not in circle]
                for name, wants in graph.items()
                if name not in circle
            }


def _constant(name: str, value: ast.expr) -> Any:
    try:
        return ast.literal_eval(value)
    except ValueError:
        raise ValueError(f"{name} must be written as a plain value") from None
