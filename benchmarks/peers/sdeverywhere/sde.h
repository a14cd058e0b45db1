/* What the C that SDEverywhere generates needs of a runtime, for the functions of the models timed
   here. Its own runtime is not in the npm registry; this one is written for the benchmark, with
   every function small enough for the compiler to put in place. */

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern double _time;

#define _EXP(x) exp(x)
#define _LN(x) log(x)
#define _SQRT(x) sqrt(x)
#define _ABS(x) fabs(x)
#define _MAX(a, b) sde_max(a, b)
#define _MIN(a, b) sde_min(a, b)
#define _IF_THEN_ELSE(c, t, f) ((c) ? (t) : (f))
#define _INTEG(value, rate) ((value) + (rate) * _time_step)

static inline double sde_max(double a, double b) { return a > b ? a : b; }
static inline double sde_min(double a, double b) { return a < b ? a : b; }
static inline double _XIDZ(double a, double b, double x) { return fabs(b) < 1e-6 ? x : a / b; }
static inline double _ZIDZ(double a, double b) { return _XIDZ(a, b, 0); }

typedef struct {
    size_t points;
    const double *pairs;
} Lookup;

static inline Lookup *__new_lookup(size_t points, bool copy, const double *pairs)
{
    Lookup *made = malloc(sizeof *made);
    (void)copy;
    made->points = points;
    made->pairs = pairs;
    return made;
}

static inline double _LOOKUP(const Lookup *table, double at)
{
    const double *p = table->pairs, *last = p + 2 * (table->points - 1);
    if (at <= p[0]) return p[1];
    if (at >= last[0]) return last[1];
    while (p[2] < at) p += 2;
    return p[1] + (p[3] - p[1]) * (at - p[0]) / (p[2] - p[0]);
}

#define _WITH_LOOKUP(x, table) _LOOKUP(table, x)

typedef struct {
    size_t length, head;
    double initial;
    double *pipe;
} FixedDelay;

static double sde_step(void);

static inline FixedDelay *__new_fixed_delay(FixedDelay *delay, double time, double initial)
{
    size_t length = (size_t)(time / sde_step() + 0.5);
    if (length < 1) length = 1;
    if (delay == NULL || delay->length < length) {
        delay = delay ? delay : calloc(1, sizeof *delay);
        delay->pipe = realloc(delay->pipe, length * sizeof(double));
    }
    delay->length = length;
    delay->head = 0;
    delay->initial = initial;
    for (size_t i = 0; i < length; i++) delay->pipe[i] = initial;
    return delay;
}

static inline double _DELAY_FIXED(double input, FixedDelay *delay)
{
    delay->pipe[delay->head] = input;
    delay->head = delay->head + 1 == delay->length ? 0 : delay->head + 1;
    return delay->pipe[delay->head];
}

static double *sde_out;
static inline void outputVar(double value) { *sde_out++ = value; }
