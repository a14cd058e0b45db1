"""Model files in Vensim's and the XMILE format, read without running anything that they hold."""

from kredslob.reading.builder import builder_model
from kredslob.reading.external import check_external_path, is_within
from kredslob.reading.model_file import (
    CONTROL,
    SUFFIXES,
    ModelFile,
    Variable,
    abstract_model,
    equation_texts,
    integration_method,
    read_model,
    source_lines,
)
from kredslob.reading.parts import references

__all__ = [
    "CONTROL",
    "SUFFIXES",
    "ModelFile",
    "Variable",
    "abstract_model",
    "builder_model",
    "check_external_path",
    "equation_texts",
    "integration_method",
    "is_within",
    "read_model",
    "references",
    "source_lines",
]
