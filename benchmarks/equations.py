"""The reinvestment model in whole-array form, for NumPy and JAX alike.

Written from models/reinvestment/reinvestment.mdl, equation by equation, in the order in which they
can be computed. What is constant in a run is computed once (`fixed`), what moves once a step
(`rates`). Subscript axes are group (g), need (n), administration (a), purse (p) and capital (c).
A `Layout` says where the run axis is, so that the same text serves runs last, runs first, and one
run alone (JAX adds the runs by vmap).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

SMALL = 1e-6  # what Vensim takes for zero in XIDZ and ZIDZ
FAMILIES = 0
PRIVATE = 2

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Layout:
    """An array library and the place of the run axis.

    Parameters
    ----------
    xp : module
        numpy or jax.numpy.
    runs : str
        'last', 'first' or 'none'.
    """

    xp: Any
    runs: str

    def _axis(self, axis: int, of: int) -> int:
        """Position of a subscript axis, counted from the side where no run axis is."""
        return axis - of if self.runs == "first" else axis

    def row(self, x: Any) -> Any:
        """Make room for a second subscript: (g) -> (g, 1)."""
        return x[..., :, None] if self.runs == "first" else x[:, None]

    def col(self, x: Any) -> Any:
        """Make room for a first subscript: (n) -> (1, n)."""
        return x[..., None, :] if self.runs == "first" else x[None]

    def mid(self, x: Any) -> Any:
        """Make room for the need: (g, a) -> (g, 1, a)."""
        return x[..., :, None, :] if self.runs == "first" else x[:, None]

    def lead(self, x: Any) -> Any:
        """Make room for the group: (n, a) -> (1, n, a)."""
        return x[..., None, :, :] if self.runs == "first" else x[None]

    def one(self, x: Any) -> Any:
        """Make room for one subscript beside a value that differs by run only."""
        return x[..., None] if self.runs == "first" and getattr(x, "ndim", 0) else x

    def two(self, x: Any) -> Any:
        """Make room for two subscripts beside a value that differs by run only."""
        return x[..., None, None] if self.runs == "first" and getattr(x, "ndim", 0) else x

    def third(self, x: Any) -> Any:
        """Make room for the administration: (g, n) -> (g, n, 1)."""
        return x[..., None] if self.runs == "first" else x[:, :, None]

    def sum1(self, x: Any) -> Any:
        """Sum of (c) over its only subscript."""
        return x.sum(axis=self._axis(0, 1))

    def sum2(self, x: Any) -> Any:
        """Sum of (g, n) over both subscripts."""
        return x.sum(axis=(self._axis(0, 2), self._axis(1, 2)))

    def sum_second(self, x: Any) -> Any:
        """Sum of (g, n) over n; two terms, so written out."""
        return x[..., 0] + x[..., 1] if self.runs == "first" else x[:, 0] + x[:, 1]

    def sum_first(self, x: Any) -> Any:
        """Sum of (c, p) over c."""
        return x.sum(axis=self._axis(0, 2))

    def sum_gn(self, x: Any) -> Any:
        """Sum of (g, n, a) over g and n."""
        return x.sum(axis=(self._axis(0, 3), self._axis(1, 3)))

    def sum_a(self, x: Any) -> Any:
        """Sum of (g, n, a) over a."""
        return x.sum(axis=self._axis(2, 3))

    def pick(self, x: Any, index: int) -> Any:
        """One element of a variable with one subscript."""
        return x[..., index] if self.runs == "first" else x[index]


def _xidz(xp: Any, numerator: Any, denominator: Any, otherwise: Any) -> Any:
    return xp.where(xp.abs(denominator) < SMALL, otherwise, numerator / denominator)


def fixed(lay: Layout, c: Values, dt: float) -> SimpleNamespace:
    """Whatever does not change within a run.

    Parameters
    ----------
    lay : Layout
        Where the runs are.
    c : mapping of str to array
        Constants by their name in the file.
    dt : float
        Time step, years.

    Returns
    -------
    SimpleNamespace
        The constants with ``_`` for blanks, and what follows from them.
    """
    xp, row, col, two = lay.xp, lay.row, lay.col, lay.two
    k = SimpleNamespace(**{name.replace(" ", "_"): value for name, value in c.items()})
    k.exit, k.setback = row(k.yearly_exit), row(k.yearly_setback)
    k.worse = row(k.yearly_worsening) * col(k.worsening_factor)
    k.ease = row(k.yearly_easing) * col(k.recovery_factor)
    k.recover = row(k.yearly_recovery) * col(k.recovery_factor)
    k.strained0 = k.citizens_at_start / (1 + _xidz(xp, k.worse, k.ease + k.exit, 0.0))
    k.crisis0 = k.citizens_at_start - k.strained0
    k.thriving0 = k.strained0 * _xidz(xp, k.recover, k.setback + k.exit, 0.0)
    k.new0 = k.exit * (k.thriving0 + k.strained0 + k.crisis0)

    k.reach_s, k.reach_c = two(k.reachable_share_of_strained), two(k.reachable_share_of_crisis)
    k.price = k.course_price_at_normal_intensity * row(k.intensity)
    deadweight = 1 - xp.exp(-k.recover * two(k.follow_up_time))
    k.deadweight = deadweight
    k.added = (
        two(k.optimism_correction)
        * _xidz(xp, k.success_with_help - deadweight, 1 - deadweight, 0.0)
        * row(k.intensity ** lay.one(k.intensity_elasticity))
    )
    cost = (
        lay.lead(k.need_use_factor)
        * lay.mid(k.use_in_crisis)
        * lay.mid(k.unit_cost)
        * col(col(k.cashable_share))
    )
    in_crisis = lay.sum_a(cost)
    when_strained = lay.sum_a(cost * col(col(k.use_when_strained)))
    when_stable = lay.sum_a(cost * col(col(k.use_when_newly_stable)))
    weight_s, weight_c = k.reach_s * k.strained0, k.reach_c * k.crisis0
    of_eligible = _xidz(
        xp, weight_s * when_strained + weight_c * in_crisis, weight_s + weight_c, 0.0
    )
    k.fade = k.recover + k.setback + k.exit
    years = 1 / (k.fade + 1 / two(k.recognition_horizon))
    k.worth = k.completion_share * (of_eligible - when_stable) * years / k.price
    k.length = xp.maximum(k.course_length, 2 * dt)
    k.priority = row(k.group_priority)
    k.complex = col(k.is_complex)

    k.use_cost = lay.lead(k.need_use_factor) * lay.mid(k.use_in_crisis) * lay.mid(k.unit_cost)
    k.use_s, k.use_n = col(col(k.use_when_strained)), col(col(k.use_when_newly_stable))
    k.cashing = xp.maximum(k.cashing_delay, dt)
    k.pledge = xp.where(
        lay.one(k.wrong_pocket_agreement) == 1,
        k.pledged_share_with_agreement,
        k.pledged_share_without_agreement,
    )
    k.course_share = xp.maximum(0, 1 - k.overhead_share - k.evaluation_share)
    k.spend_time = xp.maximum(k.disbursement_time, dt)
    k.admitted = 1 - k.is_private * lay.one(1 - k.admitted_share)
    k.capital0 = k.capital_at_start * k.admitted
    k.settling = xp.maximum(k.settlement_time, dt)
    k.required = k.cap_on_multiple / k.investor_term
    k.half_spending = k.evaluation_spending_for_half_effect
    k.documentation_gain = k.switch_documentation * (
        k.highest_identified_share - k.identified_share_at_start
    )
    return k


def initial(lay: Layout, k: SimpleNamespace) -> dict[str, Any]:
    """Stocks at the start, by name; those that start at zero as a plain 0."""
    return {
        "Thriving": k.thriving0,
        "Strained": k.strained0,
        "Crisis": k.crisis0,
        "Counterfactual Thriving": k.thriving0,
        "Counterfactual Strained": k.strained0,
        "Counterfactual Crisis": k.crisis0,
        "Delivery Capacity": k.delivery_capacity_at_start,
        "Fund Cash": k.capital0,
        "Cumulated Paid In": k.capital0,
        "Investor Principal Outstanding": lay.pick(k.capital0, PRIVATE),
        "Budget Owner Support": lay.one(k.support_at_start),
        "Documentation Capability": k.identified_share_at_start,
        "inherited crisis reduction": 0.0,  # the counterfactual starts where the model does
        "seen yearly payment": k.required,
    }


def rates(
    lay: Layout, k: SimpleNamespace, s: Values, t: Any, past_term: Any, schedule: Any, dt: float
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Net flow of each stock, and what else is saved.

    Parameters
    ----------
    lay : Layout
        Where the runs are.
    k : SimpleNamespace
        From `fixed`.
    s : mapping of str to array
        Stocks by name, and the two smooths.
    t : float
        Time, years.
    past_term : array
        Claims that are older than the investors' term.
    schedule : float
        The reinvestment rate of the schedule now.
    dt : float
        Time step, years.

    Returns
    -------
    tuple of dict
        Net flows by name of the stock, and auxiliaries by name.
    """
    xp, row, one, two = lay.xp, lay.row, lay.one, lay.two
    pick, sum1, sum2, sum_second = lay.pick, lay.sum1, lay.sum2, lay.sum_second
    thriving, strained, crisis = s["Thriving"], s["Strained"], s["Crisis"]
    cf_thriving = s["Counterfactual Thriving"]
    cf_strained, cf_crisis = s["Counterfactual Strained"], s["Counterfactual Crisis"]
    helped_s, helped_c = s["Strained In Intervention"], s["Crisis In Intervention"]
    stable, capacity, cash = s["Newly Stable"], s["Delivery Capacity"], s["Fund Cash"]

    # Citizens
    reduction = 1 - _xidz(xp, sum_second(crisis + helped_c), sum_second(cf_crisis), 1.0)
    inherited = s["inherited crisis reduction"]
    prevented = one(k.switch_prevention) * xp.minimum(
        1, k.spread_share * reduction + k.inherited_share * one(inherited)
    )
    cf_new = k.new0 * two(xp.exp(k.new_cases_trend * t))
    new = cf_new * (1 - row(prevented))
    worsening, easing, recovery = strained * k.worse, crisis * k.ease, strained * k.recover
    setback = thriving * k.setback
    left_t, left_s, left_c = thriving * k.exit, strained * k.exit, crisis * k.exit
    cf_worsening, cf_easing = cf_strained * k.worse, cf_crisis * k.ease
    cf_recovery, cf_setback = cf_strained * k.recover, cf_thriving * k.setback
    cf_left_t = cf_thriving * k.exit
    cf_left_s, cf_left_c = cf_strained * k.exit, cf_crisis * k.exit

    # Interventions
    reached_s, reached_c = strained * k.reach_s, crisis * k.reach_c
    eligible = reached_s + reached_c
    cf_eligible = cf_strained * k.reach_s + cf_crisis * k.reach_c
    left_share = xp.maximum(0, xp.minimum(1, _xidz(xp, eligible, cf_eligible, 1.0)))
    hardness = xp.where(
        two(k.switch_remaining_are_harder) == 1, left_share ** two(k.hardness_exponent), 1.0
    )
    evidence = s["Evidence"]
    learning = 1 + one(k.switch_learning * k.highest_learning_gain) * _xidz(
        xp, evidence, evidence + one(k.evidence_for_half_gain), 0.0
    )
    able = k.added * row(learning)
    effect = xp.maximum(-1, xp.minimum(1, able * hardness))
    expected = k.worth * xp.maximum(0, able)
    need_weight = k.priority * eligible * k.price
    need_part = _xidz(xp, need_weight, two(sum2(need_weight)), 0.0)
    return_weight = need_weight * xp.maximum(0, expected) ** two(k.return_focus)
    return_part = _xidz(xp, return_weight, two(sum2(return_weight)), need_part)

    total_cash = sum1(cash)
    cash_part = _xidz(xp, cash, one(total_cash), 0.0)
    behaves = k.switch_investor_behaviour == 1
    push = xp.where(
        behaves,
        xp.minimum(1, k.investor_influence * k.admitted_share * pick(cash_part, PRIVATE)),
        0.0,
    )
    on_return = two(xp.minimum(1, k.allocation_weight + (1 - k.allocation_weight) * push))
    mixed = (1 - on_return) * need_part + on_return * return_part
    complex_part = mixed * k.complex
    reserved = _xidz(xp, complex_part, two(sum2(complex_part)), mixed)
    held_back = two(k.reserved_share_for_complex_need)
    money_part = (1 - held_back) * mixed + held_back * reserved
    for_courses = xp.maximum(0, total_cash) * k.course_share / k.spend_time
    affordable = two(for_courses) * money_part / k.price
    wanted = eligible / two(xp.maximum(k.recruitment_time, dt))
    before_staff = xp.minimum(affordable, wanted)
    ending_s, ending_c = helped_s / k.length, helped_c / k.length
    endings = ending_s + ending_c
    allowed = xp.maximum(
        0,
        (capacity - sum_second(helped_s + helped_c)) / one(xp.maximum(k.slot_filling_time, dt))
        + sum_second(endings),
    )
    per_start = _xidz(xp, before_staff, row(sum_second(before_staff)), 0.0)
    starts = xp.where(
        two(k.switch_capacity_limits) == 1,
        xp.minimum(before_staff, row(allowed) * per_start),
        before_staff,
    )
    starts_c = starts * _xidz(xp, reached_c, eligible, 0.0)
    starts_s = starts * _xidz(xp, reached_s, eligible, 0.0)
    lifting, harming = xp.maximum(0, effect), xp.maximum(0, -effect)
    completed_s, completed_c = ending_s * k.completion_share, ending_c * k.completion_share
    lifted_s, lifted_c, harmed = completed_s * lifting, completed_c * lifting, completed_s * harming
    back_s, back_c = ending_s - lifted_s - harmed, ending_c - lifted_c
    worsening_h, easing_h = helped_s * k.worse, helped_c * k.ease
    recovery_h = helped_s * k.recover
    left_hs, left_hc = helped_s * k.exit, helped_c * k.exit
    wanted_capacity = sum_second(before_staff * k.course_length)
    short = wanted_capacity - capacity
    capacity_change = short / xp.where(
        wanted_capacity > capacity,
        one(xp.maximum(k.training_time, dt)),
        one(xp.maximum(k.downsizing_time, dt)),
    )

    # Wellbeing
    lifted = lifted_s + lifted_c
    relapse = stable * k.yearly_relapse
    consolidation = stable / two(xp.maximum(k.consolidation_time, 2 * dt))
    left_n = stable * k.exit
    fewer_s, fewer_c = cf_strained - strained - helped_s, cf_crisis - crisis - helped_c
    gain = (
        two(k.wellbeing_loss_when_strained) * fewer_s
        + two(k.wellbeing_loss_in_crisis) * fewer_c
        - two(k.wellbeing_loss_when_newly_stable) * stable
    )

    # Savings
    third = lay.third
    avoided = (third(fewer_c) + k.use_s * third(fewer_s) - k.use_n * third(stable)) * k.use_cost
    lasting, recognised = s["Lasting Effects"], s["Recognised Effects"]
    avoided_cost = lay.sum_gn(avoided)
    cashable = k.cashable_share * avoided_cost
    recognised_share = _xidz(xp, recognised, lasting, 1.0)
    recognised_saving = k.cashable_share * lay.sum_gn(avoided * third(recognised_share))
    documented = s["Documentation Capability"]
    identified = recognised_saving * one(documented)
    unclaimed = cashable - identified
    identified_cashed = s["Identified Savings In Pipeline"] / k.cashing
    unclaimed_cashed = s["Unclaimed Savings In Pipeline"] / k.cashing

    # Purses
    claimable = lay.sum_first(row(identified_cashed) * k.purse_share)
    relief = lay.sum_first(row(unclaimed_cashed) * k.purse_share)
    support = s["Budget Owner Support"]
    support_effect = xp.where(
        one(k.switch_support_erosion) == 1,
        _xidz(xp, support, one(k.support_at_start), 1.0),
        1.0,
    )
    pledged = xp.minimum(1, k.pledge * support_effect)
    repaid = sum1(s["Cumulated Returned To Fund"]) >= sum1(s["Cumulated Paid In"])
    rate = xp.where(
        k.reinvestment_rule == 2,
        xp.where(repaid, k.reinvestment_rate_after_payback, 1.0),
        xp.where(k.reinvestment_rule == 1, schedule, k.reinvestment_rate),
    )
    reinvested = xp.maximum(0, claimable) * pledged * one(rate)
    all_reinvested = sum1(reinvested)
    kept = claimable - reinvested

    # Fund
    course_spending = sum2(starts * k.price)
    total_spending = _xidz(xp, course_spending, k.course_share, 0.0)
    evaluation = total_spending * k.evaluation_share
    overhead = total_spending * k.overhead_share
    spending = one(total_spending) * cash_part
    written_off = s["Capitalised Investments"] / one(xp.maximum(k.write_off_time, dt))
    booked = xp.where(one(k.accounting_rule) == 1, written_off, spending)
    booked_by_purse = lay.sum_first(row(booked) * k.capital_from_purse)

    # Investors
    seen = s["seen yearly payment"]
    appetite = xp.where(
        behaves, xp.maximum(0, xp.minimum(k.highest_appetite, seen / k.required)), 1.0
    )
    paid_in = (
        xp.where(t < one(k.years_of_capital), k.capital_per_year, 0.0)
        * k.admitted
        * (1 - k.is_private + k.is_private * one(appetite))
    )
    granted = k.cap_on_multiple * pick(s["Cumulated Paid In"], PRIVATE)
    settled = s["Investor Claims Paid"] + s["Investor Claims Lapsed"]
    open_claims = xp.maximum(0, granted - settled)
    from_savings = xp.minimum(
        k.investor_share_of_savings * all_reinvested, open_claims / k.settling
    )
    completions = endings * k.completion_share
    counted = sum2(lifted + two(k.paid_share_of_deadweight) * completions * k.deadweight)
    outcome = xp.minimum(k.outcome_price * counted, open_claims / k.settling - from_savings)
    outcome_by_purse = one(outcome) * k.outcome_payer
    investor_payment = from_savings + outcome
    lapsing = xp.minimum(xp.maximum(0, past_term - settled), open_claims) / k.settling
    principal = s["Investor Principal Outstanding"]
    principal_part = _xidz(xp, principal, open_claims, 0.0)
    returned = k.receives_savings * one(all_reinvested)
    interest = cash * one(k.real_interest_rate)
    to_investors = k.receives_savings * one(from_savings)
    paying = _xidz(xp, investor_payment, principal, k.required)

    # Support
    wanted_relief = one(k.wanted_relief_share)
    kept_part = _xidz(xp, kept, claimable, wanted_relief)
    satisfaction = xp.maximum(0, xp.minimum(1, _xidz(xp, kept_part, wanted_relief, 1.0)))
    visible = xp.maximum(0, kept - outcome_by_purse)
    visible_effect = _xidz(xp, visible, visible + k.relief_for_half_effect + booked_by_purse, 0.0)
    on_visible, floor = one(k.weight_of_visible_relief), one(k.support_floor)
    target = floor + (1 - floor) * satisfaction * (1 - on_visible + on_visible * visible_effect)
    support_change = (target - support) / one(xp.maximum(k.support_adjustment_time, dt))

    # Learning
    completed = sum_second(completions)
    evaluated = xp.minimum(1, _xidz(xp, evaluation, k.evaluation_price * sum1(completed), 1.0))
    ageing = evidence / one(xp.maximum(k.evidence_lifetime, dt))
    documentation = k.identified_share_at_start + k.documentation_gain * _xidz(
        xp, evaluation, evaluation + k.half_spending, 0.0
    )

    flows = {
        "Thriving": recovery + recovery_h + consolidation - setback - left_t,
        "Strained": new
        + setback
        + easing
        + back_s
        + relapse
        - worsening
        - recovery
        - starts_s
        - left_s,
        "Crisis": worsening + back_c + harmed - easing - starts_c - left_c,
        "Counterfactual Thriving": cf_recovery - cf_setback - cf_left_t,
        "Counterfactual Strained": cf_new
        + cf_setback
        + cf_easing
        - cf_worsening
        - cf_recovery
        - cf_left_s,
        "Counterfactual Crisis": cf_worsening - cf_easing - cf_left_c,
        "Strained In Intervention": starts_s
        + easing_h
        - worsening_h
        - recovery_h
        - left_hs
        - ending_s,
        "Crisis In Intervention": starts_c + worsening_h - easing_h - left_hc - ending_c,
        "Delivery Capacity": capacity_change,
        "Newly Stable": lifted - relapse - consolidation - left_n,
        "Lasting Effects": lifted - lasting * k.fade,
        "Recognised Effects": lifted
        - recognised * k.fade
        - recognised / two(k.recognition_horizon),
        "Identified Savings In Pipeline": identified - identified_cashed,
        "Unclaimed Savings In Pipeline": unclaimed - unclaimed_cashed,
        "Capitalised Investments": spending - written_off,
        "Fund Cash": paid_in + returned + interest - spending - to_investors,
        "Investor Principal Outstanding": pick(paid_in, PRIVATE)
        - investor_payment * principal_part
        - lapsing * principal_part,
        "Investor Claims Paid": investor_payment,
        "Investor Claims Lapsed": lapsing,
        "Budget Owner Support": support_change,
        "Evidence": one(evaluated) * completed - ageing,
        "Documentation Capability": (documentation - documented)
        / xp.maximum(k.documentation_time, dt),
        "Citizens Entered": new,
        "Citizens Left": left_t + left_s + left_c + left_hs + left_hc + left_n,
        "Counterfactual Citizens Entered": cf_new,
        "Counterfactual Citizens Left": cf_left_t + cf_left_s + cf_left_c,
        "Cumulated Starts": starts,
        "Cumulated Completions": completions,
        "Cumulated Lifted": lifted,
        "Cumulated Course Spending": starts * k.price,
        "Cumulated Wellbeing Years": gain,
        "Cumulated Avoided Cost": avoided_cost,
        "Cumulated Cashable": cashable,
        "Cumulated Paid In": paid_in,
        "Cumulated Interest": interest,
        "Cumulated Returned Savings": returned,
        "Cumulated Spent": spending,
        "Cumulated Evaluation Spending": evaluation,
        "Cumulated Overhead Spending": overhead,
        "Cumulated Written Off": written_off,
        "Cumulated Paid To Investors": to_investors,
        "Cumulated Saved": claimable,
        "Cumulated Unclaimed": relief,
        "Cumulated Returned To Fund": reinvested,
        "Cumulated Kept": kept,
        "Cumulated Outcome Payments": outcome_by_purse,
        "inherited crisis reduction": (pick(reduction, FAMILIES) - inherited) / k.childhood_years,
        "seen yearly payment": (paying - seen) / k.return_perception_time,
    }
    auxiliaries = {
        "total cash": total_cash,
        "total spending": total_spending,
        "starts": starts,
        "wellbeing gain": gain,
        "cashable saving": cashable,
        "claimable saving": claimable,
        "reinvested": reinvested,
        "investor payment": investor_payment,
        "claims granted": granted,
    }
    return flows, auxiliaries
