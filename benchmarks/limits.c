/* What one core can do: the rates that bound any way of running a model.
   Compiled with -Ofast -march=native, so that the loops use whole vector registers. */

#include <math.h>
#include <string.h>

enum { LANES = 96 }; /* enough independent work to hide the latency of each operation */

static double a[LANES], b[LANES], c[LANES];

static void fill(void)
{
    for (int i = 0; i < LANES; i++) {
        a[i] = 1 + 1e-3 * i;
        b[i] = 1 - 1e-9 * i;
        c[i] = 0.3 + 0.01 * i;
    }
}

double add_multiply(long times)
{
    double sum = 0;
    fill();
    for (long t = 0; t < times; t++)
        for (int i = 0; i < LANES; i++) a[i] = a[i] * b[i] + 1e-9;
    for (int i = 0; i < LANES; i++) sum += a[i];
    return sum;
}

double divide(long times)
{
    double sum = 0;
    fill();
    for (long t = 0; t < times; t++)
        for (int i = 0; i < LANES; i++) a[i] = b[i] / (a[i] + 1e-9);
    for (int i = 0; i < LANES; i++) sum += a[i];
    return sum;
}

double power(long times)
{
    double sum = 0;
    fill();
    for (long t = 0; t < times; t++)
        for (int i = 0; i < LANES; i++) a[i] = pow(a[i], c[i]);
    for (int i = 0; i < LANES; i++) sum += a[i];
    return sum;
}

void write_memory(double *to, long values, double value)
{
    for (long i = 0; i < values; i++) to[i] = value;
}
