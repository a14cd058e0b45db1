"use strict";
// The levers: native sliders and radio buttons, so that keyboard and screen reader come with them.

kredslob.levers = (() => {
  const {word, number, percent, money, has} = kredslob.language;
  const TALL = 900; // pixels: room for a group of levers from the start
  const shown = new Map(); // by name: the elements of a lever
  const counts = []; // how many levers of a fold have been moved

  const elementLabel = (lever) => word(`workshop.lever.${lever.constant}`, {
    element: lever.element ? word(`element.${lever.element}`) : "", year: lever.point === null ? "" : number(lever.point),
  });

  // Where levers lie under a heading they say only their element; elsewhere the heading goes along.
  const label = (lever) =>
    lever.fold && lever.element ? `${word(`workshop.fold.${lever.fold}`)}: ${elementLabel(lever)}` : elementLabel(lever);

  const written = (lever, value) => {
    switch (lever.form) {
      case "percent": return percent(value);
      case "money": return money(value);
      case "years": return word("workshop.form.years", {amount: number(value, Number.isInteger(value) ? 0 : 1)});
      case "times": return word("workshop.form.times", {amount: number(value, 2)});
      case "choice": return word(`workshop.choice.${lever.constant} ${value}`);
      default: return number(value, 2);
    }
  };

  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "class") element.className = value;
      else if (name in element && typeof value !== "string") element[name] = value;
      else element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  };

  const build = () => {
    const place = document.getElementById("levers");
    const open = new Map([...place.querySelectorAll("details")].map((one) => [one.dataset.name, one.open]));
    shown.clear();
    counts.length = 0;
    const top = make("div", {class: "bar"}, make("h2", {}, word("workshop.levers")),
      make("button", {type: "button", id: "reset-all"}, word("workshop.reset_all")));
    top.lastChild.addEventListener("click", resetAll);
    const groups = kredslob.known.levers.map((group, i) => (i === 0 ? first(group) : folded(group, open, i === 1 && innerHeight > TALL)));
    place.replaceChildren(groups[0], top, ...groups.slice(1));
    show();
  };

  const first = (group) =>
    make("div", {class: "first", role: "group", "aria-label": word(`workshop.group.${group.name}`)},
      make("h2", {}, word(`workshop.group.${group.name}`)), ...group.levers.map(one));

  const folded = (group, open, isOpen) => {
    const parts = [];
    for (const lever of group.levers) {
      const last = parts.at(-1);
      if (lever.fold && last?.fold === lever.fold) last.levers.push(lever);
      else parts.push({fold: lever.fold, levers: [lever]});
    }
    const details = foldOf(group.name, `group.${group.name}`, group.levers, open.get(group.name) ?? isOpen,
      parts.flatMap(({fold, levers}) => (fold ? [inner(fold, levers, open)] : levers.map(one))));
    details.dataset.group = group.name;
    return details;
  };

  // Levers of one kind, one for each element: folded away under one heading.
  const inner = (fold, levers, open) => {
    const hint = has(`workshop.fold_hint.${fold}`) ? [make("p", {class: "hint"}, word(`workshop.fold_hint.${fold}`))] : [];
    const details = foldOf(fold, `fold.${fold}`, levers, open.get(fold) ?? false, [...hint, ...levers.map(one)]);
    details.classList.add("inner");
    return details;
  };

  const foldOf = (name, heading, levers, isOpen, children) => {
    const count = make("span", {class: "count"});
    const details = make("details", {open: isOpen},
      make("summary", {}, make("span", {}, word(`workshop.${heading}`)), count), ...children);
    details.dataset.name = name;
    counts.push({count, levers});
    return details;
  };

  const one = (lever) => {
    const id = `lever-${lever.name.replace(/\W+/g, "-")}`;
    const reset = make("button", {type: "button", class: "reset", "aria-label": word("workshop.reset", {lever: label(lever)}), title: word("workshop.reset_short")}, "\u21BA");
    reset.addEventListener("click", () => {
      kredslob.state.set(lever.name, null);
      document.getElementById(id)?.focus();
    });
    const output = make("output", {for: id});
    const hint = has(`workshop.hint.${lever.constant}`) ? [make("p", {class: "hint", id: `${id}-hint`}, word(`workshop.hint.${lever.constant}`))] : [];
    const described = hint.length ? {"aria-describedby": `${id}-hint`} : {};
    const row = lever.form === "choice" ? choice(lever, id, reset, hint) : slider(lever, id, reset, output, hint, described);
    row.dataset.lever = lever.name;
    shown.set(lever.name, {row, reset, output, lever, input: row.querySelector("input[type=range]"), radios: [...row.querySelectorAll("input[type=radio]")]});
    return row;
  };

  const slider = (lever, id, reset, output, hint, described) => {
    const input = make("input", {type: "range", id, min: String(lever.low), max: String(lever.high), step: String(lever.step), ...described,
      ...(lever.fold && lever.element ? {"aria-label": label(lever)} : {})});
    input.addEventListener("input", () => kredslob.state.set(lever.name, Number(input.value)));
    return make("div", {class: "lever"},
      make("div", {class: "line"}, make("label", {for: id}, elementLabel(lever)), reset, output), input, ...hint);
  };

  const choice = (lever, id, reset, hint) => {
    const options = [];
    for (let value = lever.low; value <= lever.high; value++) {
      const radio = make("input", {type: "radio", name: id, value: String(value), id: value === lever.low ? id : `${id}-${value}`});
      radio.addEventListener("change", () => kredslob.state.set(lever.name, value));
      options.push(make("label", {}, radio, make("span", {}, written(lever, value))));
    }
    return make("fieldset", {class: "lever"},
      make("legend", {}, label(lever)), make("div", {class: "options"}, ...options, reset), ...hint);
  };

  // The slider reaches as far as the place or policy needs.
  const widened = (lever) => {
    const base = kredslob.state.base(lever);
    const most = base > lever.high ? Math.ceil((2 * base) / lever.step) * lever.step : lever.high;
    return [Math.min(lever.low, base), Math.max(most, kredslob.state.value(lever.name))];
  };

  const show = () => {
    const {changes} = kredslob.state.policy;
    for (const [name, {row, reset, output, input, radios, lever}] of shown) {
      const value = kredslob.state.value(name);
      const text = written(lever, value);
      if (input) {
        const [low, high] = widened(lever);
        if (input.min !== String(low)) input.min = String(low);
        if (input.max !== String(high)) input.max = String(high);
        if (Number(input.value) !== value) input.value = String(value);
        if (input.getAttribute("aria-valuetext") !== text) input.setAttribute("aria-valuetext", text);
        if (output.textContent !== text) output.textContent = text;
        const part = `${(100 * (value - low)) / (high - low || 1)}%`;
        if (input.style.getPropertyValue("--part") !== part) input.style.setProperty("--part", part);
      }
      for (const radio of radios) radio.checked = Number(radio.value) === value;
      const changed = name in changes;
      reset.disabled = !changed;
      row.classList.toggle("changed", changed);
      row.hidden = !lever.shownWhen.every(([other, wanted]) => kredslob.state.value(other) === wanted);
    }
    document.getElementById("reset-all").disabled = Object.keys(changes).length === 0;
    for (const {count, levers} of counts) {
      const moved = levers.filter((lever) => lever.name in changes).length;
      const text = moved ? word("workshop.changed", {count: number(moved)}) : "";
      if (count.textContent !== text) count.textContent = text;
    }
  };

  const resetAll = () => kredslob.state.replace({...kredslob.state.policy, changes: {}});

  // --- place and policy ---

  const fillChoices = () => {
    const {policy} = kredslob.state;
    const settings = kredslob.known.settings;
    const option = (value, text) => {
      const made = make("option", {value});
      made.textContent = text;
      return made;
    };
    const language = kredslob.language.now;
    document.getElementById("setting").replaceChildren(
      ...Object.entries(settings).map(([name, {title}]) => option(name, title[language])));
    document.getElementById("preset").replaceChildren(
      ...Object.entries(settings[policy.setting].policies).map(([name, {title}]) =>
        option(name, name ? title[language] : word("workshop.no_preset"))));
    document.getElementById("setting").value = policy.setting;
    document.getElementById("preset").value = policy.preset;
  };

  const start = () => {
    build();
    fillChoices();
    const [setting, preset] = ["setting", "preset"].map((id) => document.getElementById(id));
    setting.addEventListener("change", () => kredslob.state.replace({...kredslob.state.policy, setting: setting.value, changes: {}}));
    preset.addEventListener("change", () => kredslob.state.replace({...kredslob.state.policy, preset: preset.value, changes: {}}));
  };

  kredslob.register("levers", {
    start,
    update: show,
    policy: fillChoices,
    language: () => { build(); fillChoices(); },
  });

  return {label, written, make};
})();
