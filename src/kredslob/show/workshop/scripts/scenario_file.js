"use strict";
// A policy as a scenario file that `kredslob run` takes, and back.
//
// A shelf says what the model's files hold: {settings: {NAME: {POLICY: parameters}}, elements:
// {CONSTANT: [element]}}, where parameters are those that the policy states otherwise than the
// setting. `base(setting, preset, lever)` gives the value of a lever before anything is moved,
// `points(table)` the points of a table over time as the levers have it: [[time], [value]].

kredslob.scenarioFile = (() => {
  const COMMENT = /^# kredslob: (\S+)$/m; // the setting that a file was made for
  const UNITS = ["", "DKK", "DKK/year", "year", "years", "%"];
  const SCALES = {thousand: 1e3, million: 1e6, billion: 1e9};
  const NEAR = 1e-9; // of a value: the same

  function written(shelf, catalog, policy, points, words) {
    const parameters = structuredClone(shelf.settings[policy.setting][policy.preset] ?? {});
    for (const lever of catalog.levers)
      if (policy.changes[lever.id] !== undefined)
        put(parameters, points, lever, policy.changes[lever.id]);
    const lines = Object.entries(parameters).map(([name, value]) => `${quoted(name)} = ${shown(value)}`);
    return [
      `# ${words.how}`,
      `# kredslob: ${policy.setting}`,
      "",
      "[title]",
      `da = ${quoted(words.title.da)}`,
      `en = ${quoted(words.title.en)}`,
      "",
      "[description]",
      `da = ${quoted(words.description.da)}`,
      `en = ${quoted(words.description.en)}`,
      "",
      "[parameters]",
      ...lines,
      "",
    ].join("\n");
  }

  function put(parameters, points, lever, value) {
    const name = lever.constant;
    if (lever.point !== null) {
      const [times, values] = points(name);
      parameters[name] = times.map((time, k) => [time, values[k]]);
    } else if (lever.element) (parameters[name] ??= {})[lever.element] = value;
    else parameters[name] = value;
  }

  function quoted(text) {
    return JSON.stringify(text).replace(/\u007f/g, "\\u007f");
  }

  function shown(value) {
    if (Array.isArray(value)) return `[${value.map(shown).join(", ")}]`;
    if (typeof value !== "object") return String(value);
    const parts = Object.entries(value).map(([name, part]) => `${quoted(name)} = ${shown(part)}`);
    return `{ ${parts.join(", ")} }`;
  }

  // --- reading -------------------------------------------------------------------------------

  function read(shelf, catalog, base, text, setting, toml) {
    let content;
    try {
      content = toml.parse(text);
    } catch (problem) {
      if (!(problem instanceof toml.TomlError)) throw problem;
      throw new kredslob.Refusal("file_not_toml", {line: problem.line});
    }
    const strange = Object.keys(content).find(
      (key) => !["title", "description", "parameters", "on"].includes(key),
    );
    if (strange) throw new kredslob.Refusal("file_key", {key: strange});
    if (!isTable(content.title) || !isTable(content.parameters ?? {}))
      throw new kredslob.Refusal("file_no_scenario");
    const place = settingOf(shelf, text, setting);
    const own = content.on?.[place]?.parameters ?? {};
    const stated = flattened(shelf, merged(content.parameters ?? {}, own));
    const found = nearest(shelf, catalog, base, place, stated);
    return {...found, titles: titlesOf(content.title)};
  }

  function isTable(value) {
    return typeof value === "object" && value !== null && !Array.isArray(value);
  }

  function titlesOf(title) {
    const text = (value) => (typeof value === "string" ? value : "");
    return {da: text(title.da), en: text(title.en)};
  }

  function settingOf(shelf, text, current) {
    const named = COMMENT.exec(text)?.[1];
    if (named === undefined) return current;
    if (!shelf.settings[named]) throw new kredslob.Refusal("file_setting", {name: named});
    return named;
  }

  function merged(first, second) {
    const result = {...first};
    for (const [name, value] of Object.entries(second))
      result[name] = isTable(value) && isTable(result[name]) ? {...result[name], ...value} : value;
    return result;
  }

  // Numbers by constant, or by constant[element]; the points of a schedule as they are.
  function flattened(shelf, parameters) {
    const found = new Map();
    for (const [name, value] of Object.entries(parameters)) {
      if (Array.isArray(value)) found.set(name, value);
      else if (!isTable(value)) found.set(name, numberIn(name, value));
      else
        for (const [element, part] of Object.entries(value)) {
          const label = `${name}[${element}]`;
          const known = shelf.elements[name];
          if (known && !known.includes(element))
            throw new kredslob.Refusal("file_no_lever", {key: label});
          found.set(label, numberIn(label, part));
        }
    }
    return found;
  }

  function numberIn(key, value) {
    if (typeof value === "number" && Number.isFinite(value)) return value;
    const parts = /^\s*(-?\d+(?:\.\d+)?)\s*(thousand|million|billion)?\s*(\S*)\s*$/.exec(value);
    if (typeof value !== "string" || !parts || !UNITS.includes(parts[3]))
      throw new kredslob.Refusal("file_value", {key, value: shownShort(value)});
    const number = Number(parts[1]) * (SCALES[parts[2]] ?? 1);
    return parts[3] === "%" ? Number((number / 100).toPrecision(15)) : number;
  }

  function shownShort(value) {
    return (isTable(value) ? "{…}" : JSON.stringify(value)).slice(0, 40);
  }

  // The policy of the model from which fewest levers have to be moved to come to what is stated.
  function nearest(shelf, catalog, base, setting, stated) {
    const rest = new Map(stated);
    const wanted = taken(catalog, rest);
    for (const [lever, value] of wanted) checked(lever, value);
    const fits = ["", ...catalog.presets].filter((preset) =>
      sameBeyondLevers(shelf, catalog, shelf.settings[setting][preset] ?? {}, rest),
    );
    if (!fits.length) throw new kredslob.Refusal("file_no_lever", {key: [...rest.keys()][0] ?? "?"});
    const tried = fits.map((preset) => ({
      setting,
      preset,
      changes: changesFrom(catalog, base, setting, preset, wanted),
    }));
    const size = (one) => Object.keys(one.changes).length;
    return tried.reduce((best, one) => (size(one) < size(best) ? one : best));
  }

  // Takes out of what is stated what levers can set: values by lever.
  function taken(catalog, rest) {
    const found = new Map();
    for (const lever of catalog.levers) {
      if (lever.point !== null) continue;
      const label = lever.element ? `${lever.constant}[${lever.element}]` : lever.constant;
      if (rest.has(label)) found.set(lever, rest.get(label));
      rest.delete(label);
    }
    const tables = new Set(catalog.levers.filter((one) => one.point !== null).map((one) => one.constant));
    for (const table of tables) {
      const levers = catalog.levers.filter((one) => one.constant === table);
      const points = rest.get(table);
      if (!arePointsOf(levers, points)) continue;
      levers.forEach((lever, k) => found.set(lever, points[k][1]));
      rest.delete(table);
    }
    return found;
  }

  // Whether a table has a point for each of its levers, and is flat after the last.
  function arePointsOf(levers, points) {
    return (
      Array.isArray(points) &&
      points.length === levers.length + 1 &&
      points.every((point) => Array.isArray(point) && point.length === 2) &&
      levers.every((lever, k) => points[k][0] === lever.point) &&
      points.at(-1)[0] > points.at(-2)[0] &&
      points.at(-1)[1] === points.at(-2)[1]
    );
  }

  function checked(lever, value) {
    if (typeof value !== "number" || !(value >= lever.low && value <= lever.high))
      throw new kredslob.Refusal("file_range", {
        key: lever.id,
        value: shownShort(value),
        low: lever.low,
        high: lever.high,
      });
  }

  function sameBeyondLevers(shelf, catalog, parameters, rest) {
    const own = flattened(shelf, parameters);
    taken(catalog, own);
    return own.size === rest.size && [...own].every(([k, v]) => same(v, rest.get(k)));
  }

  function same(a, b) {
    return JSON.stringify(a) === JSON.stringify(b);
  }

  // Levers that the file leaves alone go back to where the setting has them.
  function changesFrom(catalog, base, setting, preset, wanted) {
    const changes = {};
    for (const lever of catalog.levers) {
      const value = wanted.get(lever) ?? base(setting, "", lever);
      const before = base(setting, preset, lever);
      if (Math.abs(value - before) > NEAR * Math.max(1, Math.abs(before)))
        changes[lever.id] = kredslob.share.snapped(lever, value);
    }
    return changes;
  }

  return {written, read};
})();
