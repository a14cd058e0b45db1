"""Where the models that come with kredslob lie."""

from __future__ import annotations

from pathlib import Path

_INSTALLED = Path(__file__).parent / "models"
_IN_A_CHECKOUT = Path(__file__).parents[2] / "models"


def models_folder() -> Path:
    """Folder of the models that come with kredslob: in the wheel, or in a source checkout."""
    return _INSTALLED if _INSTALLED.is_dir() else _IN_A_CHECKOUT


def reinvestment_folder() -> Path:
    """Folder of the reinvestment model: model file, parameters, settings, scenarios and cases."""
    return models_folder() / "reinvestment"
