/* Runs the generated model many times over, as the plain C peer is run. */

#include "model.c"

double _time;
static double sde_step(void) { return _time_step; }

struct clock {
    double start, step;
    int steps, stride;
};

void run_all(int runs, int inputs, double *values, const struct clock *clock, double *out)
{
    sde_out = out;
    for (int r = 0; r < runs; r++) {
        initConstants();
        initData();
        setInputs(values + (long)r * inputs, NULL);
        _time = clock->start;
        initLevels();
        for (int step = 0;; step++) {
            evalAux();
            if (step % clock->stride == 0) storeOutputData();
            if (step == clock->steps) break;
            evalLevels();
            _time = clock->start + (step + 1) * clock->step;
        }
    }
}
