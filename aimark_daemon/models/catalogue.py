"""The catalogue: every model that `aimark models` can install, by id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aimark_daemon.models.catalogue_hub import HUB
from aimark_daemon.models.catalogue_starter import STARTER
from aimark_daemon.models.entries import ModelEntry

CATALOGUE: Final[Mapping[str, ModelEntry]] = {entry.id: entry for entry in (*STARTER, *HUB)}
"""Every entry by its id, the starter set first."""
