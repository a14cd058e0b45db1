"""What made a run, as an RO-Crate: files, software, parameters and the act that joined them.

The metadata follow RO-Crate 1.1 and the profile Process Run Crate 0.5, so that archives such as
Zenodo and tools such as ``rocrate`` read them.
"""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

CRATE = "ro-crate-metadata.json"
_SPECIFICATION = "https://w3id.org/ro/crate/1.1"
_PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
# the context of 1.1 is older than the term; a crate may add terms of its own
_CONTEXT = [f"{_SPECIFICATION}/context", {"sha256": "http://schema.org/sha256"}]
_ACT, _SOFTWARE = "#run", "#kredslob"
_RIGHTS = (
    "Not stated. kredslob and its reinvestment model are under the MIT licence; whoever made this "
    "run decides about the run."
)
_FORMATS = {
    ".nc": "application/netcdf",
    ".mdl": "text/plain",
    ".toml": "application/toml",
    ".csv": "text/csv",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".dot": "text/vnd.graphviz",
    ".mmd": "text/plain",
    ".graphml": "application/graphml+xml",
    ".gexf": "application/gexf+xml",
    ".xmile": "application/xml",
    ".stmx": "application/xml",
    ".itmx": "application/xml",
}


def crate(
    manifest: Mapping[str, Any], hashes: Mapping[str, str], sizes: Mapping[str, int]
) -> dict[str, Any]:
    """Describe a run's folder as an RO-Crate.

    Parameters
    ----------
    manifest : mapping
        What made the run.
    hashes : mapping of str to str
        SHA-256 of each file, by its path in the folder, with ``/`` between the parts.
    sizes : mapping of str to int
        Bytes of each file.

    Returns
    -------
    dict
        Content of ``ro-crate-metadata.json``.
    """
    files = [_file(name, hashes[name], sizes[name]) for name in hashes]
    changed = list(_parameters(manifest))
    inputs = [f for f in files if _is_input(f["@id"])]
    act = {
        "@id": _ACT,
        "@type": "CreateAction",
        "name": str(manifest["command"]) or "run",
        "description": "Command that made the run.",
        "instrument": {"@id": _SOFTWARE},
        "object": [_to(e) for e in (*inputs, *changed)],
        "result": [_to(f) for f in files if f not in inputs],
        "endTime": manifest["created"],
        "actionStatus": {"@id": "http://schema.org/CompletedActionStatus"},
    }
    return {
        "@context": _CONTEXT,
        "@graph": [
            _descriptor(),
            _root(manifest, files),
            {
                "@id": _PROFILE,
                "@type": "CreativeWork",
                "name": "Process Run Crate",
                "version": "0.5",
            },
            act,
            *_software(manifest["versions"]),
            *files,
            *changed,
        ],
    }


def _descriptor() -> dict[str, Any]:
    return {
        "@id": CRATE,
        "@type": "CreativeWork",
        "conformsTo": {"@id": _SPECIFICATION},
        "about": {"@id": "./"},
    }


def _root(manifest: Mapping[str, Any], files: list[dict[str, Any]]) -> dict[str, Any]:
    where = ", ".join(str(manifest[k]) for k in ("setting", "scenario") if manifest.get(k))
    kind = str(manifest.get("kind", "run"))
    return {
        "@id": "./",
        "@type": "Dataset",
        "name": f"kredslob {kind}: {where or manifest['model']}",
        "description": f"Results of {manifest['model']}, made by: {manifest['command']}",
        "datePublished": manifest["created"],
        "license": _RIGHTS,
        "conformsTo": {"@id": _PROFILE},
        "hasPart": [_to(f) for f in files],
        "mentions": {"@id": _ACT},
    }


def _file(name: str, sha256: str, size: int) -> dict[str, Any]:
    return {
        "@id": quote(name),
        "@type": "File",
        "name": name,
        "encodingFormat": _format(name),
        "contentSize": str(size),
        "sha256": sha256,
    }


def _format(name: str) -> str:
    suffix = PurePosixPath(name).suffix.lower()
    return _FORMATS.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"


def _is_input(name: str) -> bool:
    """Whether a file is what the run started from."""
    return name.startswith("model/") or name in ("scenario.toml", "design.csv")


def _parameters(manifest: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What was changed or chosen, each as a property with its value."""
    stated = {**manifest["parameters"], **(manifest.get("levers") or {})}
    stated |= {k: manifest[k] for k in ("seed", "draws") if manifest.get(k) is not None}
    for name, value in stated.items():
        plain = isinstance(value, (bool, int, float, str))
        yield {
            "@id": f"#parameter-{quote(name, safe='')}",
            "@type": "PropertyValue",
            "name": name,
            "value": value if plain else json.dumps(value, ensure_ascii=False),
        }


def _software(versions: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    others = {name: f"#{name}" for name in versions if name != "kredslob"}
    yield {
        "@id": _SOFTWARE,
        "@type": "SoftwareApplication",
        "name": "kredslob",
        "softwareVersion": versions.get("kredslob", "unknown"),
        "softwareRequirements": [{"@id": identity} for identity in others.values()],
    }
    for name, identity in others.items():
        yield {
            "@id": identity,
            "@type": "SoftwareApplication",
            "name": name,
            "softwareVersion": versions[name],
        }


def _to(entity: Mapping[str, Any]) -> dict[str, str]:
    return {"@id": entity["@id"]}
