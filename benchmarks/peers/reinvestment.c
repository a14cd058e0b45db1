/* The reinvestment model in plain C, one run after another.

   Written by hand from models/reinvestment/reinvestment.mdl as a good C programmer would: what is
   constant in a run is computed once before the loop over time, loops over the same subscripts
   stand together, group and need are one flat subscript so that the compiler can use whole vector
   registers, and only what is saved or needed is computed. The saved rows hold all stocks in the
   order of the file and then eight auxiliaries (struct row).

   Names are those of the file with _ for blanks. The harness reads `struct constants` to know in
   which order to hand the constants over. */

#include <math.h>
#include <string.h>

enum { G = 6, N = 2, GN = G * N, A = 4, P = 3, C = 4 };
/* Left to itself, gcc unrolls a loop of twelve before it looks for vectors and then finds few; this
   keeps the loop whole, which makes a run a fifth faster. */
#define EACH_CITIZEN \
    _Pragma("GCC unroll 1") for (int i = 0; i < GN; i++)

enum { FAMILIES = 0, PRIVATE = 2, LONGEST_PIPE = 4096 };

struct constants {
    double citizens_at_start[GN];
    double yearly_worsening[G];
    double yearly_easing[G];
    double yearly_recovery[G];
    double yearly_setback[G];
    double yearly_exit[G];
    double worsening_factor[N];
    double recovery_factor[N];
    double new_cases_trend;
    double switch_prevention;
    double spread_share[G];
    double inherited_share[G];
    double childhood_years;
    double reachable_share_of_strained;
    double reachable_share_of_crisis;
    double recruitment_time;
    double course_price_at_normal_intensity[GN];
    double course_length[GN];
    double completion_share[GN];
    double success_with_help[GN];
    double follow_up_time;
    double optimism_correction;
    double intensity[G];
    double intensity_elasticity;
    double group_priority[G];
    double allocation_weight;
    double return_focus;
    double reserved_share_for_complex_need;
    double is_complex[N];
    double switch_remaining_are_harder;
    double hardness_exponent;
    double switch_capacity_limits;
    double delivery_capacity_at_start[G];
    double training_time;
    double downsizing_time;
    double slot_filling_time;
    double yearly_relapse[GN];
    double consolidation_time;
    double wellbeing_loss_when_strained;
    double wellbeing_loss_in_crisis;
    double wellbeing_loss_when_newly_stable;
    double use_in_crisis[G * A];
    double unit_cost[G * A];
    double need_use_factor[N * A];
    double use_when_strained[A];
    double use_when_newly_stable[A];
    double cashable_share[A];
    double recognition_horizon;
    double cashing_delay[A];
    double purse_share[A * P];
    double pledged_share_without_agreement[P];
    double pledged_share_with_agreement[P];
    double wrong_pocket_agreement;
    double reinvestment_rule;
    double reinvestment_rate;
    double reinvestment_rate_after_payback;
    double capital_from_purse[C * P];
    double accounting_rule;
    double write_off_time;
    double capital_at_start[C];
    double capital_per_year[C];
    double years_of_capital;
    double receives_savings[C];
    double is_private[C];
    double disbursement_time;
    double overhead_share;
    double evaluation_share;
    double real_interest_rate;
    double admitted_share;
    double investor_share_of_savings;
    double cap_on_multiple;
    double outcome_price;
    double paid_share_of_deadweight;
    double outcome_payer[P];
    double investor_term;
    double settlement_time;
    double switch_investor_behaviour;
    double investor_influence;
    double return_perception_time;
    double highest_appetite;
    double switch_support_erosion;
    double support_at_start;
    double support_floor;
    double wanted_relief_share;
    double weight_of_visible_relief;
    double relief_for_half_effect[P];
    double support_adjustment_time;
    double switch_learning;
    double highest_learning_gain;
    double evidence_for_half_gain;
    double evidence_lifetime;
    double evaluation_price;
    double switch_documentation;
    double identified_share_at_start;
    double highest_identified_share;
    double evaluation_spending_for_half_effect;
    double documentation_time;
};

struct stocks {
    double Thriving[GN];
    double Strained[GN];
    double Crisis[GN];
    double Counterfactual_Thriving[GN];
    double Counterfactual_Strained[GN];
    double Counterfactual_Crisis[GN];
    double Strained_In_Intervention[GN];
    double Crisis_In_Intervention[GN];
    double Delivery_Capacity[G];
    double Newly_Stable[GN];
    double Lasting_Effects[GN];
    double Recognised_Effects[GN];
    double Identified_Savings_In_Pipeline[A];
    double Unclaimed_Savings_In_Pipeline[A];
    double Capitalised_Investments[C];
    double Fund_Cash[C];
    double Investor_Principal_Outstanding;
    double Investor_Claims_Paid;
    double Investor_Claims_Lapsed;
    double Budget_Owner_Support[P];
    double Evidence[G];
    double Documentation_Capability;
    double Citizens_Entered[GN];
    double Citizens_Left[GN];
    double Counterfactual_Citizens_Entered[GN];
    double Counterfactual_Citizens_Left[GN];
    double Cumulated_Starts[GN];
    double Cumulated_Completions[GN];
    double Cumulated_Lifted[GN];
    double Cumulated_Course_Spending[GN];
    double Cumulated_Wellbeing_Years[GN];
    double Cumulated_Avoided_Cost[A];
    double Cumulated_Cashable[A];
    double Cumulated_Paid_In[C];
    double Cumulated_Interest[C];
    double Cumulated_Returned_Savings[C];
    double Cumulated_Spent[C];
    double Cumulated_Evaluation_Spending;
    double Cumulated_Overhead_Spending;
    double Cumulated_Written_Off[C];
    double Cumulated_Paid_To_Investors[C];
    double Cumulated_Saved[P];
    double Cumulated_Unclaimed[P];
    double Cumulated_Returned_To_Fund[P];
    double Cumulated_Kept[P];
    double Cumulated_Outcome_Payments[P];
};

struct row {
    struct stocks stocks;
    double total_cash;
    double total_spending;
    double starts[GN];
    double wellbeing_gain[GN];
    double cashable_saving[A];
    double claimable_saving[P];
    double reinvested[P];
    double investor_payment;
};

struct clock {
    double start, step;
    int steps, stride;
};

struct lookup {
    int points;
    const double *x, *y;
};

static inline double min(double a, double b) { return a < b ? a : b; }
static inline double max(double a, double b) { return a > b ? a : b; }
static inline double xidz(double above, double below, double otherwise)
{
    return fabs(below) < 1e-6 ? otherwise : above / below;
}
static inline double zidz(double above, double below) { return xidz(above, below, 0); }

static double look_up(const struct lookup *table, double at)
{
    int last = table->points - 1, i = 1;
    if (at <= table->x[0]) return table->y[0];
    if (at >= table->x[last]) return table->y[last];
    while (table->x[i] < at) i++;
    return table->y[i - 1] + (table->y[i] - table->y[i - 1]) * (at - table->x[i - 1])
                                 / (table->x[i] - table->x[i - 1]);
}

static void run(const struct constants *k, const struct lookup *reinvestment_schedule,
                const struct clock *clock, struct row *out)
{
    const double dt = clock->step;
    static struct stocks s; /* static, so that every array has a fixed address */
    static double pipe[LONGEST_PIPE];
    struct stocks zero = {0};
    s = zero;

    /* What is constant in a run. */
    double worse[GN], ease[GN], recover[GN], exit_[GN], setback_[GN], fade[GN];
    double new_at_start[GN], price[GN], deadweight[GN], added[GN], worth[GN], length[GN];
    double priority[GN], complex_[GN], use_cost[GN][A];
    double gain_factor[G], cashing[A], pledge[P], admitted[C];
    for (int g = 0; g < G; g++) {
        gain_factor[g] = pow(k->intensity[g], k->intensity_elasticity);
        for (int n = 0; n < N; n++) {
            int i = g * N + n;
            worse[i] = k->yearly_worsening[g] * k->worsening_factor[n];
            ease[i] = k->yearly_easing[g] * k->recovery_factor[n];
            recover[i] = k->yearly_recovery[g] * k->recovery_factor[n];
            exit_[i] = k->yearly_exit[g];
            setback_[i] = k->yearly_setback[g];
            fade[i] = recover[i] + setback_[i] + exit_[i];
            double per_strained = zidz(worse[i], ease[i] + exit_[i]);
            double strained = k->citizens_at_start[i] / (1 + per_strained);
            double crisis = k->citizens_at_start[i] - strained;
            double thriving = strained * zidz(recover[i], setback_[i] + exit_[i]);
            new_at_start[i] = exit_[i] * (thriving + strained + crisis);
            s.Thriving[i] = s.Counterfactual_Thriving[i] = thriving;
            s.Strained[i] = s.Counterfactual_Strained[i] = strained;
            s.Crisis[i] = s.Counterfactual_Crisis[i] = crisis;

            price[i] = k->course_price_at_normal_intensity[i] * k->intensity[g];
            deadweight[i] = 1 - exp(-recover[i] * k->follow_up_time);
            added[i] = k->optimism_correction
                       * zidz(k->success_with_help[i] - deadweight[i], 1 - deadweight[i])
                       * gain_factor[g];
            double in_crisis = 0, when_strained = 0, when_stable = 0;
            for (int a = 0; a < A; a++) {
                use_cost[i][a] = k->use_in_crisis[g * A + a] * k->need_use_factor[n * A + a]
                                 * k->unit_cost[g * A + a];
                double cost = use_cost[i][a] * k->cashable_share[a];
                in_crisis += cost;
                when_strained += cost * k->use_when_strained[a];
                when_stable += cost * k->use_when_newly_stable[a];
            }
            double reached_s = k->reachable_share_of_strained * strained;
            double reached_c = k->reachable_share_of_crisis * crisis;
            double of_eligible
                = zidz(reached_s * when_strained + reached_c * in_crisis, reached_s + reached_c);
            worth[i] = k->completion_share[i] * (of_eligible - when_stable)
                       / (fade[i] + 1 / k->recognition_horizon) / price[i];
            length[i] = max(k->course_length[i], 2 * dt);
            priority[i] = k->group_priority[g] * price[i];
            complex_[i] = k->is_complex[n];
        }
        s.Delivery_Capacity[g] = k->delivery_capacity_at_start[g];
    }
    for (int a = 0; a < A; a++) cashing[a] = max(k->cashing_delay[a], dt);
    for (int p = 0; p < P; p++) {
        pledge[p] = k->wrong_pocket_agreement == 1 ? k->pledged_share_with_agreement[p]
                                                   : k->pledged_share_without_agreement[p];
        s.Budget_Owner_Support[p] = k->support_at_start;
    }
    for (int c = 0; c < C; c++) {
        admitted[c] = 1 - k->is_private[c] * (1 - k->admitted_share);
        s.Fund_Cash[c] = s.Cumulated_Paid_In[c] = k->capital_at_start[c] * admitted[c];
    }
    s.Investor_Principal_Outstanding = s.Fund_Cash[PRIVATE];
    s.Documentation_Capability = k->identified_share_at_start;
    const double course_share = max(0, 1 - k->overhead_share - k->evaluation_share);
    const double spend_time = max(k->disbursement_time, dt);
    const double recruiting = max(k->recruitment_time, dt), filling = max(k->slot_filling_time, dt);
    const double training = max(k->training_time, dt), downsizing = max(k->downsizing_time, dt);
    const double consolidating = max(k->consolidation_time, 2 * dt);
    const double writing_off = max(k->write_off_time, dt), settling = max(k->settlement_time, dt);
    const double required = k->cap_on_multiple / k->investor_term;
    const double adjusting = max(k->support_adjustment_time, dt);
    const double documenting = max(k->documentation_time, dt);
    const double evidence_life = max(k->evidence_lifetime, dt);
    const double learnable = k->switch_learning * k->highest_learning_gain;
    const double documentable
        = k->switch_documentation * (k->highest_identified_share - k->identified_share_at_start);
    const double reach_s = k->reachable_share_of_strained, reach_c = k->reachable_share_of_crisis;

    double inherited = 0, seen = required; /* the two smooths */
    int order = (int)(k->investor_term / dt + 0.5), head = 0;
    if (order < 1) order = 1;
    memset(pipe, 0, order * sizeof *pipe);

    int until_save = 0;
    for (int step = 0;; step++) {
        const double t = clock->start + step * dt;

        /* Citizens, and the effect of a course. */
        double keep[GN], learning[GN];
        double reduction_of_families = 0;
        for (int g = 0; g < G; g++) {
            int i = g * N;
            double now = s.Crisis[i] + s.Crisis_In_Intervention[i] + s.Crisis[i + 1]
                         + s.Crisis_In_Intervention[i + 1];
            double reduction
                = 1 - xidz(now, s.Counterfactual_Crisis[i] + s.Counterfactual_Crisis[i + 1], 1);
            if (g == FAMILIES) reduction_of_families = reduction;
            keep[i] = keep[i + 1] = 1 - k->switch_prevention
                              * min(1, k->spread_share[g] * reduction
                                           + k->inherited_share[g] * inherited);
            learning[i] = learning[i + 1] = 1 + learnable * zidz(s.Evidence[g],
                                               s.Evidence[g] + k->evidence_for_half_gain);
        }
        const double growth = exp(k->new_cases_trend * t);

        double eligible[GN], reached_c[GN], reached_s[GN], effect[GN], need[GN], back[GN];
        double all_need = 0, all_return = 0;
        EACH_CITIZEN {
            reached_s[i] = s.Strained[i] * reach_s;
            reached_c[i] = s.Crisis[i] * reach_c;
            eligible[i] = reached_s[i] + reached_c[i];
            double counterfactual
                = s.Counterfactual_Strained[i] * reach_s + s.Counterfactual_Crisis[i] * reach_c;
            double left = max(0, min(1, xidz(eligible[i], counterfactual, 1)));
            effect[i] = left;
            double able = added[i] * learning[i];
            need[i] = priority[i] * eligible[i];
            back[i] = max(0, worth[i] * max(0, able));
        }
        if (k->switch_remaining_are_harder == 1)
            EACH_CITIZEN effect[i] = pow(effect[i], k->hardness_exponent);
        else
            EACH_CITIZEN effect[i] = 1;
        EACH_CITIZEN back[i] = pow(back[i], k->return_focus);
        EACH_CITIZEN {
            effect[i] = max(-1, min(1, added[i] * learning[i] * effect[i]));
            back[i] *= need[i];
            all_need += need[i];
            all_return += back[i];
        }

        /* Allocation of the money. */
        double total_cash = 0, cash_part[C];
        for (int c = 0; c < C; c++) total_cash += s.Fund_Cash[c];
        for (int c = 0; c < C; c++) cash_part[c] = zidz(s.Fund_Cash[c], total_cash);
        const int behaves = k->switch_investor_behaviour == 1;
        double push = behaves ? min(1, k->investor_influence * k->admitted_share
                                           * cash_part[PRIVATE])
                              : 0;
        double on_return = min(1, k->allocation_weight + (1 - k->allocation_weight) * push);
        double mixed[GN], all_complex = 0;
        EACH_CITIZEN {
            double need_part = zidz(need[i], all_need);
            mixed[i] = (1 - on_return) * need_part
                       + on_return * xidz(back[i], all_return, need_part);
            all_complex += mixed[i] * complex_[i];
        }
        const double for_courses = max(0, total_cash) * course_share / spend_time;
        const double held_back = k->reserved_share_for_complex_need;
        double before_staff[GN];
        EACH_CITIZEN {
            double reserved = xidz(mixed[i] * complex_[i], all_complex, mixed[i]);
            double part = (1 - held_back) * mixed[i] + held_back * reserved;
            before_staff[i] = min(for_courses * part / price[i], eligible[i] / recruiting);
        }

        /* Starts, as staff allows. */
        double ending_s[GN], ending_c[GN], endings[GN], starts[GN], capacity_change[G];
        double completed[G], completions[GN];
        EACH_CITIZEN {
            ending_s[i] = s.Strained_In_Intervention[i] / length[i];
            ending_c[i] = s.Crisis_In_Intervention[i] / length[i];
            endings[i] = ending_s[i] + ending_c[i];
            completions[i] = endings[i] * k->completion_share[i];
        }
        double scale[GN], wanted_by_group[GN];
        for (int g = 0; g < G; g++) {
            int i = g * N, j = i + 1;
            double in_intervention = s.Strained_In_Intervention[i] + s.Crisis_In_Intervention[i]
                                     + s.Strained_In_Intervention[j] + s.Crisis_In_Intervention[j];
            scale[i] = scale[j] = max(0, (s.Delivery_Capacity[g] - in_intervention) / filling
                                  + (endings[i] + endings[j]));
            wanted_by_group[i] = wanted_by_group[j] = before_staff[i] + before_staff[j];
            double wanted = before_staff[i] * k->course_length[i]
                            + before_staff[j] * k->course_length[j];
            capacity_change[g] = (wanted - s.Delivery_Capacity[g])
                                 / (wanted > s.Delivery_Capacity[g] ? training : downsizing);
            completed[g] = completions[i] + completions[j];
        }
        double course_spending = 0, counted = 0;
        double starts_s[GN], starts_c[GN], lifted_s[GN], lifted_c[GN], harmed[GN], lifted[GN];
        EACH_CITIZEN {
            double share = zidz(before_staff[i], wanted_by_group[i]);
            starts[i] = k->switch_capacity_limits == 1
                            ? min(before_staff[i], scale[i] * share)
                            : before_staff[i];
            starts_c[i] = starts[i] * zidz(reached_c[i], eligible[i]);
            starts_s[i] = starts[i] * zidz(reached_s[i], eligible[i]);
            double lift = max(0, effect[i]) * k->completion_share[i];
            lifted_s[i] = ending_s[i] * lift;
            lifted_c[i] = ending_c[i] * lift;
            harmed[i] = ending_s[i] * k->completion_share[i] * max(0, -effect[i]);
            lifted[i] = lifted_s[i] + lifted_c[i];
            course_spending += starts[i] * price[i];
            counted += lifted[i]
                       + k->paid_share_of_deadweight * completions[i] * deadweight[i];
        }

        /* Savings. */
        double avoided_cost[A] = {0}, recognised_cost[A] = {0}, gain[GN];
        EACH_CITIZEN {
            double fewer_s = s.Counterfactual_Strained[i] - s.Strained[i]
                             - s.Strained_In_Intervention[i];
            double fewer_c = s.Counterfactual_Crisis[i] - s.Crisis[i]
                             - s.Crisis_In_Intervention[i];
            gain[i] = k->wellbeing_loss_when_strained * fewer_s
                      + k->wellbeing_loss_in_crisis * fewer_c
                      - k->wellbeing_loss_when_newly_stable * s.Newly_Stable[i];
            double share = xidz(s.Recognised_Effects[i], s.Lasting_Effects[i], 1);
            for (int a = 0; a < A; a++) {
                double cost = (fewer_c + k->use_when_strained[a] * fewer_s
                               - k->use_when_newly_stable[a] * s.Newly_Stable[i])
                              * use_cost[i][a];
                avoided_cost[a] += cost;
                recognised_cost[a] += cost * share;
            }
        }
        double cashable[A], identified[A], unclaimed[A], identified_cashed[A], unclaimed_cashed[A];
        for (int a = 0; a < A; a++) {
            cashable[a] = k->cashable_share[a] * avoided_cost[a];
            identified[a] = k->cashable_share[a] * recognised_cost[a] * s.Documentation_Capability;
            unclaimed[a] = cashable[a] - identified[a];
            identified_cashed[a] = s.Identified_Savings_In_Pipeline[a] / cashing[a];
            unclaimed_cashed[a] = s.Unclaimed_Savings_In_Pipeline[a] / cashing[a];
        }

        /* Purses and the fund. */
        double returned = 0, paid = 0;
        for (int p = 0; p < P; p++) returned += s.Cumulated_Returned_To_Fund[p];
        for (int c = 0; c < C; c++) paid += s.Cumulated_Paid_In[c];
        double rate = k->reinvestment_rate;
        if (k->reinvestment_rule == 2)
            rate = returned >= paid ? k->reinvestment_rate_after_payback : 1;
        else if (k->reinvestment_rule == 1)
            rate = look_up(reinvestment_schedule, t);
        double claimable[P], relief[P], reinvested[P], kept[P], all_reinvested = 0;
        for (int p = 0; p < P; p++) {
            claimable[p] = relief[p] = 0;
            for (int a = 0; a < A; a++) {
                claimable[p] += identified_cashed[a] * k->purse_share[a * P + p];
                relief[p] += unclaimed_cashed[a] * k->purse_share[a * P + p];
            }
            double support = k->switch_support_erosion == 1
                                 ? xidz(s.Budget_Owner_Support[p], k->support_at_start, 1)
                                 : 1;
            reinvested[p] = max(0, claimable[p]) * min(1, pledge[p] * support) * rate;
            all_reinvested += reinvested[p];
            kept[p] = claimable[p] - reinvested[p];
        }
        const double total_spending = zidz(course_spending, course_share);
        const double evaluation = total_spending * k->evaluation_share;
        const double overhead = total_spending * k->overhead_share;
        double spending[C], written_off[C], booked[C];
        for (int c = 0; c < C; c++) {
            spending[c] = total_spending * cash_part[c];
            written_off[c] = s.Capitalised_Investments[c] / writing_off;
            booked[c] = k->accounting_rule == 1 ? written_off[c] : spending[c];
        }

        /* Investors. */
        const double appetite = behaves ? max(0, min(k->highest_appetite, seen / required)) : 1;
        double paid_in[C];
        for (int c = 0; c < C; c++)
            paid_in[c] = (t < k->years_of_capital ? k->capital_per_year[c] : 0) * admitted[c]
                         * (1 - k->is_private[c] + k->is_private[c] * appetite);
        const double granted = k->cap_on_multiple * s.Cumulated_Paid_In[PRIVATE];
        const double settled = s.Investor_Claims_Paid + s.Investor_Claims_Lapsed;
        const double open_claims = max(0, granted - settled);
        const double from_savings
            = min(k->investor_share_of_savings * all_reinvested, open_claims / settling);
        const double outcome
            = min(k->outcome_price * counted, open_claims / settling - from_savings);
        const double investor_payment = from_savings + outcome;
        const double lapsing = min(max(0, pipe[head] - settled), open_claims) / settling;
        const double principal_part = zidz(s.Investor_Principal_Outstanding, open_claims);
        const double paying
            = xidz(investor_payment, s.Investor_Principal_Outstanding, required);

        if (until_save == 0) {
            until_save = clock->stride;
            out->stocks = s;
            out->total_cash = total_cash;
            out->total_spending = total_spending;
            memcpy(out->starts, starts, sizeof starts);
            memcpy(out->wellbeing_gain, gain, sizeof gain);
            memcpy(out->cashable_saving, cashable, sizeof cashable);
            memcpy(out->claimable_saving, claimable, sizeof claimable);
            memcpy(out->reinvested, reinvested, sizeof reinvested);
            out->investor_payment = investor_payment;
            out++;
        }
        if (step == clock->steps) return;
        until_save--;

        /* Support and learning. */
        for (int p = 0; p < P; p++) {
            double kept_part = xidz(kept[p], claimable[p], k->wanted_relief_share);
            double satisfaction = max(0, min(1, xidz(kept_part, k->wanted_relief_share, 1)));
            double by_purse = outcome * k->outcome_payer[p];
            double visible = max(0, kept[p] - by_purse), booked_here = 0;
            for (int c = 0; c < C; c++) booked_here += booked[c] * k->capital_from_purse[c * P + p];
            double seen_part = zidz(visible, visible + k->relief_for_half_effect[p] + booked_here);
            double target = k->support_floor
                            + (1 - k->support_floor) * satisfaction
                                  * (1 - k->weight_of_visible_relief
                                     + k->weight_of_visible_relief * seen_part);
            s.Budget_Owner_Support[p] += (target - s.Budget_Owner_Support[p]) / adjusting * dt;
            s.Cumulated_Saved[p] += claimable[p] * dt;
            s.Cumulated_Unclaimed[p] += relief[p] * dt;
            s.Cumulated_Returned_To_Fund[p] += reinvested[p] * dt;
            s.Cumulated_Kept[p] += kept[p] * dt;
            s.Cumulated_Outcome_Payments[p] += by_purse * dt;
        }
        double all_completed = 0;
        for (int g = 0; g < G; g++) all_completed += completed[g];
        const double evaluated = min(1, xidz(evaluation, k->evaluation_price * all_completed, 1));
        for (int g = 0; g < G; g++) {
            s.Evidence[g]
                += (evaluated * completed[g] - s.Evidence[g] / evidence_life) * dt;
            s.Delivery_Capacity[g] += capacity_change[g] * dt;
        }
        const double documentation
            = k->identified_share_at_start
              + documentable
                    * zidz(evaluation, evaluation + k->evaluation_spending_for_half_effect);
        s.Documentation_Capability
            += (documentation - s.Documentation_Capability) / documenting * dt;

        /* Citizens move. */
        EACH_CITIZEN {
            double cf_new = new_at_start[i] * growth;
            double new = cf_new * keep[i];
            double T = s.Thriving[i], S = s.Strained[i], K = s.Crisis[i];
            double HS = s.Strained_In_Intervention[i], HK = s.Crisis_In_Intervention[i];
            double F = s.Newly_Stable[i];
            double worsening = S * worse[i], easing = K * ease[i], recovery = S * recover[i];
            double setback = T * setback_[i];
            double left_t = T * exit_[i], left_s = S * exit_[i], left_c = K * exit_[i];
            double left_hs = HS * exit_[i], left_hc = HK * exit_[i], left_f = F * exit_[i];
            double worsening_h = HS * worse[i], easing_h = HK * ease[i];
            double recovery_h = HS * recover[i];
            double relapse = F * k->yearly_relapse[i], consolidation = F / consolidating;
            double back_s = ending_s[i] - lifted_s[i] - harmed[i];
            double back_c = ending_c[i] - lifted_c[i];
            s.Thriving[i] += (recovery + recovery_h + consolidation - setback - left_t) * dt;
            s.Strained[i] += (new + setback + easing + back_s + relapse - worsening - recovery
                              - starts_s[i] - left_s)
                             * dt;
            s.Crisis[i]
                += (worsening + back_c + harmed[i] - easing - starts_c[i] - left_c) * dt;
            s.Strained_In_Intervention[i] += (starts_s[i] + easing_h - worsening_h - recovery_h
                                              - left_hs - ending_s[i])
                                             * dt;
            s.Crisis_In_Intervention[i]
                += (starts_c[i] + worsening_h - easing_h - left_hc - ending_c[i]) * dt;
            s.Newly_Stable[i] += (lifted[i] - relapse - consolidation - left_f) * dt;
            s.Citizens_Entered[i] += new * dt;
            s.Citizens_Left[i] += (left_t + left_s + left_c + left_hs + left_hc + left_f) * dt;
            s.Counterfactual_Citizens_Entered[i] += cf_new * dt;

            double cT = s.Counterfactual_Thriving[i], cS = s.Counterfactual_Strained[i];
            double cK = s.Counterfactual_Crisis[i];
            double cf_worsening = cS * worse[i], cf_easing = cK * ease[i];
            double cf_recovery = cS * recover[i], cf_setback = cT * setback_[i];
            double cf_left_t = cT * exit_[i], cf_left_s = cS * exit_[i], cf_left_c = cK * exit_[i];
            s.Counterfactual_Thriving[i] += (cf_recovery - cf_setback - cf_left_t) * dt;
            s.Counterfactual_Strained[i] += (cf_new + cf_setback + cf_easing - cf_worsening
                                             - cf_recovery - cf_left_s)
                                            * dt;
            s.Counterfactual_Crisis[i] += (cf_worsening - cf_easing - cf_left_c) * dt;
            s.Counterfactual_Citizens_Left[i] += (cf_left_t + cf_left_s + cf_left_c) * dt;

            s.Lasting_Effects[i] += (lifted[i] - s.Lasting_Effects[i] * fade[i]) * dt;
            s.Recognised_Effects[i] += (lifted[i] - s.Recognised_Effects[i] * fade[i]
                                        - s.Recognised_Effects[i] / k->recognition_horizon)
                                       * dt;
            s.Cumulated_Starts[i] += starts[i] * dt;
            s.Cumulated_Completions[i] += completions[i] * dt;
            s.Cumulated_Lifted[i] += lifted[i] * dt;
            s.Cumulated_Course_Spending[i] += starts[i] * price[i] * dt;
            s.Cumulated_Wellbeing_Years[i] += gain[i] * dt;
        }

        /* Money moves. */
        for (int a = 0; a < A; a++) {
            s.Identified_Savings_In_Pipeline[a] += (identified[a] - identified_cashed[a]) * dt;
            s.Unclaimed_Savings_In_Pipeline[a] += (unclaimed[a] - unclaimed_cashed[a]) * dt;
            s.Cumulated_Avoided_Cost[a] += avoided_cost[a] * dt;
            s.Cumulated_Cashable[a] += cashable[a] * dt;
        }
        s.Investor_Principal_Outstanding
            += (paid_in[PRIVATE] - investor_payment * principal_part - lapsing * principal_part)
               * dt;
        for (int c = 0; c < C; c++) {
            double back_in = k->receives_savings[c] * all_reinvested;
            double interest = s.Fund_Cash[c] * k->real_interest_rate;
            double to_investors = k->receives_savings[c] * from_savings;
            s.Fund_Cash[c] += (paid_in[c] + back_in + interest - spending[c] - to_investors) * dt;
            s.Capitalised_Investments[c] += (spending[c] - written_off[c]) * dt;
            s.Cumulated_Paid_In[c] += paid_in[c] * dt;
            s.Cumulated_Interest[c] += interest * dt;
            s.Cumulated_Returned_Savings[c] += back_in * dt;
            s.Cumulated_Spent[c] += spending[c] * dt;
            s.Cumulated_Written_Off[c] += written_off[c] * dt;
            s.Cumulated_Paid_To_Investors[c] += to_investors * dt;
        }
        s.Investor_Claims_Paid += investor_payment * dt;
        s.Investor_Claims_Lapsed += lapsing * dt;
        s.Cumulated_Evaluation_Spending += evaluation * dt;
        s.Cumulated_Overhead_Spending += overhead * dt;
        inherited += (reduction_of_families - inherited) / k->childhood_years * dt;
        seen += (paying - seen) / k->return_perception_time * dt;
        pipe[head] = granted;
        head = head + 1 == order ? 0 : head + 1;
    }
}

/* Runs one after another: `constants` holds one struct a run, `out` takes `saves` rows a run. */
void run_all(int runs, const double *constants, const struct lookup *reinvestment_schedule,
             const struct clock *clock, double *out)
{
    const int saves = clock->steps / clock->stride + 1;
    const struct constants *k = (const struct constants *)constants;
    struct row *rows = (struct row *)out;
    for (int r = 0; r < runs; r++)
        run(&k[r], reinvestment_schedule, clock, &rows[(long)r * saves]);
}
