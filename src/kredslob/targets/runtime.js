// Functions that a compiled model calls: Vensim's arithmetic, tables, random numbers, allocation.
// Each has the meaning of its namesake in runtime.py, and is left out of a model that needs it not.

const SMALL = 1e-6; // what Vensim takes for zero
const PRECISION = 1e-5; // of a time step: when two times are the same
const LONGEST_PIPE = 1e7; // steps of a fixed delay
const MOST_STEPS = 100_000_000;
const MOST_VALUES = 50_000_000;

/** Remainder with the sign of the divisor. */
function remainder(a, b) {
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
}

/** The nearest whole number, of two equally near ones the even one. */
function roundedToEven(x) {
  const nearest = Math.round(x);
  return nearest - x === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest;
}

/** a to the power b as in C: one to any power, and any number to the power zero, is one. */
function power(a, b) {
  if (a === 1 || (a === -1 && Math.abs(b) === Infinity)) return 1;
  return Math.pow(a, b);
}

function square(a) {
  return a * a;
}

function cube(a) {
  return a * a * a;
}

function xidz(numerator, denominator, otherwise) {
  return Math.abs(denominator) < SMALL ? otherwise : numerator / denominator;
}

function zidz(numerator, denominator) {
  return Math.abs(denominator) < SMALL ? 0 : numerator / denominator;
}

function quantum(a, b) {
  return b < SMALL ? a : b * Math.trunc(a / b);
}

function modulo(a, b) {
  return a - quantum(a, b);
}

function step(time, timeStep, height, start) {
  return time + 0.5 * timeStep > start ? height : 0 * height;
}

function ramp(time, timeStep, slope, start, finish) {
  return time + SMALL > start ? slope * (Math.min(finish, time) - start) : 0;
}

function pulse(time, timeStep, start, width) {
  const middle = time + 0.5 * timeStep;
  return start < middle && middle < start + longer(width, timeStep) ? 1 : 0;
}

function pulseTrain(time, timeStep, start, repeat, width, end) {
  if (repeat === 0) return pulse(time, timeStep, start, width);
  const middle = time + 0.5 * timeStep;
  if (!(middle > start && time < end)) return 0;
  return remainder(middle - start, repeat) < longer(width, timeStep) ? 1 : 0;
}

/** The longer one; of a missing one and another, the first. */
function longer(a, b) {
  return b > a ? b : a;
}

// --- the calendar ---

/** Vensim's measures of a moment, in years of twelve months of thirty days. */
function evenCalendar(years, measure) {
  const days = 360 * years + 1e-9;
  const whole = Math.floor(days);
  if (measure === 1) return Math.floor(days / 360);
  if (measure === 2) return 1 + Math.floor(remainder(days, 360) / 90);
  if (measure === 3) return 1 + Math.floor(remainder(days, 360) / 30);
  if (measure === 4) return 1 + remainder(whole, 30);
  return ofDays(days, measure);
}

/** Vensim's measures of a moment, in days since the beginning of year 0 (Gregorian). */
function calendar(moment, measure) {
  const days = moment + 1e-9;
  if (measure > 4) return ofDays(days, measure);
  // after H. Hinnant, chrono-compatible low-level date algorithms: years begin in March
  const z = Math.floor(days) - 60;
  const era = Math.floor(z / 146097);
  const dayOfEra = z - era * 146097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36524) -
      Math.floor(dayOfEra / 146096)) /
      365,
  );
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  if (measure === 1) return yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  if (measure === 2) return 1 + Math.floor((month - 1) / 3);
  if (measure === 3) return month;
  return dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1;
}

function ofDays(days, measure) {
  const whole = Math.floor(days);
  const seconds = 86400 * (days - whole);
  if (measure === 5) return remainder(whole + 6, 7); // the first day of year 0 was a Saturday
  if (measure === 6) return whole;
  if (measure === 7) return Math.floor(seconds / 3600);
  if (measure === 8) return Math.floor(remainder(seconds, 3600) / 60);
  if (measure === 9) return remainder(seconds, 60);
  return remainder(86400 * whole + seconds, 500000);
}

// --- memory and tables ---

/** The element at a computed position; missing where there is none. */
function pick(base, stride, extent, position) {
  return position >= 0 && position < extent ? v[base + stride * Math.trunc(position)] : NaN;
}

/** The last point at or before x, but neither before the first one nor the last one itself. */
function segment(begin, points, x) {
  let low = begin;
  let high = begin + points - 1; // find the first inner point beyond x
  while (low < high) {
    const middle = (low + high) >> 1;
    if (xs[middle] <= x) low = middle + 1;
    else high = middle;
  }
  return Math.max(low - 1, begin);
}

function interpolate(entry, x) {
  if (count[entry] === 0 || x !== x) return NaN;
  const below = segment(first[entry], count[entry], x);
  const last = first[entry] + count[entry] - 1;
  if (x >= xs[last]) return ys[last];
  if (x < xs[below]) return ys[below];
  return ys[below] + ((ys[below + 1] - ys[below]) / (xs[below + 1] - xs[below])) * (x - xs[below]);
}

function extrapolate(entry, x) {
  if (count[entry] === 0 || x !== x) return NaN;
  const below = segment(first[entry], count[entry], x);
  const last = first[entry] + count[entry] - 1;
  const base = x >= xs[last] ? last : below;
  if (x === xs[base]) return ys[base];
  const slope =
    below < last ? (ys[below + 1] - ys[below]) / (xs[below + 1] - xs[below]) : 0;
  return ys[base] + slope * (x - xs[base]);
}

function holdBackward(entry, x) {
  if (count[entry] === 0 || x !== x) return NaN;
  const last = first[entry] + count[entry] - 1;
  return x >= xs[last] ? ys[last] : ys[segment(first[entry], count[entry], x)];
}

function lookForward(entry, x) {
  if (count[entry] === 0 || x !== x) return NaN;
  const below = segment(first[entry], count[entry], x);
  const last = first[entry] + count[entry] - 1;
  if (x >= xs[last]) return ys[last];
  return x <= xs[below] ? ys[below] : ys[below + 1];
}

/** Value of a table at one of its points; missing between and beyond them. */
function raw(entry, x) {
  if (count[entry] === 0) return NaN;
  const below = segment(first[entry], count[entry], x);
  const last = first[entry] + count[entry] - 1;
  if (x === xs[last]) return ys[last];
  return x === xs[below] ? ys[below] : NaN;
}

/** Argument at which a rising or falling table has the value y; the ends beyond it. */
function invert(entry, y) {
  if (count[entry] === 0) return NaN;
  const begin = first[entry];
  const last = begin + count[entry] - 1;
  const falls = ys[last] < ys[begin];
  for (let k = begin; k < last; k++) {
    const low = ys[k];
    const high = ys[k + 1];
    if (falls ? high <= y && y <= low : low <= y && y <= high) {
      if (high === low) return xs[k];
      return xs[k] + ((y - low) / (high - low)) * (xs[k + 1] - xs[k]);
    }
  }
  return y > ys[begin] === falls ? xs[begin] : xs[last];
}

// --- random numbers ---

/**
 * A uniform number in (0, 1): Philox 4x32-10 (Salmon et al. 2011, doi:10.1145/2063384.2063405) of
 * step, place, run and stream, with the seed as key.
 */
function draw(place, stream) {
  let c0 = stepNumber >>> 0;
  let c1 = place >>> 0;
  let c2 = runNumber;
  let c3 = stream >>> 0;
  let k0 = seedLow;
  let k1 = seedHigh;
  for (let round = 0; round < 10; round++) {
    const high0 = highWord(0xd2511f53, c0);
    const low0 = Math.imul(0xd2511f53, c0) >>> 0;
    const high1 = highWord(0xcd9e8d57, c2);
    const low1 = Math.imul(0xcd9e8d57, c2) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return (c0 * 2097152 + (c1 >>> 11) + 0.5) / 9007199254740992;
}

/** The upper 32 bits of the product of two 32-bit numbers. */
function highWord(a, b) {
  const lowA = a & 0xffff;
  const highA = a >>> 16;
  const lowB = b & 0xffff;
  const highB = b >>> 16;
  const cross = ((lowA * lowB) >>> 16) + ((highA * lowB) & 0xffff) + ((lowA * highB) & 0xffff);
  const upper = ((highA * lowB) >>> 16) + ((lowA * highB) >>> 16) + (cross >>> 16);
  return (highA * highB + upper) >>> 0;
}

function uniform(drawn, low, high) {
  return low + drawn * (high - low);
}

/** Normal, cut off at low and high. */
function normal(drawn, low, high, mean, deviation) {
  if (deviation === 0) return mean;
  const below = normalShare((low - mean) / deviation);
  const above = normalShare((high - mean) / deviation);
  const uncut = mean + deviation * normalQuantile(below + drawn * (above - below));
  return Math.min(Math.max(uncut, low), high);
}

/** Exponential with mean stretch from the larger of low and shift on, cut off at high. */
function exponential(drawn, low, high, shift, stretch) {
  const start = Math.max(low, shift);
  if (stretch === 0) return start;
  const within = -Math.expm1(-(high - start) / stretch);
  return start - stretch * Math.log1p(-drawn * within);
}

function plainNormal(drawn, mean, deviation) {
  return mean + deviation * normalQuantile(drawn);
}

function plainExponential(drawn, mean) {
  return -mean * Math.log(drawn);
}

/** Lognormal with this mean and standard deviation of the number itself. */
function lognormal(drawn, mean, deviation) {
  const spread = Math.log(1 + square(deviation / mean));
  return Math.exp(Math.log(mean) - 0.5 * spread + Math.sqrt(spread) * normalQuantile(drawn));
}

function triangular(drawn, low, mode, high) {
  const turn = (mode - low) / (high - low);
  if (drawn < turn) return low + Math.sqrt(drawn * (high - low) * (mode - low));
  return high - Math.sqrt((1 - drawn) * (high - low) * (high - mode));
}

/** Poisson, by adding up the distribution; for a large mean the rounded normal. */
function poisson(drawn, mean) {
  if (mean > 500) {
    return Math.max(0, Math.floor(mean + Math.sqrt(mean) * normalQuantile(drawn) + 0.5));
  }
  let chance = Math.exp(-mean);
  let reached = chance;
  let counted = 0;
  while (reached < drawn && counted < 2000) {
    counted += 1;
    chance *= mean / counted;
    reached += chance;
  }
  return counted;
}

// --- functions that JavaScript lacks ---

/** Value at x of a polynomial; its coefficients from the highest power down. */
function polynomial(coefficients, x) {
  let value = coefficients[0];
  for (let k = 1; k < coefficients.length; k++) value = value * x + coefficients[k];
  return value;
}

// of the inverse normal distribution: numerators and denominators of three regions
const QUANTILE_MIDDLE = Float64Array.of(
  2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4,
  4.5921953931549871457e4, 1.3731693765509461125e4, 1.9715909503065514427e3,
  1.331416678917843774e2, 3.387132872796366608,
);
const QUANTILE_MIDDLE_BELOW = Float64Array.of(
  5.226495278852854561e3, 2.8729085735721942674e4, 3.9307895800092710610e4,
  2.1213794301586595867e4, 5.3941960214247511077e3, 6.871870074920579083e2,
  4.2313330701600911252e1, 1,
);
const QUANTILE_TAIL = Float64Array.of(
  7.7454501427834140764e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1,
  1.27045825245236838258, 3.64784832476320460504, 5.76949722146069140550,
  4.63033784615654529590, 1.42343711074968357734,
);
const QUANTILE_TAIL_BELOW = Float64Array.of(
  1.05075007164441684324e-9, 5.475938084995344946e-4, 1.51986665636164571966e-2,
  1.48103976427480074590e-1, 6.89767334985100004550e-1, 1.67638483018380384940,
  2.05319162663775882187, 1,
);
const QUANTILE_END = Float64Array.of(
  2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3,
  2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580,
  5.46378491116411436990, 6.65790464350110377720,
);
const QUANTILE_END_BELOW = Float64Array.of(
  2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5,
  7.86869131145613259100e-4, 1.48753612908506148525e-2, 1.36929880922735805310e-1,
  5.99832206555887937690e-1, 1,
);

/** Inverse of the standard normal distribution (Wichura 1988, AS 241, PPND16). */
function normalQuantile(p) {
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) {
    const near = 0.180625 - q * q;
    return (q * polynomial(QUANTILE_MIDDLE, near)) / polynomial(QUANTILE_MIDDLE_BELOW, near);
  }
  const tail = q < 0 ? p : 1 - p;
  if (tail <= 0) return q < 0 ? -Infinity : Infinity;
  const r = Math.sqrt(-Math.log(tail));
  const size =
    r <= 5
      ? polynomial(QUANTILE_TAIL, r - 1.6) / polynomial(QUANTILE_TAIL_BELOW, r - 1.6)
      : polynomial(QUANTILE_END, r - 5) / polynomial(QUANTILE_END_BELOW, r - 5);
  return q < 0 ? -size : size;
}

/** Standard normal distribution function. */
function normalShare(x) {
  return 0.5 * complementaryError(-x / Math.SQRT2);
}

// of the error function: numerators and denominators of four regions
const ERROR_NEAR = Float64Array.of(
  -2.37630166566501626084e-5, -5.77027029648944159157e-3, -2.84817495755985104766e-2,
  -3.25042107247001499370e-1, 1.28379167095512558561e-1,
);
const ERROR_NEAR_BELOW = Float64Array.of(
  -3.96022827877536812320e-6, 1.32494738004321644526e-4, 5.08130628187576562776e-3,
  6.50222499887672944485e-2, 3.97917223959155352819e-1, 1,
);
const ERROR_MIDDLE = Float64Array.of(
  -2.16637559486879084300e-3, 3.54783043256182359371e-2, -1.10894694282396677476e-1,
  3.18346619901161753674e-1, -3.72207876035701323847e-1, 4.14856118683748331666e-1,
  -2.36211856075265944077e-3,
);
const ERROR_MIDDLE_BELOW = Float64Array.of(
  1.19844998467991074170e-2, 1.36370839120290507362e-2, 1.26171219808761642112e-1,
  7.18286544141962662868e-2, 5.40397917702171048937e-1, 1.06420880400844228286e-1, 1,
);
const ERROR_TAIL = Float64Array.of(
  -9.81432934416914548592, -8.12874355063065934246e1, -1.84605092906711035994e2,
  -1.62396669462573470355e2, -6.23753324503260060396e1, -1.05586262253232909814e1,
  -6.93858572707181764372e-1, -9.86494403484714822705e-3,
);
const ERROR_TAIL_BELOW = Float64Array.of(
  -6.04244152148580987438e-2, 6.57024977031928170135, 1.08635005541779435134e2,
  4.29008140027567833386e2, 6.45387271733267880336e2, 4.34565877475229228821e2,
  1.37657754143519042600e2, 1.96512716674392571292e1, 1,
);
const ERROR_END = Float64Array.of(
  -4.83519191608651397019e2, -1.02509513161107724954e3, -6.37566443368389627722e2,
  -1.60636384855821916062e2, -1.77579549177547519889e1, -7.99283237680523006574e-1,
  -9.86494292470009928597e-3,
);
const ERROR_END_BELOW = Float64Array.of(
  -2.24409524465858183362e1, 4.74528541206955367215e2, 2.55305040643316442583e3,
  3.19985821950859553908e3, 1.53672958608443695994e3, 3.25792512996573918826e2,
  3.03380607434824582924e1, 1,
);

/** One less the error function (Sun Microsystems' fdlibm, s_erf.c). */
function complementaryError(x) {
  if (x !== x) return NaN;
  const size = Math.abs(x);
  if (size < 0.84375) {
    const z = x * x;
    const part = x * (polynomial(ERROR_NEAR, z) / polynomial(ERROR_NEAR_BELOW, z));
    return x < 0.25 ? 1 - (x + part) : 0.5 - (part + (x - 0.5));
  }
  if (size < 1.25) {
    const s = size - 1;
    const part =
      8.45062911510467529297e-1 + polynomial(ERROR_MIDDLE, s) / polynomial(ERROR_MIDDLE_BELOW, s);
    return x > 0 ? 1 - part : 1 + part;
  }
  if (size >= 28) return x > 0 ? 0 : 2;
  const s = 1 / (x * x);
  const ratio =
    size < 1 / 0.35
      ? polynomial(ERROR_TAIL, s) / polynomial(ERROR_TAIL_BELOW, s)
      : polynomial(ERROR_END, s) / polynomial(ERROR_END_BELOW, s);
  const z = Math.fround(size); // its square is exact
  const tail =
    (Math.exp(-z * z - 0.5625) * Math.exp((z - size) * (z + size) + ratio)) / size;
  return x > 0 ? tail : 2 - tail;
}

// B(2 k) / (2 k (2 k - 1)) for k = 8, ..., 1, of Stirling's series
const STIRLING = Float64Array.of(
  -3617 / 122400, 1 / 156, -691 / 360360, 1 / 1188, -1 / 1680, 1 / 1260, -1 / 360, 1 / 12,
);

/** Logarithm of the size of the gamma function, by Stirling's series above 15. */
function logGamma(x) {
  if (x !== x) return NaN;
  if (Math.abs(x) === Infinity || (x <= 0 && Math.floor(x) === x)) return Infinity;
  if (x < 0.5) {
    const share = Math.abs(Math.sin(Math.PI * (x - Math.round(x))));
    return Math.log(Math.PI / share) - logGamma(1 - x);
  }
  let product = 1;
  let y = x;
  while (y < 15) {
    product *= y;
    y += 1;
  }
  const series = polynomial(STIRLING, 1 / (y * y)) / y;
  return (y - 0.5) * Math.log(y) - y + 0.5 * Math.log(2 * Math.PI) + series - Math.log(product);
}

// --- functions of whole arrays: they read and write memory from the places given ---

/** Positions of n values in rising order; equal ones keep their order, missing ones come last. */
function risingOrder(place, n) {
  const order = Array.from({ length: n }, (_, k) => k);
  return order.sort((a, b) => compared(v[place + a], v[place + b]));
}

function compared(a, b) {
  if (a !== a || b !== b) return (a !== a ? 1 : 0) - (b !== b ? 1 : 0);
  return a < b ? -1 : a > b ? 1 : 0;
}

function vectorSortOrder(out, n, vector, direction) {
  const order = risingOrder(vector, n);
  if (!(v[direction] > 0)) order.reverse();
  for (let i = 0; i < n; i++) v[out + i] = order[i];
}

function vectorRank(out, n, vector, direction) {
  const order = risingOrder(vector, n);
  if (!(v[direction] > 0)) order.reverse();
  for (let i = 0; i < n; i++) v[out + order[i]] = i + 1;
}

function vectorReorder(out, n, vector, order) {
  for (let i = 0; i < n; i++) v[out + i] = v[vector + Math.trunc(v[order + i])];
}

/** Gauss-Jordan elimination with row exchange. */
function invertMatrix(out, n, matrix) {
  const a = Array.from({ length: n }, (_, row) =>
    v.slice(matrix + row * n, matrix + (row + 1) * n),
  );
  const b = a.map((_, row) => Float64Array.from({ length: n }, (_, k) => (k === row ? 1 : 0)));
  for (let column = 0; column < n; column++) {
    let pivot = column;
    for (let row = column + 1; row < n; row++) {
      if (Math.abs(a[row][column]) > Math.abs(a[pivot][column])) pivot = row;
    }
    [a[column], a[pivot]] = [a[pivot], a[column]];
    [b[column], b[pivot]] = [b[pivot], b[column]];
    const scale = a[column][column];
    for (let k = 0; k < n; k++) {
      a[column][k] /= scale;
      b[column][k] /= scale;
    }
    for (let row = 0; row < n; row++) {
      const factor = a[row][column];
      if (row === column || factor === 0) continue;
      for (let k = 0; k < n; k++) {
        a[row][k] -= factor * a[column][k];
        b[row][k] -= factor * b[column][k];
      }
    }
  }
  for (let row = 0; row < n; row++) v.set(b[row], out + row * n);
}

/** What one target takes at price level x (Vensim's priority profiles: kind, priority, width). */
function demand(x, request, profile) {
  if (request === 0) return 0;
  const kind = v[profile];
  const priority = v[profile + 1];
  const width = v[profile + 2];
  const half = 0.5 * width;
  if (kind === 1) {
    // rectangular
    if (x <= priority - half) return request;
    return x < priority + half ? request * (1 - (x - priority + half) / width) : 0;
  }
  if (kind === 2) {
    // triangular
    if (x <= priority - half) return request;
    if (x < priority) return request * (1 - (2 * square(x - priority + half)) / square(width));
    return x < priority + half ? (2 * request * square(priority + half - x)) / square(width) : 0;
  }
  if (kind === 3) return request * normalShare((priority - x) / width);
  if (kind === 4) {
    // exponential
    if (x < priority) return request * (1 - 0.5 * Math.exp((x - priority) / width));
    return request * 0.5 * Math.exp((priority - x) / width);
  }
  if (kind === 5) {
    // constant elasticity
    if (x <= 0) return request;
    return request * (1 - 1 / (1 + power(priority / x, v[profile + 3])));
  }
  return NaN;
}

/** Share a supply by priority profiles: find the level at which demand meets supply. */
function allocateAvailable(out, n, request, profile, available) {
  const supply = v[available];
  let asked = 0;
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < n; i++) {
    asked += v[request + i];
    if (v[request + i] !== 0) {
      const reach = 40 * v[profile + 4 * i + 2];
      low = Math.min(low, v[profile + 4 * i + 1] - reach);
      high = Math.max(high, v[profile + 4 * i + 1] + reach);
    }
  }
  if (supply >= asked || supply <= 0) {
    for (let i = 0; i < n; i++) v[out + i] = supply > 0 ? v[request + i] : 0;
    return;
  }
  let level = NaN;
  for (let turn = 0; turn < 200; turn++) {
    // halving to the last digit
    level = 0.5 * (low + high);
    let taken = 0;
    for (let i = 0; i < n; i++) taken += demand(level, v[request + i], profile + 4 * i);
    if (level === low || level === high) break;
    if (taken > supply) low = level;
    else high = level;
  }
  for (let i = 0; i < n; i++) v[out + i] = demand(level, v[request + i], profile + 4 * i);
}

/**
 * Share a supply by priority: a lower target starts when a higher one has had its head start.
 *
 * The supply goes to all targets that have started and are not full, in proportion to their
 * requests; a target starts when the one above it has had (distance in priority / width) of its
 * request.
 */
function allocateByPriority(out, n, request, priority, width, available) {
  const supply = v[available];
  let asked = 0;
  for (let i = 0; i < n; i++) {
    asked += v[request + i];
    v[out + i] = 0;
  }
  if (supply >= asked) {
    for (let i = 0; i < n; i++) v[out + i] = v[request + i];
    return;
  }
  if (supply <= 0) return;
  const ranked = Array.from({ length: n }, (_, k) => k);
  ranked.sort((a, b) => compared(-v[priority + a], -v[priority + b]));
  const order = ranked.filter((i) => v[request + i] !== 0);
  const head = order.map((i, k) => {
    // what a target has had when the next one starts
    if (k + 1 === order.length) return v[request + i];
    const gap = (v[priority + i] - v[priority + order[k + 1]]) / v[width];
    return v[request + i] * (gap > 1 ? 1 : gap);
  });
  let started = 1;
  let left = supply;
  for (let turn = 0; turn < 3 * n + 3; turn++) {
    while (
      started < order.length &&
      v[out + order[started - 1]] >= head[started - 1] * (1 - 1e-15)
    ) {
      started += 1;
    }
    const hungry = order.slice(0, started).filter((i) => v[out + i] < v[request + i]);
    const wanted = hungry.reduce((sum, i) => sum + v[request + i], 0);
    if (wanted === 0 || left <= 0) return;
    let part = left / wanted; // of each request, until something changes
    for (const i of hungry) {
      part = Math.min(part, (v[request + i] - v[out + i]) / v[request + i]);
    }
    if (started < order.length) {
      const i = order[started - 1];
      if (v[out + i] < v[request + i]) {
        part = Math.min(part, (head[started - 1] - v[out + i]) / v[request + i]);
      }
    }
    for (const i of hungry) {
      v[out + i] = Math.min(v[request + i], v[out + i] + part * v[request + i]);
    }
    left -= part * wanted;
  }
}
