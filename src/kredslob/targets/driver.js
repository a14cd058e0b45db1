// Takes a run through time. The same for every model; the names in capitals stand above.

const v = new Float64Array(SIZE); // all values of a run: stocks, their rates, constants, the rest
const held = new Float64Array(STATES);
const total = new Float64Array(STATES);
const clock = new Float64Array(2); // time and time step
let xs = TABLE_XS; // points of all tables, one after the other
let ys = TABLE_YS;
let first = TABLE_FIRST; // where those of each element begin
let count = TABLE_COUNT; // and how many there are
let seedLow = 0;
let seedHigh = 0;
let runNumber = 0;
let stepNumber = 0;
let kept = new Float64Array(1024); // values as they are saved; grows, and is used again
let keptTimes = new Float64Array(64);

/**
 * Run the model once.
 *
 * @param {object} request
 * @param {Float64Array} [request.constants] All constants; default: `defaults`.
 * @param {Object<string, number[][][]>} [request.tables] Tables to replace: by name, the points
 *   [xs, ys] of each element; xs rise.
 * @param {Int32Array|number[]} request.places Places in memory to save.
 * @param {number[]} [request.at] Times to save, rising; default: each SAVEPER.
 * @param {string} [request.integration] "euler" or "rk4"; default: as the file says.
 * @param {number} [request.seed] Of the random numbers.
 * @param {number} [request.number] Number of the run, which makes its random numbers its own.
 * @returns {{times: Float64Array, values: Float64Array}} values: a row for each time, in it one
 *   number for each place. Both are new arrays, the caller's own.
 * @throws {Error} What is asked for makes no sense.
 */
function simulate(request) {
  const integration = request.integration === undefined ? INTEGRATION : request.integration;
  if (integration !== "euler" && integration !== "rk4") {
    throw new Error(`integration: found '${integration}', expected euler or rk4`);
  }
  const seed = request.seed === undefined ? 0 : request.seed;
  seedLow = seed >>> 0;
  seedHigh = Math.floor(seed / 4294967296) >>> 0;
  runNumber = request.number === undefined ? 0 : request.number >>> 0;
  const places = checkedPlaces(request.places);
  setTables(request.tables);
  setUp(request.constants === undefined ? defaults : request.constants);
  const at = request.at === undefined ? NO_TIMES : Float64Array.from(request.at);
  const rows = integrate(places, at, integration === "rk4");
  checkReached(at, rows);
  return {
    times: at.length > 0 ? at.slice(0, rows) : roundedTimes(rows),
    values: kept.slice(0, rows * places.length),
  };
}

const NO_TIMES = new Float64Array(0);

function checkedPlaces(asked) {
  const places = asked instanceof Int32Array ? asked : Int32Array.from(asked);
  for (let k = 0; k < places.length; k++) {
    if (!(places[k] >= 0 && places[k] < SIZE)) {
      throw new Error(`places: found ${places[k]}, expected a place in memory below ${SIZE}`);
    }
  }
  return places;
}

function setTables(changed) {
  xs = TABLE_XS;
  ys = TABLE_YS;
  first = TABLE_FIRST;
  count = TABLE_COUNT;
  if (changed === undefined || Object.keys(changed).length === 0) return;
  const newXs = Array.from(TABLE_XS);
  const newYs = Array.from(TABLE_YS);
  first = TABLE_FIRST.slice();
  count = TABLE_COUNT.slice();
  for (const name of Object.keys(changed)) {
    if (!Object.prototype.hasOwnProperty.call(MODEL.tables, name)) {
      throw new Error(`tables: the model has no table '${name}'`);
    }
    const { number, shape } = MODEL.tables[name];
    const elements = shape.reduce((a, b) => a * b, 1);
    if (changed[name].length !== elements) {
      throw new Error(`tables: ${name} has ${elements} elements, found ${changed[name].length}`);
    }
    changed[name].forEach(([x, y], element) => {
      first[number + element] = newXs.length;
      count[number + element] = x.length;
      newXs.push(...x);
      newYs.push(...y);
    });
  }
  xs = Float64Array.from(newXs);
  ys = Float64Array.from(newYs);
}

function setUp(constants) {
  if (constants.length !== defaults.length) {
    throw new Error(`constants: found ${constants.length} values, expected ${defaults.length}`);
  }
  v.fill(NaN);
  v.set(constants, MODEL.firstConstant);
  stepNumber = 0;
  clock.fill(NaN);
  initialise();
}

function integrate(places, at, rk4) {
  const start = v[INITIAL_PLACE];
  let t = start;
  let rows = 0;
  let steps = 0;
  clock[0] = t;
  clock[1] = v[STEP_PLACE];
  setUpPipes();
  for (;;) {
    dynamics();
    const dt = v[STEP_PLACE];
    const final = v[FINAL_PLACE];
    if (!(dt > 0) || final !== final || t !== t) {
      throw new Error(
        "INITIAL TIME, FINAL TIME and TIME STEP must be numbers and TIME STEP above 0",
      );
    }
    clock[1] = dt;
    if (isSaved(t, dt, start, v[SAVEPER_PLACE], at, rows)) {
      makeRoom(rows + 1, places.length);
      reports();
      const row = rows * places.length;
      for (let k = 0; k < places.length; k++) kept[row + k] = v[places[k]];
      keptTimes[rows] = t;
      rows += 1;
    }
    if (!(t + PRECISION * dt < final)) return rows;
    if (steps >= MOST_STEPS) {
      throw new Error("the run takes more than 100 million steps; choose a larger TIME STEP");
    }
    if (rk4) advanceByRk4(t, dt);
    updates();
    advancePipes();
    for (let k = 0; k < STATES; k++) v[k] += dt * v[STATES + k];
    for (let k = 0; k < FLOORED.length; k++) v[FLOORED[k]] = Math.max(v[FLOORED[k]], 0);
    t += dt;
    clock[0] = t;
    steps += 1;
    stepNumber = steps;
  }
}

/** Leave the mean rate of the step in the place of the rates, and the stocks as they were. */
function advanceByRk4(t, dt) {
  for (let k = 0; k < STATES; k++) {
    held[k] = v[k];
    total[k] = v[STATES + k];
    v[k] = held[k] + 0.5 * dt * v[STATES + k];
  }
  clock[0] = t + 0.5 * dt;
  dynamics();
  for (let k = 0; k < STATES; k++) {
    total[k] += 2 * v[STATES + k];
    v[k] = held[k] + 0.5 * dt * v[STATES + k];
  }
  dynamics();
  for (let k = 0; k < STATES; k++) {
    total[k] += 2 * v[STATES + k];
    v[k] = held[k] + dt * v[STATES + k];
  }
  clock[0] = t + dt;
  dynamics();
  for (let k = 0; k < STATES; k++) {
    total[k] = (total[k] + v[STATES + k]) / 6;
    v[k] = held[k];
  }
  clock[0] = t;
  if (IS_DISCRETE) dynamics(); // what is not integrated moves on from the values at t
  for (let k = 0; k < STATES; k++) v[STATES + k] = total[k];
}

/** Whether values are saved at this time: at the times asked for, or each SAVEPER. */
function isSaved(t, dt, start, saveper, at, reached) {
  if (at.length > 0) return reached < at.length && Math.abs(t - at[reached]) <= 0.05 * dt;
  const gone = t - start;
  return remainder(gone, saveper) < PRECISION * dt || remainder(-gone, saveper) < PRECISION * dt;
}

function makeRoom(rows, columns) {
  if (rows * Math.max(1, columns) > MOST_VALUES) {
    throw new Error(`a run would save more than ${MOST_VALUES} values`);
  }
  if (rows > keptTimes.length) keptTimes = larger(keptTimes, rows);
  if (rows * columns > kept.length) kept = larger(kept, rows * columns);
}

function larger(array, size) {
  const copy = new Float64Array(Math.max(size, 2 * array.length));
  copy.set(array);
  return copy;
}

function checkReached(at, rows) {
  if (rows < at.length && at[rows] <= v[FINAL_PLACE] + 0.05 * v[STEP_PLACE]) {
    throw new Error(`nothing is saved at ${at[rows]}: it is no time step, or the run has ended`);
  }
}

/** Times without the last digits that adding up steps leaves behind. */
function roundedTimes(rows) {
  const digits = Math.max(-Math.trunc(Math.log10(v[STEP_PLACE] * PRECISION)), 0);
  const scale = 10 ** digits;
  return keptTimes.slice(0, rows).map((t) => Math.round(t * scale) / scale);
}

// --- fixed delays: a queue of one place a step between what goes in and what comes out ---

const pipeLengths = new Int32Array(PIPE_TARGETS.length);
const pipeStarts = new Int32Array(PIPE_TARGETS.length);
const pipeTurns = new Int32Array(PIPE_TARGETS.length);
let queue = new Float64Array(0);

function setUpPipes() {
  const dt = v[STEP_PLACE];
  let places = 0;
  for (let pipe = 0; pipe < PIPE_TARGETS.length; pipe++) {
    let steps = v[PIPE_DELAYS[pipe]] / dt;
    if (!(steps >= 1)) steps = 1;
    if (PIPE_PRESENT[pipe] >= 0) {
      // room for all that can arrive before the run ends
      const most = (v[FINAL_PLACE] - v[INITIAL_PLACE]) / dt + 2;
      steps = steps > most || steps !== steps ? steps : most;
    }
    if (!(steps <= LONGEST_PIPE)) {
      throw new Error("a fixed delay is longer than 10 million time steps");
    }
    pipeLengths[pipe] = roundedToEven(steps + SMALL);
    pipeStarts[pipe] = places;
    pipeTurns[pipe] = 0;
    places += pipeLengths[pipe];
  }
  if (queue.length < places) queue = new Float64Array(places);
  for (let pipe = 0; pipe < PIPE_TARGETS.length; pipe++) fillPipe(pipe, dt);
}

/** What comes out until the first input arrives; NaN where nothing is. */
function fillPipe(pipe, dt) {
  let full = pipeLengths[pipe];
  if (PIPE_PRESENT[pipe] >= 0) {
    const steps = Math.max(v[PIPE_DELAYS[pipe]] / dt, 1);
    full = Math.min(full, roundedToEven(steps + SMALL));
  }
  for (let place = 0; place < pipeLengths[pipe]; place++) {
    queue[pipeStarts[pipe] + place] = place < full ? v[PIPE_TARGETS[pipe]] : NaN;
  }
}

/** One step: put in what enters, take out what arrives. */
function advancePipes() {
  const dt = clock[1];
  for (let pipe = 0; pipe < PIPE_TARGETS.length; pipe++) {
    const entering = v[PIPE_SOURCES[pipe]];
    const start = pipeStarts[pipe];
    const length = pipeLengths[pipe];
    if (PIPE_PRESENT[pipe] < 0) {
      queue[start + pipeTurns[pipe]] = entering;
    } else {
      queue[start + pipeTurns[pipe]] = NaN;
      const steps = Math.min(Math.max(v[PIPE_PRESENT[pipe]] / dt, 1), LONGEST_PIPE);
      const ahead = roundedToEven(steps + SMALL);
      if (ahead <= length) {
        const place = start + ((pipeTurns[pipe] + ahead) % length);
        const before = queue[place];
        queue[place] = entering + (before === before ? before : 0);
      }
    }
    pipeTurns[pipe] = (pipeTurns[pipe] + 1) % length;
    let out = queue[start + pipeTurns[pipe]];
    if (PIPE_PRESENT[pipe] >= 0 && out !== out) out = v[PIPE_MISSING[pipe]];
    v[PIPE_TARGETS[pipe]] = out;
  }
}
