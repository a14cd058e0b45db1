"use strict";
// What the reader has chosen. A policy is {setting, preset, changes}: a place, a policy that comes
// with the model ("" for none), and by name of the lever what differs from it.

kredslob.state = (() => {
  const MOST_SAVED = 4;
  let policy = {setting: "", preset: "", changes: {}};
  let measure = "fund";
  let saved = [];
  let settings = {};
  const levers = new Map();

  const copy = (one) => ({...one, changes: {...one.changes}});
  const base = (lever, one = policy) => kredslob.model.base(lever, one);
  const value = (name, one = policy) => {
    const lever = levers.get(name);
    return one.changes[name] ?? base(lever, one);
  };

  const changed = () => {
    kredslob.notice("");
    kredslob.compute();
  };

  // The reader moves a lever; null puts it back.
  const set = (name, number) => {
    const lever = levers.get(name);
    if (!lever || (number !== null && !Number.isFinite(number))) return;
    const {[name]: _, ...others} = policy.changes;
    const back = number === null || number === base(lever);
    policy = {...policy, changes: back ? others : {...others, [name]: number}};
    changed();
  };

  // All of a policy at once. False, and nothing changes, where it makes no sense.
  const replace = (wanted) => {
    if (!isPolicy(wanted)) return false;
    policy = copy(wanted);
    kredslob.tell("policy");
    changed();
    return true;
  };

  const isPolicy = (one) =>
    Object.hasOwn(settings, one?.setting) &&
    Object.hasOwn(settings[one.setting].policies, one.preset) &&
    Object.entries(one.changes ?? {}).every(
      ([name, number]) => levers.has(name) && Number.isFinite(number),
    );

  const show = (wanted) => {
    measure = wanted;
    kredslob.redraw();
  };

  // Keeps a proposal beside the others; false when there is no room.
  const save = (name = "", one = policy) => {
    if (saved.length >= MOST_SAVED || !isPolicy(one)) return false;
    const slots = saved.map((kept) => kept.slot);
    const slot = [0, 1, 2, 3].find((number) => !slots.includes(number));
    saved = [...saved, {slot, name, policy: copy(one)}].sort((a, b) => a.slot - b.slot);
    kredslob.tell("saved");
    kredslob.redraw();
    return true;
  };

  const rename = (slot, name) => {
    saved = saved.map((kept) => (kept.slot === slot ? {...kept, name} : kept));
    kredslob.tell("saved");
    kredslob.redraw();
  };

  const remove = (slot) => {
    saved = saved.filter((kept) => kept.slot !== slot);
    kredslob.tell("saved");
    kredslob.redraw();
  };

  const savedName = (kept) =>
    kept.name || kredslob.word("workshop.saved_as", {letter: "ABCD"[kept.slot]});

  const start = (known) => {
    settings = known.settings;
    for (const group of known.levers) for (const lever of group.levers) levers.set(lever.name, lever);
    policy = {setting: known.setting, preset: "", changes: {}};
  };

  return {
    MOST_SAVED, start, set, replace, isPolicy, save, rename, remove, savedName, show, base, value, levers,
    get policy() { return copy(policy); },
    get measure() { return measure; },
    get saved() { return saved; },
  };
})();
