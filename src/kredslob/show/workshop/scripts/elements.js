"use strict";
// Elements of the page that scripts make.
//
//   kredslob.make("button", {type: "button", word: "workshop.ballot.make", click: print}, ...children)
//
// `word` and `wordLabel` name the text and the label, which then follow the language; `text` is text
// as it is; functions are listeners; all else are attributes, left out where false.

kredslob.make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (name === "text") element.textContent = value;
    else if (name === "word") {
      element.dataset.word = value;
      element.textContent = kredslob.word(value);
    } else if (name === "wordLabel") {
      element.dataset.wordLabel = value;
      element.setAttribute("aria-label", kredslob.word(value));
    } else if (value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
};

kredslob.button = (word, click, attributes = {}) =>
  kredslob.make("button", {type: "button", word, click, ...attributes});

// Calls `act` once things have been still for so many milliseconds.
kredslob.settled = (act, pause) => {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(act, pause);
  };
};
