"use strict";
// One picture at a time below the main one; arrow keys move between the tabs.

kredslob.tabs = (() => {
  const tabs = () => [...document.querySelectorAll("#more [role=tab]")].filter((tab) => !tab.hidden);
  const panel = (tab) => document.getElementById(tab.getAttribute("aria-controls"));

  const open = (name) => {
    for (const tab of document.querySelectorAll("#more [role=tab]")) {
      const chosen = tab.id === `tab-${name}`;
      tab.setAttribute("aria-selected", String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
      panel(tab).hidden = !chosen;
    }
    document.querySelector("main").dataset.tab = name;
    kredslob.redraw();
  };

  const KEYS = {ArrowRight: 1, ArrowLeft: -1};
  const move = (event) => {
    const all = tabs();
    const here = all.indexOf(event.target);
    let next = all[(here + (KEYS[event.key] ?? 0) + all.length) % all.length];
    if (event.key === "Home") next = all[0];
    else if (event.key === "End") next = all.at(-1);
    else if (!KEYS[event.key]) return;
    event.preventDefault();
    next.focus();
    open(next.id.slice("tab-".length));
  };

  // A tab whose panel nobody has filled is not offered.
  const hideEmpty = () => {
    for (const tab of document.querySelectorAll("#more [role=tab]")) {
      tab.hidden = [...panel(tab).children].every((slot) => slot.id && !slot.children.length && !slot.className);
    }
  };

  const start = () => {
    for (const tab of document.querySelectorAll("#more [role=tab]")) {
      tab.addEventListener("click", () => open(tab.id.slice("tab-".length)));
      tab.addEventListener("keydown", move);
    }
    open("cycle");
    // the others fill their panels in their own `start`
    queueMicrotask(hideEmpty);
  };

  kredslob.register("tabs", {start});
  return {open, hideEmpty};
})();
