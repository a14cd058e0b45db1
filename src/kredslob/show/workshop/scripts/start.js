"use strict";
// The one namespace of the page. Each script adds its part; `start` sets all going.
//
//   kredslob.register(name, {start(), update(result), language()})
//
// `start` is called once, when the page stands; `update` after every run, with its result;
// `language` after the language has changed and the words in the page's own elements with it.
// `kredslob.find(name)` gives a Bokeh figure or source, `kredslob.known` what the page was made of.

const kredslob = {};

kredslob.parts = new Map();

kredslob.register = (name, part) => {
  kredslob.parts.set(name, part);
};

kredslob.tell = (what, ...values) => {
  for (const [name, part] of kredslob.parts) {
    try {
      part[what]?.(...values);
    } catch (problem) {
      // one part that fails must not take the others with it
      console.error(`${name}: ${problem?.stack ?? problem}`);
    }
  }
};

kredslob.start = async (known, charts, items) => {
  kredslob.known = known;
  const managers = await Bokeh.embed.embed_items(charts, items);
  const views = managers.flatMap((manager) => [...manager]).filter((view) => view.model.name);
  const models = new Map();
  for (const {model} of views) {
    for (const found of model.references()) if (found.name) models.set(found.name, found);
  }
  kredslob.find = (name) => models.get(name);
  kredslob.views = new Map(views.map((view) => [view.model.name, view]));
  kredslob.language.start(known);
  kredslob.state.start(known);
  kredslob.tell("start");
  kredslob.compute();
  document.documentElement.dataset.ready = "yes";
};

// A sentence to the reader, until something changes.
kredslob.notice = (text) => {
  const place = document.getElementById("notice");
  place.textContent = text;
  place.hidden = !text;
};
