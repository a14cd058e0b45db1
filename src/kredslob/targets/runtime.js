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
