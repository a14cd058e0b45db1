"use strict";
// What the chosen policy is, in a sentence.

(() => {
  let note = null;

  const tell = () => {
    const {setting, preset} = kredslob.state.policy;
    const {policies} = kredslob.known.settings[setting];
    note.textContent = policies[preset].description[kredslob.language.now];
    const select = document.getElementById("preset");
    for (const option of select.options) {
      option.title = policies[option.value]?.description[kredslob.language.now] ?? "";
    }
  };

  kredslob.register("presets", {
    start() {
      note = kredslob.make("p", {id: "preset-note"});
      document.getElementById("guide").append(note);
      document.getElementById("preset").setAttribute("aria-describedby", "preset-note");
      tell();
    },
    policy: tell,
    language: tell,
  });
})();
