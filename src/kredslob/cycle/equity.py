"""Who was helped, and who was left behind."""

from __future__ import annotations

import xarray as xr

from kredslob.cycle.needed import check_variables

CELLS = ("Group", "Need")
_NEEDED = (
    "Cumulated Lifted",
    "Cumulated Starts",
    "Cumulated Wellbeing Years",
    "counterfactual eligible",
    "yearly cost in crisis",
)
_UNITS = {
    "help": "person",
    "help over time": "person",
    "need": "person*year",
    "help per need": "1/year",
    "citizens lifted": "person",
    "wellbeing years": "wellbeing year",
}


def equity(runs: xr.Dataset) -> xr.Dataset:
    """Help against need, by group and need, and how it leans.

    Parameters
    ----------
    runs : Dataset
        A run or sweep of the reinvestment model.

    Returns
    -------
    Dataset
        Over Group and Need, for the whole run:

        * "help" (person): courses started; "help over time" (person): the same so far, over time;
        * "need" (person*year): see Notes;
        * "share of help" and "share of need" (Dmnl), each summing to one;
        * "help per need" (1/year): courses for each person-year of need;
        * "left behind" (true or false): the least help per need of all, where help per need
          differs; several cells if they are equal;
        * "citizens lifted" (person) and "wellbeing years" (wellbeing year).

        Over the whole:

        * "share of help to complex need" and "share of need that is complex" (Dmnl);
        * "complex ratio" (Dmnl), the former over the latter: below one, the easy are helped first;
        * "concentration index" (Dmnl), see `concentration_index`, with the yearly cost in crisis
          as severity.

        NaN where nobody was helped or nobody is in need. Dimensions of a sweep are kept.

    Raises
    ------
    ParameterError
        The run lacks a variable.

    Notes
    -----
    Need is "counterfactual eligible" summed over time: the citizens who could be reached if nobody
    were helped, since help can go to them only, and since need must not fall because help was
    given. A course is one unit of help, short or long.

    Examples
    --------
    >>> run = kredslob.load().run(reinvestment_rate=0.5, years=10)
    >>> fairness = kredslob.equity(run)
    >>> round(float(fairness["complex ratio"]), 2)
    1.15
    """
    check_variables("equity", runs, _NEEDED)
    end = runs[list(_NEEDED)].isel(time=-1, drop=True)
    helped = end["Cumulated Starts"]
    need = runs["counterfactual eligible"].integrate("time")
    share_of_help, share_of_need = _share(helped), _share(need)
    complex_help = share_of_help.sel(Need="complex", drop=True).sum("Group", skipna=False)
    complex_need = share_of_need.sel(Need="complex", drop=True).sum("Group", skipna=False)
    per_need = helped.where(helped.sum(CELLS) > 0) / need.where(need > 0)
    result = xr.Dataset(
        {
            "help": helped,
            "help over time": runs["Cumulated Starts"],
            "need": need,
            "share of help": share_of_help,
            "share of need": share_of_need,
            "help per need": per_need,
            "left behind": _least(per_need),
            "citizens lifted": end["Cumulated Lifted"],
            "wellbeing years": end["Cumulated Wellbeing Years"],
            "share of help to complex need": complex_help,
            "share of need that is complex": complex_need,
            "complex ratio": complex_help / complex_need.where(complex_need > 0),
            "concentration index": concentration_index(
                helped, need, severity=end["yearly cost in crisis"]
            ),
        }
    )
    for name, array in result.data_vars.items():
        array.attrs = {"units": _UNITS.get(str(name), "Dmnl"), "long_name": str(name)}
    result.attrs = {}
    return result


def concentration_index(
    help_: xr.DataArray, need: xr.DataArray, *, severity: xr.DataArray
) -> xr.DataArray:
    """Concentration of help among those in need, ranked from the mildest to the most severe.

    Parameters
    ----------
    help_ : DataArray
        Help given, over Group and Need (not negative).
    need : DataArray
        Those in need, over Group and Need (not negative).
    severity : DataArray
        What to rank by, over Group and Need. Equal severities share one rank.

    Returns
    -------
    DataArray
        Index (Dmnl), -1 to 1, over the other dimensions: positive where help goes to the severe, 0
        where each in need gets the same, negative where help goes to the mild. NaN without help or
        need.

    Notes
    -----
    O'Donnell, van Doorslaer, Wagstaff and Lindelow (2008), Analyzing Health Equity Using Household
    Survey Data, World Bank, chapter 8, for grouped data:

        C = 2 / mu * sum(f h R) - 1

    with the share f of those in need, help h for each in need, its mean mu, and the fractional
    rank R: the share of need that is milder, and half of the cell's own. As f h / mu is the
    cell's share of help, no mean is needed here.
    """
    return 2 * (_share(help_) * _rank(_share(need), severity)).sum(CELLS, skipna=False) - 1


def _share(amount: xr.DataArray) -> xr.DataArray:
    total = amount.sum(CELLS)
    return amount / total.where(total > 0)


def _rank(share_of_need: xr.DataArray, severity: xr.DataArray) -> xr.DataArray:
    others = {"Group": "other Group", "Need": "other Need"}
    other_need, other_severity = share_of_need.rename(others), severity.rename(others)
    weight = (other_severity < severity) + 0.5 * (other_severity == severity)
    return (weight * other_need).sum(list(others.values()), skipna=False)


def _least(per_need: xr.DataArray) -> xr.DataArray:
    least, most = per_need.min(CELLS), per_need.max(CELLS)
    close = 1e-9 * most  # equal, but for rounding
    return (per_need <= least + close) & (most - least > close)
