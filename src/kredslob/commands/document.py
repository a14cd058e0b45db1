def document() -> None:
    """Stub."""
