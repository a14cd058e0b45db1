"""PySD's abstract model -> Program."""

from kredslob.lowering.model import lower_model

__all__ = ["lower_model"]
