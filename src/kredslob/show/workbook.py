"""A saved run as an Excel workbook: numbers as they are, charts that Excel draws itself.

All numbers are written in as many digits as tell them apart, so that the workbook holds the same
numbers as the dataset. A cell's format only says how they look; Excel writes them with the decimal
marks of the reader's own language. Texts are written as texts: none can become a formula or a link.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from kredslob.cycle.scenario import list_scenarios, list_settings, parameter_table
from kredslob.cycle.summary import RATE
from kredslob.results import SavedRun
from kredslob.show.columns import (
    FORMATS,
    MILLIONS,
    Column,
    columns_of,
    elements_of,
    flat,
    measures,
    parts_of,
)
from kredslob.show.figures import PALETTE
from kredslob.show.language import Words, words

_INK = "#1d1d1f"
_MOST_CELLS = 500_000  # a sheet; more makes a file that takes minutes to open
_COLUMNS_A_PAGE = 18  # wider tables are printed over several pages
_WIDEST, _NARROWEST = 60, 8
_BY_PURSE = ("municipality", "region", "state")
_NOT_MOVING = ("constant", "control", "lookup", "data")
_SUMMED = {"Cumulated Completions": "citizens helped", "Cumulated Lifted": "lifted"}
_OF_CYCLE = ("summary", "accounts", "equity", "bookkeeping")


class _Exact(float):
    """A number that is written in full; XlsxWriter would keep 16 digits, and one may need 17."""

    def __format__(self, specification: str) -> str:
        return repr(float(self))


def write_workbook(path: Path, run: SavedRun, language: str) -> None:
    """Write a run as an Excel workbook.

    Parameters
    ----------
    path : Path
        The ``.xlsx`` file.
    run : SavedRun
        A run, sweep or study, of the reinvestment model or another.
    language : str
        Language of headings and sheet names: "da" or "en".

    Raises
    ------
    ImportError
        XlsxWriter is not installed; see `kredslob.show.export.check_installed`.
    """
    import xlsxwriter

    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(path, options) as book:
        _Sheets(book, run, words(language)).write()


class _Sheets:
    """The sheets of one workbook, while they are written."""

    def __init__(self, book: Any, run: SavedRun, w: Words) -> None:
        self.book, self.run, self.w = book, run, w
        self.formats: dict[tuple[tuple[str, Any], ...], Any] = {}
        created = run.manifest["created"]
        book.set_properties(
            {"title": "kredslob", "comments": f"{run.manifest['command']} {created}"}
        )

    def write(self) -> None:
        run = self.run
        front = self._sheet("summary")
        times = self._times()
        if "summary" in run.tables:
            self._summary(front, run.tables["summary"])
        else:
            self._end_values(front)
        if times:
            self._table(self._sheet("time"), times, filtered=1)
        if purses := self._purses():
            self._table(self._sheet("purses"), purses, filtered=2)
        if "accounts" in run.tables:
            self._accounts(run.tables["accounts"])
        if "equity" in run.tables:
            self._table(self._sheet("who"), self._who(run.tables["equity"]), filtered=3)
        for name, table in run.tables.items():
            if name not in _OF_CYCLE:
                self._study(name, table)
        self._table(self._sheet("parameters"), self._parameters(), filtered=1)
        self._table(self._sheet("design"), self._design(), filtered=1)
        self._about(self._sheet("about"))
        if "summary" in run.tables and times:
            self._charts(front, run.tables["summary"])
        front.activate()

    # --- sheets --------------------------------------------------------------------------------

    def _summary(self, sheet: Any, table: xr.Dataset) -> None:
        w = self.w
        self._title(sheet)
        rates = [float(r) for r in table[RATE].values]
        head = self._format(bold=True, bottom=1, text_wrap=True, valign="bottom")
        right = self._format(bold=True, bottom=1, align="right", num_format="0%")
        sheet.write_string(3, 0, w.text("table.measure"), head)
        for column, rate in enumerate(rates, start=1):
            self._number(sheet, 3, column, rate, right)
        row = 4
        for label, form, values in measures(table, w):
            sheet.write_string(row, 0, label, self._format(text_wrap=True, valign="top"))
            for column, value in enumerate(values, start=1):
                self._value(sheet, row, column, value, form)
            row += 1
        sheet.set_column(0, 0, 52)
        sheet.set_column(1, len(rates), 11)
        sheet.freeze_panes(4, 1)
        self._page(sheet, landscape=False)

    def _end_values(self, sheet: Any) -> None:
        self._title(sheet)
        end = self.run.runs.isel(time=-1)
        last = {d: -1 for d in self.run.manifest.get("levers") or {} if d in end.dims}
        rows = [
            (label, end[name].attrs.get("units", ""), value)
            for name in end.data_vars
            if end[name].attrs.get("kind") == "stock" or "kind" not in end[name].attrs
            for label, value in elements_of(str(name), end[name].isel(last, missing_dims="ignore"))
        ]
        head = self._format(bold=True, bottom=1)
        for column, key in enumerate(("stock", "unit", "end")):
            sheet.write_string(3, column, self.w.text(f"workbook.head.{key}"), head)
        for row, (label, unit, value) in enumerate(rows, start=4):
            sheet.write_string(row, 0, label)
            sheet.write_string(row, 1, unit)
            self._value(sheet, row, 2, value, "plain")
        sheet.set_column(0, 0, 46)
        sheet.set_column(1, 2, 18)
        sheet.freeze_panes(4, 1)
        self._page(sheet, landscape=False)

    def _times(self) -> list[Column]:
        """Time series: a row a rate and time, a column a variable."""
        runs, w = self.run.runs, self.w
        lead = [str(d) for d in runs.dims if d in (self.run.manifest.get("levers") or {RATE: []})]
        series = {
            str(n): v
            for n, v in runs.data_vars.items()
            if "time" in v.dims
            and v.attrs.get("kind") not in _NOT_MOVING
            and not v.attrs.get("description", "").startswith("Check:")
        }
        shown = {n: v for n, v in series.items() if set(v.dims) <= {*lead, "time"}}
        named = {w.table.get(f"series.{n}", w.outcome(n)): v for n, v in shown.items()}
        for name, outcome in _SUMMED.items():
            if name in series and "reinvestment rate in force" in series:
                total = series[name].sum([d for d in ("Group", "Need") if d in series[name].dims])
                total.attrs = dict(series[name].attrs)
                named[w.text(f"workbook.{outcome}")] = total
        if "reinvestment rate in force" not in series:  # another model: its elements side by side
            more = {n: v for n, v in series.items() if n not in shown}
            parts = ((f, p) for n, v in more.items() for f, p in parts_of(n, v, [*lead, "time"]))
            named |= dict(parts)
        return columns_of(named, [*lead, "time"], w)

    def _purses(self) -> list[Column]:
        runs, w = self.run.runs, self.w
        lead = [str(d) for d in runs.dims if d == RATE]
        dims = [*lead, "Purse", "time"]
        if "Purse" not in runs.dims:
            return []
        named = {
            w.table.get(f"series.{n}", w.outcome(str(n))): v
            for n, v in runs.data_vars.items()
            if set(v.dims) == set(dims) and v.attrs.get("kind") not in _NOT_MOVING
        }
        return columns_of(named, dims, w)

    def _accounts(self, books: xr.Dataset) -> None:
        w = self.w
        figures = (
            "net present value",
            "internal rate of return",
            "benefit-cost ratio",
            "payback year",
        )
        heads = [w.text(f"table.{h}") for h in ("npv_head", "irr_head", "bcr_head", "payback_head")]
        forms = (MILLIONS, "0.0%", "0.00", "0.0")
        of = {h: books[n] for h, n in zip(heads, figures, strict=True)}
        columns = columns_of(of, [RATE, "party"], w)
        for place, form in enumerate(forms, start=2):
            columns[place] = Column(heads[place - 2], form, columns[place].values)
        self._table(self._sheet("accounts"), columns, filtered=2)
        flows = {
            w.text(f"workbook.flow.{n}"): books[n] for n in ("cost", "benefit", "net cash flow")
        }
        items = {
            w.text(f"workbook.item.{item}"): books["line item"].sel(item=item, drop=True)
            for item in books["item"].values
        }
        self._table(
            self._sheet("flows"),
            columns_of(flows | items, [RATE, "party", "year"], w),
            filtered=3,
        )

    def _who(self, shares: xr.Dataset) -> list[Column]:
        named = {
            self.w.text(f"workbook.equity.{n}"): shares[n]
            for n in ("help", "need", "share of help", "share of need", "citizens lifted")
        }
        return columns_of(named, [RATE, "Group", "Need"], self.w)

    def _study(self, name: str, table: xr.Dataset) -> None:
        """What a study found: a sheet for each set of dimensions."""
        groups: dict[tuple[str, ...], dict[str, xr.DataArray]] = {}
        for n, v in table.data_vars.items():
            groups.setdefault(tuple(map(str, v.dims)), {})[str(n)] = v
        for number, (dims, named) in enumerate(groups.items(), start=1):
            if not dims:
                columns = [Column(n, "plain", [v.values[()]]) for n, v in named.items()]
            elif math.prod(table.sizes[d] for d in dims) * (len(named) + len(dims)) > _MOST_CELLS:
                continue
            else:
                columns = columns_of(named, list(dims), self.w)
            label = self.w.table.get(f"workbook.study.{name}", name)
            self._table(self._named(f"{label} {number}"), columns, filtered=len(dims))

    def _parameters(self) -> list[Column]:
        w, changed = self.w, dict(flat("", self.run.manifest["parameters"]))
        if not self._of_cycle():
            names = list(changed)
            return [
                Column(w.text("page.parameter"), "plain", names),
                Column(w.text("page.value"), "plain", [changed[n] for n in names]),
            ]
        rows = list(parameter_table())
        used = [changed.get(row.label, row.value) for row in rows]
        texts: list[tuple[str, list[Any]]] = [
            (w.text("page.parameter"), [w.parameter(row.label) for row in rows]),
            (w.text("workbook.head.used"), used),
            (w.text("workbook.head.table"), [row.value for row in rows]),
            (w.text("workbook.head.low"), [row.low for row in rows]),
            (w.text("workbook.head.high"), [row.high for row in rows]),
            (w.text("page.unit"), [w.unit(row.unit) for row in rows]),
            (w.text("page.kind"), [w.text(f"kind.{row.kind}") for row in rows]),
            (w.text("page.certainty"), [w.text(f"certainty.{row.certainty}") for row in rows]),
            (w.text("page.source"), [w.table.get(f"origin.{r.source}", r.source) for r in rows]),
            (w.text("workbook.head.year"), [row.figure_year for row in rows]),
            (w.text("workbook.head.address"), [row.url for row in rows]),
            (w.text("workbook.head.note"), [row.note for row in rows]),
            (w.text("workbook.head.name"), [row.label for row in rows]),
        ]
        forms = {
            1: "#,##0.######",
            2: "#,##0.######",
            3: "#,##0.######",
            4: "#,##0.######",
            9: "whole",
        }
        return [Column(h, forms.get(k, "plain"), v) for k, (h, v) in enumerate(texts)]

    def _design(self) -> list[Column]:
        w, run = self.w, self.run
        head = w.text("workbook.head.run")
        drawn = run.tables.get("uncertainty", xr.Dataset()).get("input")
        if drawn is not None and drawn.size <= _MOST_CELLS:
            values = drawn.transpose("parameter", "draw")
            names = [str(n) for n in values["parameter"].values]
            numbers = list(range(values.sizes["draw"]))
            columns = [
                Column(w.parameter(n), "plain", v)
                for n, v in zip(names, values.values, strict=True)
            ]
            return [Column(head, "whole", numbers), *columns]
        levers = run.manifest.get("levers") or {}
        points = list(product(*levers.values()))
        columns = [
            Column(w.parameter(name), "rate" if name == RATE else "plain", values)
            for name, values in zip(levers, zip(*points, strict=True), strict=True)
        ]
        return [Column(head, "whole", list(range(len(points)))), *columns]

    def _about(self, sheet: Any) -> None:
        w, manifest = self.w, self.run.manifest
        self._title(sheet)
        changed = json.dumps(manifest["parameters"], ensure_ascii=False)
        versions = ", ".join(f"{k} {v}" for k, v in manifest["versions"].items())
        lines = [
            (w.text("page.setting"), self._place()),
            (w.text("page.policy"), self._policy()),
            (w.text("page.command"), manifest["command"]),
            (w.text("workbook.again"), f"kredslob reproduce {self.run.folder.name}"),
            (w.text("page.model_hash"), manifest["model sha256"]),
            (
                w.text("workbook.seed"),
                "" if manifest.get("seed") is None else str(manifest["seed"]),
            ),
            (w.text("workbook.created"), manifest["created"]),
            (w.text("workbook.engine"), f"{manifest.get('engine')}, {manifest.get('integration')}"),
            (w.text("page.versions"), versions),
            (w.text("page.changed"), changed),
            (w.text("workbook.numbers"), w.text("workbook.numbers_note")),
        ]
        if self._of_cycle():
            lines.append((w.text("workbook.price_level"), w.text("prices")))
            lines.append((w.text("page.limits"), w.text("page.limits_text")))
        wrapped = self._format(text_wrap=True, valign="top")
        for row, (label, text) in enumerate((x for x in lines if x[1]), start=3):
            sheet.write_string(row, 0, label, self._format(bold=True, valign="top"))
            sheet.write_string(row, 1, str(text), wrapped)
            # rows with wrapped text do not grow by themselves in every program
            sheet.set_row(row, 15 * max(1, math.ceil(len(str(text)) / 88)))
        sheet.set_column(0, 0, 36)
        sheet.set_column(1, 1, 90)
        self._page(sheet, landscape=True)

    # --- charts --------------------------------------------------------------------------------

    def _charts(self, sheet: Any, table: xr.Dataset) -> None:
        w = self.w
        first = 6 + sum(1 for _ in measures(table, w))
        rates = [float(r) for r in table[RATE].values]
        below = 0
        for chart in (
            self._over_time(rates, w.text("series.total cash"), w.text("figure.fund"), "money"),
            self._over_time(
                rates, w.text("workbook.citizens helped"), w.text("figure.helped"), "count"
            ),
            self._by_rate(table, rates),
            self._flow_chart(),
        ):
            if chart is not None:
                sheet.insert_chart(first + below, 0, chart, {"x_offset": 4, "object_position": 2})
                below += 19
        if below > 38:
            sheet.set_h_pagebreaks([first + 38])  # two charts under the table, the others on a page

    def _over_time(self, rates: Sequence[float], heading: str, title: str, what: str) -> Any:
        """A line for each rate over time, from the sheet of time series."""
        columns = self._times()
        headings = [c.heading for c in columns]
        found = next((k for k, h in enumerate(headings) if h.partition(" (")[0] == heading), None)
        if found is None or headings[0] != self.w.text("workbook.dim.reinvestment rate"):
            return None
        name = self._name("time")
        rows = len(columns[0].values) // len(rates)
        chart = self.book.add_chart({"type": "scatter", "subtype": "straight"})
        for number, rate in enumerate(rates):
            top, end = 1 + number * rows, (number + 1) * rows
            chart.add_series(
                {
                    "name": self.w.text("rate", rate=self.w.percent(rate)),
                    "categories": [name, top, 1, end, 1],
                    "values": [name, top, found, end, found],
                    "line": {"color": PALETTE[number % len(PALETTE)], "width": 2},
                }
            )
        form = MILLIONS if what == "money" else "#,##0"
        unit = self.w.text("figure.fund_y" if what == "money" else "figure.helped_y")
        last = float(self.run.runs["time"][-1])
        self._styled(chart, title, self.w.text("year"), unit, form)
        chart.set_x_axis(
            {
                "name": self.w.text("year"),
                "min": float(self.run.runs["time"][0]),
                "max": last,
                "num_format": "0",
                "major_gridlines": {"visible": False},
                "name_font": {"bold": False},
            }
        )
        return chart

    def _by_rate(self, table: xr.Dataset, rates: Sequence[float]) -> Any:
        """Columns by rate: the net saving of each purse."""
        labels = [label for label, _, _ in measures(table, self.w)]
        name = self._name("summary")
        chart = self.book.add_chart({"type": "column"})
        for number, purse in enumerate(map(str, table["Purse"].values)):
            row = 4 + labels.index(self.w.text("table.saving", purse=self.w.text(f"purse.{purse}")))
            chart.add_series(
                {
                    "name": self.w.element(purse),
                    "categories": [name, 3, 1, 3, len(rates)],
                    "values": [name, row, 1, row, len(rates)],
                    "fill": {"color": PALETTE[number % len(PALETTE)]},
                    "gap": 60,
                }
            )
        title, unit = self.w.text("workbook.saving_chart"), self.w.text("figure.fund_y")
        self._styled(chart, title, self.w.parameter(RATE), unit, MILLIONS)
        return chart

    def _flow_chart(self) -> Any:
        """Columns: what each purse gains year by year at the highest rate."""
        books = self.run.tables.get("accounts")
        if books is None:
            return None
        name, years = self._name("flows"), books.sizes["year"]
        parties = [str(p) for p in books["party"].values]
        last = (books.sizes[RATE] - 1) * len(parties) * years
        chart = self.book.add_chart({"type": "column"})
        for number, purse in enumerate(p for p in parties if p in _BY_PURSE):
            top = 1 + last + parties.index(purse) * years
            chart.add_series(
                {
                    "name": self.w.element(purse),
                    "categories": [name, top, 2, top + years - 1, 2],
                    "values": [name, top, 4, top + years - 1, 4],
                    "fill": {"color": PALETTE[number % len(PALETTE)]},
                    "gap": 40,
                }
            )
        rate = self.w.percent(float(books[RATE][-1]))
        title = self.w.text("workbook.flow_chart", rate=rate)
        self._styled(chart, title, self.w.text("year"), self.w.text("figure.books_y"), MILLIONS)
        chart.set_x_axis(
            {
                "name": self.w.text("year"),
                "interval_unit": 5,
                "interval_tick": 5,
                "num_format": "0",
                "label_position": "low",
                "name_font": {"bold": False},
            }
        )
        return chart

    def _styled(self, chart: Any, title: str, x: str, y: str, form: str) -> None:
        plain = {"bold": False, "color": _INK}
        chart.set_title(
            {
                "name": title,
                "name_font": {"size": 13, "bold": True, "color": _INK},
                "overlay": False,
            }
        )
        chart.set_x_axis(
            {"name": x, "num_format": "0%", "label_position": "low", "name_font": plain}
        )
        chart.set_y_axis(
            {
                "name": y,
                "num_format": form,
                "name_font": plain,
                "major_gridlines": {"visible": True, "line": {"color": "#d9d9d9", "width": 0.75}},
                "line": {"none": True},
            }
        )
        chart.set_legend({"position": "bottom"})
        chart.set_size({"width": 720, "height": 360})

    # --- cells ---------------------------------------------------------------------------------

    def _of_cycle(self) -> bool:
        return (self.run.folder / "model" / "parameters.csv").is_file()

    def _name(self, key: str) -> str:
        return self.w.text(f"workbook.sheet.{key}")

    def _sheet(self, key: str) -> Any:
        return self._named(self._name(key))

    def _named(self, name: str) -> Any:
        """A sheet by a name that Excel takes: 31 letters, none that it keeps for itself."""
        plain = "".join(" " if c in r"[]:*?/\'" else c for c in name)[:31].strip()
        taken = {s.get_name().lower() for s in self.book.worksheets()}
        number = 2
        found = plain or "-"
        while found.lower() in taken:
            found = f"{plain[:27]} {number}"
            number += 1
        return self.book.add_worksheet(found)

    def _title(self, sheet: Any) -> None:
        titles = self._titles()
        sheet.write_string(0, 0, titles[0], self._format(bold=True, font_size=16))
        sheet.write_string(1, 0, titles[1], self._format(font_color="#595959"))

    def _titles(self) -> tuple[str, str]:
        if not self._of_cycle():
            return str(self.run.manifest["model"]), str(self.run.manifest["command"])
        parts = (self._place(), self._policy())
        return self.w.text("page.title"), ": ".join(part for part in parts if part)

    def _place(self) -> str:
        name = str(self.run.manifest.get("setting", ""))
        return list_settings().get(name, {}).get(self.w.language, name)

    def _policy(self) -> str:
        name = str(self.run.manifest.get("scenario", ""))
        return list_scenarios().get(name, {}).get(self.w.language, name)

    def _table(self, sheet: Any, columns: Sequence[Column], *, filtered: int) -> None:
        """Write a table from the first row on: frozen heading, filter, widths and print set-up."""
        head = self._format(
            bold=True, bottom=1, text_wrap=True, valign="bottom", bg_color="#f4f7fa"
        )
        rows = max((len(c.values) for c in columns), default=0)
        for number, column in enumerate(columns):
            sheet.write_string(0, number, column.heading, head)
            shown = 0
            for row, value in enumerate(column.values, start=1):
                shown = max(shown, self._value(sheet, row, number, value, column.form))
            longest_word = max((len(word) for word in column.heading.split()), default=0)
            width = max(
                _NARROWEST, longest_word + 3, min(shown + 2, _WIDEST), 12 if shown > 4 else 0
            )
            sheet.set_column(number, number, min(width, _WIDEST))
        lines = max((math.ceil(len(c.heading) / 13) for c in columns), default=1)
        sheet.set_row(0, 15 * min(max(lines, 2), 6))
        sheet.freeze_panes(1, min(filtered, 3))
        if rows and columns:
            sheet.autofilter(0, 0, rows, len(columns) - 1)
        sheet.repeat_rows(0)
        self._page(sheet, landscape=True, whole=len(columns) <= _COLUMNS_A_PAGE)
        if len(columns) > _COLUMNS_A_PAGE:
            sheet.repeat_columns(0, max(filtered - 1, 0))
            sheet.set_print_scale(60)

    def _page(self, sheet: Any, *, landscape: bool, whole: bool = True) -> None:
        sheet.set_paper(9)  # A4
        if landscape:
            sheet.set_landscape()
        if whole:
            sheet.fit_to_pages(1, 0)
        sheet.set_footer("&L&8kredslob&C&8&A&R&8&P / &N")
        sheet.hide_gridlines(2)

    def _value(self, sheet: Any, row: int, column: int, value: Any, form: str) -> int:
        """Write a cell and return about how wide it is, in letters."""
        if isinstance(value, (bool, np.bool_)):
            text = self.w.text("yes" if value else "no")
            sheet.write_string(row, column, text, self._format(align="right"))
            return len(text)
        if value is None or isinstance(value, (int, float, np.integer, np.floating)):
            number = math.nan if value is None else float(value)
            pattern = FORMATS.get(form, form)
            if math.isinf(number):
                sheet.write_string(row, column, self.w.text("none"), self._format(align="right"))
                return 1
            if math.isnan(number):
                return 0
            self._number(sheet, row, column, number, self._format(num_format=pattern))
            digits = len(f"{abs(number):,.0f}") if "," in pattern else 6
            return digits + (4 if "." in pattern else 1)
        text = json.dumps(value) if isinstance(value, (list, dict)) else str(value)
        side = "left" if form == "plain" else "right"  # a word where numbers stand
        sheet.write_string(row, column, text, self._format(valign="top", align=side))
        return len(text)

    def _number(self, sheet: Any, row: int, column: int, value: float, form: Any) -> None:
        sheet.write_number(row, column, _Exact(value), form)

    def _format(self, **properties: Any) -> Any:
        key = tuple(sorted(properties.items()))
        if key not in self.formats:
            self.formats[key] = self.book.add_format({"font_name": "Calibri", **properties})
        return self.formats[key]
