"use strict";
// A policy as a code that people can read aloud and type on a phone.
//
// A policy is {setting, preset, changes: {lever: value}, name}; a catalog says what there is to
// choose: {settings: [name], presets: [name], levers: [{id, low, high, step}]}. The code is a row of
// bits in Crockford's base 32: a mark of the catalog (10), setting (3), preset (5), number of changes
// (7), each as lever (7) and number of steps above its lowest value (as many bits as its steps need),
// the name, and a checksum.
//
// The checksum is a CRC of 15 bits, which finds every damage within 15 neighbouring bits: any one
// letter, any two neighbours, swapped or not. Other damage goes through once in 32768.

kredslob.share = (() => {
  const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  const LETTERS = "abcdefghijklmnopqrstuvwxyzæøå ";
  const SHIFT = 30, MORE = 31; // of the 32 signs that a name is made of
  const MARKS = "0123456789.,-–+&/():!?%'éäöü=\"";
  const RAW = 31; // of the signs after MORE: 16 bits follow
  const POLYNOMIAL = 0x4599, START = 0x2a5b;
  const LONGEST_NAME = 40;
  const EDITION = "1"; // change it when the layout of the bits changes

  class Refusal extends Error {
    // What a person gave cannot be used; key names the sentence that says why.
    constructor(key, values = {}) {
      super(key);
      this.key = key;
      this.values = values;
    }
  }

  function encode(catalog, policy) {
    const bits = new Writer();
    bits.put(mark(catalog), 10);
    bits.put(place(catalog.settings, policy.setting), 3);
    bits.put(policy.preset ? 1 + place(catalog.presets, policy.preset) : 0, 5);
    const changes = catalog.levers
      .map((lever, k) => [lever, k])
      .filter(([lever]) => policy.changes[lever.id] !== undefined);
    bits.put(changes.length, 7);
    for (const [lever, k] of changes) {
      bits.put(k, 7);
      bits.put(steps(lever, policy.changes[lever.id]), width(lever));
    }
    writeName(bits, policy.name ?? "");
    bits.fill();
    bits.put(checksum(bits.all), 15);
    return grouped(bits.digits());
  }

  function decode(catalog, text) {
    const digits = plain(text);
    if (digits.length < 8) throw new Refusal("code_short");
    const all = [...digits].flatMap((d) => bitsOf(DIGITS.indexOf(d), 5));
    const body = all.slice(0, -15);
    if (numberOf(all.slice(-15)) !== checksum(body)) throw new Refusal("code_mistyped");
    const bits = new Reader(body);
    if (bits.take(10) !== mark(catalog)) throw new Refusal("code_other_page");
    const setting = catalog.settings[bits.take(3)];
    const number = bits.take(5);
    const preset = number ? catalog.presets[number - 1] : "";
    const changes = {};
    for (let left = bits.take(7); left > 0; left--) {
      const lever = catalog.levers[bits.take(7)];
      if (!lever) throw new Refusal("code_mistyped");
      changes[lever.id] = valueAt(lever, bits.take(width(lever)));
    }
    const policy = {setting, preset, changes, name: readName(bits)};
    // what was not written by `encode` is damaged, even where the checksum happens to fit
    if (setting === undefined || preset === undefined || plain(encode(catalog, policy)) !== digits)
      throw new Refusal("code_mistyped");
    return policy;
  }

  // --- levers --------------------------------------------------------------------------------

  // The nearest value that a lever can be set to, without the dust of binary fractions.
  function snapped(lever, value) {
    return valueAt(lever, steps(lever, value));
  }

  function steps(lever, value) {
    const count = Math.round((value - lever.low) / lever.step);
    return Math.min(Math.max(count, 0), most(lever));
  }

  function valueAt(lever, count) {
    if (count > most(lever)) throw new Refusal("code_mistyped");
    return Number((lever.low + count * lever.step).toPrecision(12));
  }

  function most(lever) {
    return Math.round((lever.high - lever.low) / lever.step);
  }

  function width(lever) {
    return Math.max(1, Math.ceil(Math.log2(most(lever) + 1)));
  }

  // Ten bits of the catalog (FNV-1a, folded): a page with other levers refuses the code.
  function mark(catalog) {
    const levers = catalog.levers.map((l) => [l.id, l.low, l.high, l.step]);
    let hash = 0x811c9dc5;
    for (const sign of JSON.stringify([EDITION, catalog.settings, catalog.presets, levers]))
      hash = Math.imul(hash ^ sign.codePointAt(0), 0x01000193) >>> 0;
    return (hash ^ (hash >>> 10) ^ (hash >>> 20)) & 0x3ff;
  }

  function place(names, name) {
    const found = names.indexOf(name);
    if (found < 0) throw new Refusal("unknown_name", {name});
    return found;
  }

  // --- names: five bits for most letters, as people type them --------------------------------

  function tidyName(name) {
    return name.normalize("NFC").replace(/\s+/g, " ").trim().slice(0, LONGEST_NAME);
  }

  function writeName(bits, name) {
    const letters = tidyName(name);
    bits.put(letters.length, 6);
    for (let k = 0; k < letters.length; k++) writeLetter(bits, letters[k], k === 0);
  }

  function writeLetter(bits, letter, first) {
    const lower = letter.toLowerCase();
    const found = LETTERS.indexOf(lower);
    if (found >= 0 && (letter === lower || letter === lower.toUpperCase())) {
      const large = letter !== lower;
      const expected = first && lower !== lower.toUpperCase(); // a name begins with a capital
      if (large !== expected) bits.put(SHIFT, 5);
      bits.put(found, 5);
      return;
    }
    bits.put(MORE, 5);
    const marked = MARKS.indexOf(letter);
    bits.put(marked >= 0 ? marked : RAW, 5);
    if (marked < 0) bits.put(letter.charCodeAt(0), 16);
  }

  function readName(bits) {
    let name = "";
    for (let left = bits.take(6); left > 0; left--) name += readLetter(bits, name === "");
    return name;
  }

  function readLetter(bits, first) {
    let sign = bits.take(5);
    if (sign === MORE) {
      sign = bits.take(5);
      return sign === RAW ? String.fromCharCode(bits.take(16)) : (MARKS[sign] ?? "");
    }
    const shifted = sign === SHIFT;
    const letter = LETTERS[shifted ? bits.take(5) : sign] ?? "";
    const large = shifted !== (first && letter !== letter.toUpperCase());
    return large ? letter.toUpperCase() : letter;
  }

  // --- bits and letters ----------------------------------------------------------------------

  class Writer {
    all = [];
    put(value, count) {
      this.all.push(...bitsOf(value, count));
    }
    fill() {
      while (this.all.length % 5) this.all.push(0);
    }
    digits() {
      let text = "";
      for (let k = 0; k < this.all.length; k += 5)
        text += DIGITS[numberOf(this.all.slice(k, k + 5))];
      return text;
    }
  }

  class Reader {
    constructor(all) {
      this.all = all;
      this.at = 0;
    }
    take(count) {
      if (this.at + count > this.all.length) throw new Refusal("code_mistyped");
      this.at += count;
      return numberOf(this.all.slice(this.at - count, this.at));
    }
  }

  function bitsOf(value, count) {
    return Array.from({length: count}, (_, k) => Math.floor(value / 2 ** (count - 1 - k)) % 2);
  }

  function numberOf(bits) {
    return bits.reduce((sum, bit) => 2 * sum + bit, 0);
  }

  function checksum(bits) {
    let rest = START;
    for (const bit of bits) {
      const carry = ((rest >> 14) & 1) ^ bit;
      rest = ((rest << 1) & 0x7fff) ^ (carry ? POLYNOMIAL : 0);
    }
    return rest;
  }

  // A code without its hyphens, and with the letters that look like digits read as these.
  function plain(text) {
    const digits = text.toUpperCase().replace(/[\s–—-]/g, "").replace(/O/g, "0").replace(/[IL]/g, "1");
    const strange = [...digits].find((d) => !DIGITS.includes(d));
    if (strange) throw new Refusal("code_letter", {letter: strange});
    return digits;
  }

  function grouped(digits) {
    return digits.match(/.{1,4}/g).join("-");
  }

  // --- links ---------------------------------------------------------------------------------

  // The address of this page with the code behind #; nothing for a page that only this machine has.
  function link(code, location) {
    const reachable = /^https?:$/.test(location.protocol);
    return reachable ? `${location.href.split("#")[0]}#${code}` : "";
  }

  function codeIn(text) {
    // a person may paste the whole link
    const hash = text.indexOf("#");
    return (hash < 0 ? text : text.slice(hash + 1)).replaceAll("%20", " ").trim();
  }

  kredslob.Refusal = Refusal;
  return {encode, decode, snapped, tidyName, link, codeIn, LONGEST_NAME};
})();
