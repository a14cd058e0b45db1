"use strict";
// A text as a QR code: an SVG picture of dark squares with the quiet zone that scanners need.

kredslob.qr = (() => {
  const QUIET = 4;
  const CAPITALS = /^[0-9A-Z $%*+./:-]*$/; // these take fewer squares

  const picture = (text, label) => {
    const code = qrcode(0, "M");
    code.addData(text, CAPITALS.test(text) ? "Alphanumeric" : "Byte");
    code.make();
    const size = code.getModuleCount() + 2 * QUIET;
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", `0 0 ${size} ${size}`);
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", label);
    svg.setAttribute("shape-rendering", "crispEdges");
    svg.append(part("rect", {width: size, height: size, fill: "#fff"}));
    svg.append(part("path", {d: squares(code), fill: "#000"}));
    return svg;
  };

  const part = (tag, attributes) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };

  const squares = (code) => {
    const count = code.getModuleCount();
    let path = "";
    for (let row = 0; row < count; row++) {
      for (let column = 0; column < count; column++) {
        if (code.isDark(row, column)) path += `M${column + QUIET} ${row + QUIET}h1v1h-1z`;
      }
    }
    return path;
  };

  return {picture};
})();
