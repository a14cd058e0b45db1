"use strict";
// Words and numbers as people write them; the language can change at any time.

kredslob.language = (() => {
  const MARKS = {da: [".", ","], en: [",", "."]};
  let words = {};
  let now = "da";

  const word = (key, values = {}) => {
    const text = words[now]?.[key];
    if (text === undefined) throw new Error(`no word '${key}' in '${now}'`);
    return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
  };
  const has = (key) => words[now]?.[key] !== undefined;

  const number = (value, digits = 0) => {
    if (!Number.isFinite(value)) return word("none");
    const [thousands, decimal] = MARKS[now];
    const [whole, part] = Math.abs(value).toFixed(digits).split(".");
    const grouped = whole.replace(/\B(?=(\d{3})+$)/g, thousands);
    const text = part ? grouped + decimal + part : grouped;
    return value < 0 && /[1-9]/.test(text) ? `\u2212${text}` : text;
  };

  const money = (dkk, digits) => {
    const size = Math.abs(dkk);
    for (const [unit, key] of [[1e9, "billion"], [1e6, "million"], [1e3, "thousand"]]) {
      if (size >= (unit > 1e3 ? 0.9995 : 10) * unit) {
        const shown = digits ?? (size < 100 * unit ? 1 : 0);
        return word(`money.${key}`, {amount: number(dkk / unit, shown)});
      }
    }
    return word("money.one", {amount: number(dkk, 0)});
  };

  const millions = (dkk, digits = 1) => number(dkk / 1e6, digits);
  const percent = (share, digits = 0) =>
    Number.isFinite(share) ? word("percent", {amount: number(100 * share, digits)}) : word("none");

  const apply = () => {
    document.documentElement.lang = now;
    document.title = `${word("workshop.title")} – kredslob`;
    for (const element of document.querySelectorAll("[data-word]")) {
      element.textContent = word(element.dataset.word);
    }
    for (const element of document.querySelectorAll("[data-word-label]")) {
      element.setAttribute("aria-label", word(element.dataset.wordLabel));
    }
    for (const button of document.querySelectorAll("[data-language]")) {
      button.setAttribute("aria-pressed", String(button.dataset.language === now));
    }
  };

  const set = (language) => {
    if (!(language in words) || language === now) return;
    now = language;
    apply();
    kredslob.tell("language");
    kredslob.redraw();
  };

  const start = (known) => {
    words = known.words;
    now = known.language;
    apply();
    for (const button of document.querySelectorAll("[data-language]")) {
      button.addEventListener("click", () => set(button.dataset.language));
    }
  };

  return {start, set, get now() { return now; }, word, has, number, money, millions, percent};
})();

kredslob.word = kredslob.language.word;

// What the axes call: no more decimals than the number has.
kredslob.tick = (tick) => {
  const digits = Number.isInteger(tick) ? 0 : Math.min(3, `${+tick.toPrecision(6)}`.split(".")[1]?.length ?? 0);
  return kredslob.language.number(tick, digits);
};
