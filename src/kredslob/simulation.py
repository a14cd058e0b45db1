"""Running a model: constants in, a labelled dataset out. Knows any model, and no fund."""

from __future__ import annotations

import difflib
import html
import json
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd
import xarray as xr

from kredslob.errors import ParameterError
from kredslob.reading import ModelFile, Variable, read_model
from kredslob.targets.pysd import Clock, PysdTarget

Progress = Callable[[float, float], None]


@runtime_checkable
class HasParameters(Protocol):
    """Anything that carries constants to change, such as a scenario."""

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Values by name of the constant."""
        ...


class Model:
    """A stock-and-flow model that can be run.

    Parameters
    ----------
    path : Path or str
        A Vensim or XMILE file.

    Raises
    ------
    InputFileError
        The file cannot be read.

    Examples
    --------
    >>> model = Model("models/reinvestment/reinvestment.mdl")  # doctest: +SKIP
    >>> run = model.run(reinvestment_rate=0.75, years=20)  # doctest: +SKIP
    >>> run["total cash"].sel(time=20)  # doctest: +SKIP
    """

    def __init__(self, path: Path | str) -> None:
        self.file: ModelFile = read_model(Path(path))

    @property
    def variables(self) -> Mapping[str, Variable]:
        """Variables by name, in the order of the file."""
        return self.file.variables

    @property
    def subscripts(self) -> Mapping[str, tuple[str, ...]]:
        """Elements of each subscript range."""
        return self.file.subscripts

    @cached_property
    def _target(self) -> PysdTarget:
        return PysdTarget(self.file.path)

    def run(
        self,
        scenario: Mapping[str, Any] | HasParameters | None = None,
        *,
        years: float | None = None,
        time_step: float | None = None,
        saveper: float | None = None,
        save: Sequence[str] | None = None,
        **constants: Any,
    ) -> xr.Dataset:
        """Run the model once.

        Parameters
        ----------
        scenario : mapping or object with ``parameters``, optional
            Constants to change, by name: a number, an array in the order of the subscripts, a
            (nested) dict by element, or for a lookup a list of (argument, value) pairs.
        years : float, optional
            Length of the run in the model's time unit. Default: as the file says.
        time_step, saveper : float, optional
            Integration step and saving interval. Default: as the file says.
        save : sequence of str, optional
            Names of the variables to keep. Default: all.
        **constants
            More constants, with ``_`` for blanks: ``reinvestment_rate=0.5``. They come last.

        Returns
        -------
        xarray.Dataset
            Variables under their names in the file, over ``time`` (constants: without) and their
            subscripts, with units, long names and descriptions; attributes say what made them.

        Raises
        ------
        ParameterError
            A name is unknown, or a value has the wrong shape or is not a finite number.
        """
        changed = self._changes(scenario, constants)
        kept = self._kept(save)
        clock = self._clock(years, time_step, saveper)
        arrays = self._target.run(self._values(changed), clock, kept)
        return self._dataset(arrays, changed, scenario, clock)

    def run_many(
        self,
        designs: Iterable[Mapping[str, Any]],
        scenario: Mapping[str, Any] | HasParameters | None = None,
        *,
        years: float | None = None,
        time_step: float | None = None,
        saveper: float | None = None,
        save: Sequence[str] | None = None,
        progress: Progress | None = None,
    ) -> list[xr.Dataset]:
        """Run the model once for each design, side by side on the processors at hand.

        Parameters
        ----------
        designs : iterable of mappings
            Constants of each run, by name, laid over the scenario.
        scenario, years, time_step, saveper, save
            As for `run`.
        progress : callable, optional
            Called with (runs done, fractions included; runs in all) as the work goes on.

        Returns
        -------
        list of xarray.Dataset
            In the order of the designs.

        Raises
        ------
        ParameterError
            As for `run`; checked for all designs before the first one runs.
        """
        from kredslob.targets.processes import run_side_by_side

        changes = [self._changes(scenario, design) for design in designs]
        kept = self._kept(save)
        clock = self._clock(years, time_step, saveper)
        results = run_side_by_side(
            self.file.path, [self._values(c) for c in changes], clock, kept, progress
        )
        return [
            self._dataset(arrays, changed, scenario, clock)
            for arrays, changed in zip(results, changes, strict=True)
        ]

    def _changes(
        self, scenario: Mapping[str, Any] | HasParameters | None, constants: Mapping[str, Any]
    ) -> dict[str, Any]:
        base = scenario.parameters if isinstance(scenario, HasParameters) else scenario or {}
        changed: dict[str, Any] = {}
        for name, value in [*base.items(), *constants.items()]:
            changed[self._constant(name).name] = value
        return changed

    def _constant(self, name: str) -> Variable:
        by_key = {_key(known): known for known in self.variables}
        if _key(name) not in by_key:
            near = difflib.get_close_matches(_key(name), by_key, 1)
            hint = f"; did you mean '{by_key[near[0]]}'?" if near else ""
            raise ParameterError(f"{self.file.path.name} has no constant '{name}'{hint}")
        variable = self.variables[by_key[_key(name)]]
        if variable.kind not in ("constant", "lookup"):
            raise ParameterError(
                f"'{variable.name}' is a {variable.kind} of {self.file.path.name}; "
                "only constants and lookups can be changed"
            )
        return variable

    def _kept(self, save: Sequence[str] | None) -> list[str]:
        if save is None:
            return [v.name for v in self.variables.values() if v.kind not in ("control", "lookup")]
        by_key = {_key(known): known for known in self.variables}
        for name in save:
            if _key(name) not in by_key:
                raise ParameterError(f"{self.file.path.name} has no variable '{name}' to save")
        return [by_key[_key(name)] for name in save]

    def _clock(self, years: float | None, time_step: float | None, saveper: float | None) -> Clock:
        for what, value in (("years", years), ("time_step", time_step), ("saveper", saveper)):
            if value is not None and not (np.isfinite(value) and value > 0):
                raise ParameterError(f"{what}: found {value}, expected a number above 0")
        return Clock(years, time_step, saveper)

    def _values(self, changed: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self._value(self.variables[name], value) for name, value in changed.items()}

    def _value(self, variable: Variable, value: Any) -> float | xr.DataArray | pd.Series[float]:
        if variable.kind == "lookup":
            return _lookup(variable.name, value)
        shape = tuple(len(self.subscripts[dim]) for dim in variable.dims)
        if isinstance(value, Mapping):
            value = self._from_elements(variable, value)
        try:
            array = np.asarray(value, dtype=float)
        except (TypeError, ValueError):
            raise ParameterError(f"'{variable.name}': found {value!r}, expected numbers") from None
        if array.ndim and array.shape != shape:
            raise ParameterError(
                f"'{variable.name}': found an array of shape {array.shape}, "
                f"expected {shape} ({' x '.join(variable.dims) or 'a single number'})"
            )
        if not np.isfinite(array).all():
            raise ParameterError(f"'{variable.name}': found {value!r}, expected finite numbers")
        if not variable.dims:
            return float(array)
        coords = {dim: list(self.subscripts[dim]) for dim in variable.dims}
        return xr.DataArray(np.broadcast_to(array, shape).copy(), coords, variable.dims)

    def _from_elements(self, variable: Variable, value: Mapping[str, Any]) -> np.ndarray:
        """Array from a nested dict that names each element of each subscript."""
        out = np.empty([len(self.subscripts[dim]) for dim in variable.dims])
        for index in product(*(range(n) for n in out.shape)):
            part: Any = value
            for dim, position in zip(variable.dims, index, strict=True):
                element = self.subscripts[dim][position]
                if not isinstance(part, Mapping) or element not in part:
                    raise ParameterError(
                        f"'{variable.name}': no value for '{element}' of {dim}; "
                        f"expected one for each of {', '.join(self.subscripts[dim])}"
                    )
                part = part[element]
            out[index] = part
        return out

    def _dataset(
        self,
        arrays: Mapping[str, xr.DataArray],
        changed: Mapping[str, Any],
        scenario: Mapping[str, Any] | HasParameters | None,
        clock: Clock,
    ) -> xr.Dataset:
        data = {}
        for name, array in arrays.items():
            variable = self.variables[name]
            constant = variable.kind == "constant"
            kept = array.isel(time=0, drop=True) if constant else array
            kept.attrs = {
                "units": variable.unit,
                "long_name": name,
                "description": variable.documentation,
                "kind": variable.kind,
            }
            data[name] = kept
        dataset = xr.Dataset(data)
        if "time" in dataset.coords:
            unit = self.variables["TIME STEP"].unit if "TIME STEP" in self.variables else ""
            dataset["time"].attrs = {"units": unit, "long_name": "time"}
        dataset.attrs = {
            "model": self.file.path.name,
            "model_hash": self.file.sha256,
            "scenario": str(getattr(scenario, "name", "")),
            "setting": str(getattr(scenario, "setting", "")),
            "parameters": json.dumps({k: _plain(v) for k, v in changed.items()}),
            "clock": json.dumps({k: v for k, v in vars(clock).items() if v is not None}),
            "integration": "Euler",
            "engine": "PySD",
            "versions": json.dumps(_versions()),
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        return dataset

    def _repr_html_(self) -> str:
        kinds = pd.Series([v.kind for v in self.variables.values()]).value_counts()
        counts = "".join(f"<tr><td>{k}</td><td>{n}</td></tr>" for k, n in kinds.items())
        ranges = "".join(
            f"<tr><td>{html.escape(name)}</td><td>{html.escape(', '.join(elements))}</td></tr>"
            for name, elements in self.subscripts.items()
        )
        title = html.escape(self.file.path.name)
        return f"<b>{title}</b><table>{counts}</table><table>{ranges}</table>"

    def __repr__(self) -> str:
        return f"<Model {self.file.path.name}: {len(self.variables)} variables>"


def _key(name: str) -> str:
    """Names compare as Vensim does: case, blanks and underscores make no difference."""
    return " ".join(name.replace("_", " ").lower().split())


def _lookup(name: str, value: Any) -> pd.Series[float]:
    try:
        points = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        points = np.empty(0)
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        raise ParameterError(f"'{name}': found {value!r}, expected pairs such as [[0, 1], [10, 2]]")
    if (np.diff(points[:, 0]) <= 0).any():
        raise ParameterError(f"'{name}': the first numbers of the pairs must rise")
    return pd.Series(points[:, 1], index=points[:, 0])


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    return np.asarray(value, dtype=float).tolist()


def _versions() -> dict[str, str]:
    packages = ("kredslob", "pysd", "numpy", "xarray", "pandas")
    return {"python": platform.python_version()} | {name: version(name) for name in packages}
