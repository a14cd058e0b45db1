"use strict";
// What there is to choose, in the form that codes and scenario files need: see share.js.

kredslob.catalog = (() => {
  let made = null;

  const widened = (lever) => {
    const {low, high, step} = lever;
    const stated = Object.entries(kredslob.known.settings).flatMap(([setting, place]) =>
      Object.keys(place.policies).map((preset) => kredslob.state.base(lever, {setting, preset})),
    );
    // as far as the page's own sliders reach in any place and policy: see levers.js
    const reach = stated.map((base) => (base > high ? Math.ceil((2 * base) / step) * step : high));
    const below = Math.max(0, Math.ceil((low - Math.min(...stated)) / step));
    return {
      id: lever.name,
      constant: lever.constant,
      element: lever.element,
      point: lever.point,
      low: Number((low - below * step).toPrecision(12)),
      high: Number(Math.max(...reach).toPrecision(12)),
      step,
    };
  };

  const make = () => {
    const {settings, levers} = kredslob.known;
    const presets = new Set(Object.values(settings).flatMap((place) => Object.keys(place.policies)));
    presets.delete("");
    return {
      settings: Object.keys(settings),
      presets: [...presets],
      levers: levers.flatMap((group) => group.levers).map(widened),
    };
  };

  return () => (made ??= make());
})();
