"""What a person gets wrong in a notebook: each mistake has one line that puts it right."""

# ruff: noqa: E501 - a message is one line, however long, and is to be read as a person meets it

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import kredslob

PREY = Path(__file__).parent / "models" / "predator_prey.mdl"
MISTAKES = r"""
# what is loaded
>>> kredslob.load("city")
InputFileError: city: found a name without an ending, expected one of .mdl, .xmile, .xml, .stmx, .itmx
>>> kredslob.load("nothere.mdl")
InputFileError: nothere.mdl: cannot be read (No such file or directory)
>>> kredslob.load("plan.xlsx")
InputFileError: plan.xlsx: found a '.xlsx' file, expected one of .mdl, .xmile, .xml, .stmx, .itmx
>>> kredslob.load(scenario)
ParameterError: path: found Scenario, expected the name of a model file
>>> kredslob.load(limits={"steps": 1000})
ParameterError: limits: found {'steps': 1000}, expected kredslob.Limits(...), such as Limits(steps=1000000)
>>> kredslob.load(allow="data")
ParameterError: allow: found 'data', expected a list of folders
>>> kredslob.Model(model)
ParameterError: path: found Model, expected the name of a model file
>>> kredslob.Limits(steps="many")
ParameterError: limits: found steps='many', expected a whole number above 0

# places and policies
>>> kredslob.load_scenario("Half")
ParameterError: there is no scenario 'Half'; expected one of agreement, all, complex-first, half, investment-accounting, need-driven, no-agreement, no-reinvestment, private-screened, private-unscreened, return-driven, running-cost, schedule, until-repaid, or a file that ends in .toml; did you mean 'half'?
>>> kredslob.load_scenario("municipality", "half")
ParameterError: 'half' is a scenario (a policy), expected the name of a setting
>>> kredslob.load_scenario("half", "kommune")
ParameterError: there is no setting 'kommune'; expected one of municipality, national, norrkoping, or a file that ends in .toml
>>> kredslob.load_scenario({"reinvestment rate": 0.5})
ParameterError: scenario: found {'reinvestment rate': 0.5}, expected a name or a .toml file
>>> kredslob.load_scenario(model)
ParameterError: scenario: found Model, expected a name or a .toml file
>>> kredslob.load_scenario(0.5)
ParameterError: scenario: found 0.5, expected a name or a .toml file
>>> kredslob.load_scenario("mine.toml")
InputFileError: mine.toml: does not exist
>>> scenario.with_parameters({"reinvestment rate": 50})
ParameterError: 'reinvestment rate': found 50, expected a number from 0 to 1
>>> scenario.with_parameters({"reinvestment rate": "0.5 kr"})
ParameterError: 'reinvestment rate': found 'kr', expected a share or a plain number, such as '35 %'
>>> scenario.with_parameters({"reinvestment_rate": 0.5})
ParameterError: 'reinvestment_rate': is no parameter of the model; did you mean 'reinvestment rate'?
>>> scenario.with_parameters({"cashing delay": {"helth": 2}})
ParameterError: 'cashing delay': found 'helth', expected one of health, justice, employment, social; did you mean 'health'?
>>> scenario.with_parameters({1: 0.5})
ParameterError: '1': is no parameter of the model
>>> scenario.with_parameters(["reinvestment rate"])
ParameterError: changes: found ['reinvestment rate'], expected a dict of names and values

# one run
>>> model.run("half")
ParameterError: scenario: found 'half', expected a dict of names and values, or what kredslob.load_scenario('half') gives
>>> model.run(model)
ParameterError: scenario: found Model, expected a dict of names and values, or what kredslob.load_scenario() gives
>>> model.run(["reinvestment rate"])
ParameterError: scenario: found ['reinvestment rate'], expected a dict of names and values, or what kredslob.load_scenario() gives
>>> model.run(run)
ParameterError: scenario: found Dataset, expected a dict of names and values, or what kredslob.load_scenario() gives
>>> model.run(reinvestment_rate=50)
ParameterError: 'reinvestment rate': found 50, expected a number from 0 to 1
>>> model.run(reinvestment_rate=-0.1)
ParameterError: 'reinvestment rate': found -0.1, expected a number from 0 to 1
>>> model.run({"cashing delay": -1})
ParameterError: 'cashing delay[health]': found -1, expected a number of at least 0 year
>>> model.run(reinvestment_rate="0.5")
ParameterError: 'reinvestment rate': found '0.5', expected numbers; a number stands without quotes
>>> model.run(reinvestment_rate="50 %")
ParameterError: 'reinvestment rate': found '50 %', expected numbers; a number stands without quotes
>>> model.run(reinvestment_rate=[0, 0.5, 1])
ParameterError: 'reinvestment rate': found [0, 0.5, 1], expected a single number; a list of them, one a run, is for run_many
>>> model.run(reinvestment_rate=None)
ParameterError: 'reinvestment rate': found None, expected finite numbers
>>> model.run(reinvestment_rat=0.5)
ParameterError: reinvestment.mdl has no constant 'reinvestment_rat'; did you mean 'reinvestment rate'?
>>> model.run({1: 0.5})
ParameterError: reinvestment.mdl has no constant '1'
>>> model.run({"cashing delay": {"helth": 2}})
ParameterError: 'cashing delay': 'helth' is no element of Administration (health, justice, employment, social); did you mean 'health'?
>>> model.run({"cashing delay": {"health": 2}})
ParameterError: 'cashing delay': no value for 'justice' of Administration; expected one for each of health, justice, employment, social
>>> model.run({"cashing delay[health]": 2})
ParameterError: 'cashing delay[health]': expected the name alone, with a dict of all elements of Administration as value, such as {'cashing delay': {'health': ..., ...}}
>>> model.run(years=-5)
ParameterError: years: found -5, expected a number above 0
>>> model.run(years="20")
ParameterError: years: found '20', expected a number above 0
>>> model.run(years=0)
ParameterError: years: found 0, expected a number above 0
>>> model.run(time_step=0)
ParameterError: time_step: found 0, expected a number above 0
>>> model.run(seed=1.5)
ParameterError: seed: found 1.5, expected a whole number from 0
>>> model.run(save="total cash")
ParameterError: save: found 'total cash', expected a list of names
>>> model.run(save=["total cas"])
ParameterError: reinvestment.mdl has no variable 'total cas' to save; did you mean 'total cash'?
>>> model.run(integration="rk5")
ParameterError: integration: found 'rk5', expected one of euler, rk4
>>> model.run(engine="vensim")
ParameterError: engine: found 'vensim', expected one of numba, pysd

# many runs
>>> model.run_many([])
ParameterError: a design needs at least one run
>>> model.run_many({})
ParameterError: a design needs the same number of runs for each variable, at least one; found no variable
>>> model.run_many(scenario)
ParameterError: design: found Scenario, expected a table, one dict a run, or a dict of names and lists of values
>>> model.run_many([0, 0.5, 1])
ParameterError: run 0: found 0, expected names and values, as a dict
>>> model.run_many({"reinvestment rate": [0, 50]})
ParameterError: 'reinvestment rate': found 50, expected a number from 0 to 1
>>> model.run_many({"reinvestment rate": ["0", "1"]})
ParameterError: 'reinvestment rate': found ['0', '1'], expected numbers
>>> model.run_many({"reinvestment rate": 0.5})
ParameterError: design: 'reinvestment rate': found 0.5, expected a list of values, one a run
>>> model.run_many({"reinvestment rate": [0, 1], "overhead share": [0.1]})
ParameterError: a design needs the same number of runs for each variable, at least one; found reinvestment rate: 2, overhead share: 1
>>> model.run_many(pd.DataFrame({"Rate": [0, 1]}))
ParameterError: reinvestment.mdl has no constant 'Rate'
>>> model.run_many({"cashing delay[helth]": [1, 2]})
ParameterError: 'cashing delay': 'helth' is no element of Administration (health, justice, employment, social); did you mean 'health'?
>>> model.run_many([{"reinvestment rate": 0}, {"reinvestment rat": 1}])
ParameterError: run 1: reinvestment.mdl has no constant 'reinvestment rat'; did you mean 'reinvestment rate'?
>>> model.run_many(rates, years=2, at=[10])
ParameterError: at: found 10, but the runs end at 2
>>> model.run_many(rates, summary="mean")
ParameterError: summary: found 'mean', expected a list of count, mean, variance, std, min, max, final, or a number from 0 to 1 for a quantile
>>> model.run_many(rates, summary=["average"])
ParameterError: summary: found 'average', expected count, mean, variance, std, min, max, final, or a number from 0 to 1 for a quantile
>>> model.run_many(rates, threads="all")
ParameterError: threads: found 'all', expected a whole number above 0
>>> model.run_many(rates, progress=True)
ParameterError: progress: found True, expected a function that takes (runs done, runs in all)

# sweeps
>>> kredslob.sweep(scenario, model)
ParameterError: model: found Scenario, expected what kredslob.load() gives
>>> kredslob.sweep(model, "half", rates)
ParameterError: scenario: found 'half', expected a dict of names and values, or what kredslob.load_scenario('half') gives
>>> kredslob.sweep(model, rates)
ParameterError: levers: found none, expected a list of numbers by name, such as {"birth rate": [0, 0.5, 1]}; the scenario comes before them
>>> kredslob.sweep(model, scenario, [0, 1])
ParameterError: levers: found list, expected a list of numbers by name, such as {"birth rate": [0, 0.5, 1]}
>>> kredslob.sweep(model, scenario, {"reinvestment rate": 0.5})
ParameterError: levers: 'reinvestment rate': found 0.5, expected a list of numbers by name, such as {"birth rate": [0, 0.5, 1]}
>>> kredslob.sweep(model, scenario, {"reinvestment rate": []})
ParameterError: a sweep needs at least one constant with at least one value
>>> kredslob.sweep(model, scenario, {"reinvestment rate": [0, 25, 50]})
ParameterError: 'reinvestment rate': found 25, expected a number from 0 to 1
>>> kredslob.sweep(model, scenario, {"rate": [0, 1]})
ParameterError: reinvestment.mdl has no constant 'rate'

# what came out
>>> kredslob.summary(model)
ParameterError: summary: found Model, expected the Dataset that a run or sweep gives
>>> kredslob.accounts("runs/mine")
ParameterError: accounts: found 'runs/mine', expected the Dataset that a run or sweep gives
>>> kredslob.equity(run["total cash"])
ParameterError: equity: found DataArray, expected the Dataset that a run or sweep gives
>>> kredslob.bookkeeping(part)
ParameterError: bookkeeping: the run has no 'Capitalised Investments'; save all variables of the reinvestment model
>>> kredslob.goals(run)
ParameterError: goals: found no dimension 'reinvestment rate', expected a sweep over it
>>> kredslob.summary(run.isel(time=-1))
ParameterError: summary: found values of one time, expected all times of the run
>>> kredslob.loop_gain(run, time=50)
ParameterError: loop gain: found time 50, expected 0 to 2
>>> kredslob.loop_gain(run, time="last")
ParameterError: loop gain: found time 'last', expected 0 to 2
>>> kredslob.critical_rate(tanks.run())
ParameterError: critical rate: the run has no 'Counterfactual Crisis'; save all variables of the reinvestment model

# files
>>> kredslob.load_run("nothere")
InputFileError: nothere: does not exist, expected the folder of a saved run
>>> kredslob.load_run("used")
InputFileError: used: holds no run that can be read (used/manifest.json: cannot be read (No such file or directory))
>>> kredslob.load_run(run)
ParameterError: folder: found Dataset, expected the name of a run's folder
>>> kredslob.save_run("mine", run)
ParameterError: runs: found 'mine', expected the Dataset that Model.run gives
>>> kredslob.save_run(kredslob.summary(run), "mine")
ParameterError: runs: found a Dataset without the times or attributes of a run, expected the Dataset that Model.run gives
>>> kredslob.save_run(run, "used")
InputFileError: used: is in use; give an empty or new folder
>>> kredslob.load_search("nothere.nc")
InputFileError: nothere.nc: does not exist
>>> kredslob.load_search("notes.txt")
InputFileError: notes.txt: holds no results that can be read; it is damaged or no netCDF file
>>> kredslob.load_search(run)
ParameterError: path: found Dataset, expected the name of a file
>>> kredslob.save_search("mine.nc", run)
ParameterError: results: found 'mine.nc', expected the Dataset that kredslob.search gives
>>> kredslob.save_search(run, "mine.nc")
ParameterError: results: found a Dataset without 'policy', expected the Dataset that kredslob.search gives

# draws
>>> kredslob.uncertainty(scenario, model)
ParameterError: model: found Scenario, expected what kredslob.load() gives
>>> kredslob.uncertainty("municipality")
ParameterError: model: found 'municipality', expected what kredslob.load() gives
>>> kredslob.uncertainty(model, "half")
ParameterError: scenario: found 'half', expected a dict of names and values, or what kredslob.load_scenario('half') gives
>>> kredslob.uncertainty(tanks)
ParameterError: model: found tanks.mdl, which has no constant 'reinvestment rate'; expected the reinvestment model, which kredslob.load() gives
>>> kredslob.uncertainty(model, scenario, draws=0)
ParameterError: draws: found 0, expected a whole number from 20
>>> kredslob.uncertainty(model, scenario, draws="100")
ParameterError: draws: found '100', expected a whole number from 20
>>> kredslob.uncertainty(model, scenario, rates=[50])
ParameterError: rates: found [50], expected a list of numbers from 0 to 1, each once; 50 percent is 0.5
>>> kredslob.uncertainty(model, scenario, rates=0.5)
ParameterError: rates: found 0.5, expected a list of numbers from 0 to 1, each once; 50 percent is 0.5
>>> kredslob.uncertainty(model, scenario, years=-10)
ParameterError: years: found -10, expected a whole number from 1 to 70
>>> kredslob.uncertainty(model, scenario, years=2.5)
ParameterError: years: found 2.5, expected a whole number from 1 to 70
>>> kredslob.uncertainty(model, scenario, structures={"prevention": 0.5})
ParameterError: structures: found 'prevention', expected one of switch prevention, switch remaining are harder, switch capacity limits, switch investor behaviour, switch support erosion, switch learning, switch documentation; did you mean 'switch prevention'?
>>> kredslob.uncertainty(model, scenario, structures=["switch prevention"])
ParameterError: structures: found ['switch prevention'], expected chances by name, such as {'switch prevention': 0.5}
>>> kredslob.uncertainty(model, scenario, correlations={"overhead share": 0.5})
ParameterError: correlations: found {'overhead share': 0.5}, expected a dict by pairs of names, such as {('birth rate', 'death rate'): 0.5}
>>> kredslob.by_structure(run)
ParameterError: results: found a Dataset without 'parameter', expected the Dataset that kredslob.uncertainty gives
>>> kredslob.critical_bracket(scenario)
ParameterError: model: found Scenario, expected what kredslob.load() gives
>>> kredslob.critical_bracket(model, scenario, years="10")
ParameterError: years: found '10', expected a number above 0
>>> kredslob.critical_rate_uncertainty(model, scenario, draws=-1)
ParameterError: draws: found -1, expected a whole number from 2
>>> kredslob.sustaining_regions(model, "half")
ParameterError: scenario: found 'half', expected a dict of names and values, or what kredslob.load_scenario('half') gives

# which inputs matter
>>> kredslob.Factor("overhead share", 0.2, 0.05)
ParameterError: 'overhead share': found low 0.2 and high 0.05, expected finite numbers with low below high
>>> kredslob.Factor("overhead share", "5 %", "20 %")
ParameterError: 'overhead share': low: found '5 %', expected a number
>>> kredslob.Factor("overhead share", 0.05, 0.2, "normal")
ParameterError: 'overhead share': found distribution 'normal', expected one of uniform, triangular, switch
>>> kredslob.Factor(0.05, 0.2, 0.1)
ParameterError: factor: found 0.05, expected the name of a constant
>>> kredslob.factors_of(["overhead share"])
ParameterError: ranges: found ['overhead share'], expected a dict by name, such as {'birth rate': (0.1, 0.5)}
>>> kredslob.factors_of({"overhead share": 0.1})
ParameterError: ranges: 'overhead share': found 0.1, expected (low, high) or (low, mode, high)
>>> kredslob.sample(100, factors)
ParameterError: factors: found 100, expected a list of Factor, such as [Factor('birth rate', 0.1, 0.5)]
>>> kredslob.sample(["overhead share"], 100)
ParameterError: factors: found 'overhead share', expected a list of Factor, such as [Factor('birth rate', 0.1, 0.5)]
>>> kredslob.sample(factors, 0)
ParameterError: draws: found 0, expected a whole number from 1
>>> kredslob.sample(factors, 100, method="sobol")
ParameterError: draws: found 100, expected a power of 2 for Sobol's sequence
>>> kredslob.sample(factors, 10, correlations={("overhead share", "rate"): 0.5})
ParameterError: correlation: 'rate' is no factor of this sample
>>> kredslob.at_end()
ParameterError: names: found (), expected names one by one, such as at_end('births', 'deaths')
>>> kredslob.at_end(["total cash"])
ParameterError: names: found ['total cash'], expected names one by one, such as at_end('births', 'deaths')
>>> kredslob.over_time("total cash", times=10)
ParameterError: times: found 10, expected a list of times
>>> kredslob.only(run, "total cash")
ParameterError: outcomes: found Dataset, expected what is asked of a run, such as kredslob.at_end('total population')
>>> kredslob.evaluate(model, factors, asked)
ParameterError: design: found list of Factor, expected a Dataset over run, such as kredslob.sample gives
>>> kredslob.evaluate(model, draws, "total cash")
ParameterError: outcomes: found 'total cash', expected what is asked of a run, such as kredslob.at_end('total population')
>>> kredslob.morris("reinvestment.mdl", factors, asked)
ParameterError: model: found 'reinvestment.mdl', expected what kredslob.load('reinvestment.mdl') gives
>>> kredslob.morris(model, ["overhead share"], asked)
ParameterError: factors: found 'overhead share', expected a list of Factor, such as [Factor('birth rate', 0.1, 0.5)]
>>> kredslob.morris(model, factors[0], asked)
ParameterError: factors: found Factor, expected a list of Factor, such as [Factor('birth rate', 0.1, 0.5)]
>>> kredslob.morris(model, factors, "total cash")
ParameterError: outcomes: found 'total cash', expected what is asked of a run, such as kredslob.at_end('total population')
>>> kredslob.morris(model, asked, factors)
ParameterError: outcomes: found list of Factor, expected what is asked of a run, such as kredslob.at_end('total population')
>>> kredslob.morris(model, factors, scenario, asked)
ParameterError: outcomes: found Scenario, expected what is asked of a run, such as kredslob.at_end('total population')
>>> kredslob.morris(model, factors, asked, trajectories=0)
ParameterError: trajectories: found 0, expected a whole number from 4
>>> kredslob.sobol(model, factors, asked, samples=100)
ParameterError: samples: found 100, expected a power of 2
>>> kredslob.pawn(model, factors, asked, samples="2000")
ParameterError: samples: found '2000', expected a whole number from 100
>>> kredslob.one_at_a_time(model, [kredslob.Factor("overhead shar", 0, 0.1)], asked)
ParameterError: reinvestment.mdl has no variable 'overhead shar' to save; did you mean 'overhead share'?
>>> kredslob.morris(model, factors, kredslob.at_end("total cas"))
ParameterError: reinvestment.mdl has no variable 'total cas' to save; did you mean 'total cash'?
>>> kredslob.strongest(run, 3)
ParameterError: results: found a Dataset without 'factor', expected the Dataset that kredslob.morris, sobol, pawn or one_at_a_time gives
>>> kredslob.strongest(screened, "total cash")
ParameterError: k: found 'total cash', expected a whole number from 1
>>> kredslob.strongest(screened, 2, "total cas")
ParameterError: found no outcome 'total cas', expected one of total cash, total spending; did you mean 'total cash'?
>>> kredslob.prim(model, run["total cash"] > 0, factors)
ParameterError: runs: found Model, expected the Dataset that kredslob.evaluate gives
>>> kredslob.prim(evaluated, evaluated["total cash"], factors)
ParameterError: cases: found float64 over (run: 8), expected yes or no (bool) for each run, such as runs['total population'] > 1000
>>> kredslob.prim(evaluated, "total cash", factors)
ParameterError: cases: found 'total cash', expected yes or no (bool) for each run, such as runs['total population'] > 1000
>>> kredslob.cart(evaluated, evaluated["total cash"] > 1e12, factors)
ParameterError: cases: 0 of 8 runs; some must be and some not
>>> kredslob.hinge_study(model, scenario, outcomes="loop gain")
ParameterError: outcomes: found 'loop gain', expected a list of names
>>> kredslob.hinge_study(model, scenario, outcomes=["citizen helped"])
ParameterError: found no outcome 'citizen helped', expected one of fund at the end, citizens helped, complex need helped, wellbeing years, relief in all, payback year, late coverage, loop gain, carries itself, relief of municipality, relief of region, relief of state, net present value of fund, net present value of municipality, net present value of region, net present value of state, net present value of public purse, net present value of investors, net present value of society, net present value of society with wellbeing; did you mean 'citizens helped'?
>>> kredslob.hinge_study(tanks, scenario)
ParameterError: model: found tanks.mdl, which has no constant 'reinvestment rate'; expected the reinvestment model, which kredslob.load() gives

# policies
>>> kredslob.evaluate_policies(model, ["half", "all"], draws, asked)
ParameterError: policies: found ['half', 'all'], expected a dict by name, such as {'half': kredslob.load_scenario('half')}
>>> kredslob.evaluate_policies(model, {"half": "half"}, draws, asked)
ParameterError: policies: 'half': scenario: found 'half', expected a dict of names and values, or what kredslob.load_scenario('half') gives
>>> kredslob.evaluate_policies(model, policies, 100, asked)
ParameterError: draws: found 100, expected a Dataset over run, such as kredslob.sample gives
>>> kredslob.robustness(run, "total cash", larger_is_better=True, thresholds=enough)
ParameterError: results: found a Dataset without 'policy', expected the Dataset that kredslob.evaluate_policies gives
>>> kredslob.robustness(judged, "total cas", larger_is_better=True, thresholds=enough)
ParameterError: outcome: found 'total cas', expected one of total cash, total spending; did you mean 'total cash'?
>>> kredslob.robustness(judged, "total cash", larger_is_better=True, thresholds={"total cash": 1e6})
ParameterError: thresholds: 'total cash': found 1000000, expected (low, high), with None for no bound
>>> kredslob.search(model, ["reinvestment rate"], objectives, asked)
ParameterError: levers: found ['reinvestment rate'], expected a dict by name, such as {'birth rate': (0.1, 0.5)}
>>> kredslob.search(model, {"reinvestment rate": 0.5}, objectives, asked)
ParameterError: levers: 'reinvestment rate': found 0.5, expected (low, high)
>>> kredslob.search(model, levers, ["total cash", "total spending"], asked)
ParameterError: objectives: found 'total cash', expected a list of Objective, such as [Objective('cost', False)]
>>> kredslob.search(model, levers, objectives, asked, population=0)
ParameterError: population: found 0, expected a whole number from 4
>>> kredslob.search(model, levers, objectives, asked, seeds=1)
ParameterError: seeds: found 1, expected a list of different whole numbers from 0
>>> kredslob.search(model, levers, objectives, asked, draws=100)
ParameterError: draws: found 100, expected a Dataset over run, such as kredslob.sample gives
>>> kredslob.Objective("total cash", quantile=5)
ParameterError: 'total cash': quantile: found 5, expected a number from 0 to 1
>>> kredslob.Objective("total cash", "smaller")
ParameterError: 'total cash': larger_is_better: found 'smaller', expected True or False
>>> kredslob.within(run, levers)
ParameterError: policies: found a Dataset without 'policy', expected the Dataset that kredslob.search gives
>>> kredslob.policy_study(model, {"reinvestment rate": 0.5})
ParameterError: scenario: found {'reinvestment rate': 0.5}, expected what kredslob.load_scenario() gives
>>> kredslob.policy_study(model, scenario, draws=100)
ParameterError: draws: found 100, expected a power of 2 from 16
>>> kredslob.policy_study(model, scenario, candidates=["half"])
ParameterError: candidates: found ['half'], expected a dict by name, such as {'half': kredslob.load_scenario('half')}
>>> kredslob.policy_study(model, scenario, thresholds={"citizens helped": 90})
ParameterError: thresholds: 'citizens helped': found 90, expected (low, high), with None for no bound

# data
>>> kredslob.calibrate("tanks.mdl", seen, ranges)
ParameterError: model: found 'tanks.mdl', expected what kredslob.load('tanks.mdl') gives
>>> kredslob.calibrate(tanks, [1, 2, 3], ranges)
ParameterError: observed: found [1, 2, 3], expected a Series or DataFrame with times as index, named as variables of the model
>>> kredslob.calibrate(tanks, "seen.csv", ranges)
ParameterError: observed: found 'seen.csv', expected a Series or DataFrame with times as index, named as variables of the model
>>> kredslob.calibrate(tanks, pd.DataFrame({"Tank": [1.0, 2, 3]}), ranges)
ParameterError: observed 'Tank': tanks.mdl has no constant 'Tank'
>>> kredslob.calibrate(tanks, seen, {"time constan": (1, 9)})
ParameterError: tanks.mdl has no constant 'time constan'; did you mean 'time constant'?
>>> kredslob.calibrate(tanks, seen, {"time constant": 5})
ParameterError: ranges: 'time constant': found 5, expected (low, high)
>>> kredslob.calibrate(tanks, seen, ["time constant"])
ParameterError: ranges: found ['time constant'], expected a dict by name, such as {'birth rate': (0.1, 0.5)}
>>> kredslob.posterior(tanks, seen, ranges, steps="many")
ParameterError: steps: found 'many', expected a whole number from 20

# feedback
>>> kredslob.causal_graph("tanks.mdl")
ParameterError: model: found 'tanks.mdl', expected what kredslob.load('tanks.mdl') gives
>>> kredslob.Feedback(scenario)
ParameterError: model: found Scenario, expected what kredslob.load() gives
>>> kredslob.find_loops(tanks)
ParameterError: graph: found Model, expected what kredslob.causal_graph(model) gives
>>> kredslob.independent_loops("graph.graphml")
ParameterError: graph: found 'graph.graphml', expected what kredslob.causal_graph(model) gives
>>> kredslob.write_graph("graph.graphml", graph)
ParameterError: graph: found 'graph.graphml', expected what kredslob.causal_graph(model) gives
>>> kredslob.write_graph(graph, "graph.png")
ParameterError: path: found 'graph.png', expected a name that ends in one of .graphml, .gexf, .json, .dot, .mmd
>>> kredslob.loop_scores(model)
ParameterError: scenario: found Model, expected a dict of names and values, or what kredslob.load_scenario() gives
>>> kredslob.loop_scores(scenario, feedback=model)
ParameterError: feedback: found Model, expected kredslob.Feedback(model)
>>> kredslob.path_score(scores, "Predator", "Pray")
ParameterError: path: no link from 'Predator' to 'Pray' lies on a loop; did you mean 'Prey'?
>>> kredslob.path_score(run, "Prey", "Predator")
ParameterError: scores: found a Dataset without 'source', expected the Dataset that kredslob.Feedback(model).scores gives
>>> kredslob.dominance(scores)
ParameterError: shares: found Dataset, expected a DataArray over loop and time, such as scores['relative score'] where scores = kredslob.Feedback(model).scores()
>>> kredslob.linearise(prey, time="end")
ParameterError: time: found 'end', expected a number
>>> kredslob.loop_elasticities(run)
ParameterError: linear: found a Dataset without 'mode', expected the Dataset that kredslob.linearise gives

# checks and pages
>>> kredslob.check_model("tanks.mdl")
ParameterError: model: found 'tanks.mdl', expected what kredslob.load('tanks.mdl') gives
>>> kredslob.check_model(tanks, "half")
ParameterError: scenario: found 'half', expected a dict of names and values, or what kredslob.load_scenario('half') gives
>>> kredslob.verify(scenario)
ParameterError: model: found Scenario, expected what kredslob.load() gives
>>> kredslob.explore(scenario)
ParameterError: model: found Scenario, expected what kredslob.load() gives
>>> kredslob.explore(tanks, levers=["time constan"])
ParameterError: levers: tanks.mdl has no variable 'time constan'; did you mean 'time constant'?
>>> kredslob.explore(tanks, levers={"time constant": 5})
ParameterError: levers: 'time constant': found 5, expected (low, high)
>>> kredslob.explore(tanks, shown="Water")
ParameterError: shown: found 'Water', expected a list of names
>>> kredslob.explore(tanks, language="dk")
ParameterError: found language 'dk', expected one of da, en
>>> kredslob.workshop("dansk")
ParameterError: found language 'dansk', expected one of da, en
>>> kredslob.workshop("da", "half")
ParameterError: 'half' is a scenario (a policy), expected the name of a setting
>>> kredslob.workshop("da", scenarios="half")
ParameterError: scenarios: found 'half', expected a list of .toml files
>>> kredslob.workshop("da", scenarios=[scenario])
ParameterError: scenario: found Scenario, expected a name or a .toml file
>>> kredslob.write_workshop("en")
ParameterError: path: found 'en', expected a name that ends in .html
>>> kredslob.write_workshop("workshop.pdf")
ParameterError: path: found 'workshop.pdf', expected a name that ends in .html
"""
CELLS = re.findall(r"^>>> (.+)\n(.+)$", MISTAKES, re.MULTILINE)


@pytest.fixture(scope="module")
def names(model: kredslob.Model, tanks: kredslob.Model) -> Mapping[str, Any]:
    """What has been made in the cells above."""
    prey = kredslob.load(PREY)
    rate, cash = "reinvestment rate", "total cash"
    factors = kredslob.factors_of({"overhead share": (0.05, 0.2), "evaluation share": (0, 0.1)})
    asked = kredslob.at_end(cash, "total spending")
    draws = kredslob.sample(factors, 8)
    policies: dict[str, dict[str, float]] = {"half": {rate: 0.5}, "all": {rate: 1}}
    return {
        "kredslob": kredslob,
        "pd": pd,
        "model": model,
        "tanks": tanks,
        "prey": prey,
        "scenario": kredslob.load_scenario("half"),
        "run": model.run(years=2),
        "part": model.run(years=1, save=[cash]),
        "rates": {rate: [0, 1]},
        "levers": {rate: (0, 1)},
        "factors": factors,
        "asked": asked,
        "draws": draws,
        "evaluated": kredslob.evaluate(model, draws, asked, years=1),
        "screened": kredslob.morris(model, factors, asked, trajectories=4, years=1),
        "policies": policies,
        "judged": kredslob.evaluate_policies(model, policies, draws, asked, years=1),
        "enough": {cash: (1e6, None)},
        "objectives": [
            kredslob.Objective(cash),
            kredslob.Objective("total spending", larger_is_better=False),
        ],
        "seen": pd.DataFrame({"outflow[left]": [0.2, 0.5, 0.8]}, index=[0.0, 1, 2]),
        "ranges": {"time constant": (1, 9)},
        "graph": kredslob.causal_graph(prey),
        "scores": kredslob.Feedback(prey).scores(years=5),
    }


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plan.xlsx").write_bytes(b"PK\x03\x04")
    (tmp_path / "notes.txt").write_text("births = 3")
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "mine").touch()
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("cell", "said"), CELLS, ids=[cell for cell, _ in CELLS])
def test_a_mistake_in_a_cell_gets_one_line_that_helps(
    names: Mapping[str, Any], cell: str, said: str
) -> None:
    with pytest.raises(kredslob.KredslobError) as problem:
        eval(cell, dict(names))
    assert f"{type(problem.value).__name__}: {problem.value}" == said
    assert sorted(path.name for path in Path().iterdir()) == ["notes.txt", "plan.xlsx", "used"]


def test_every_mistake_is_looked_at() -> None:
    assert len(CELLS) == MISTAKES.count(">>> ")


def test_who_means_to_leave_the_bounds_says_so(model: kredslob.Model) -> None:
    for free in (model.without_bounds(), kredslob.load(model.file.path)):
        run = free.run(reinvestment_rate=2, years=1)
        assert float(run["reinvestment rate in force"].max()) == 2
    assert model.bounds


def test_bounds_are_those_of_the_parameter_table(model: kredslob.Model) -> None:
    low, high = model.bounds["overhead share"]
    assert (float(low), float(high)) == (0, 0.5)
    lowest, highest = model.bounds["cashing delay"]
    assert lowest.shape == highest.shape == (len(model.subscripts["Administration"]),)
