/** What the network saw of a character, and what it thinks of it. */

import { element } from "./dom.js";
import { percent } from "./words.js";

/** Classes whose bars are shown at once: all digits. */
const MAX_BARS = 10;
const ABOUT_SEPARATORS =
  "A separator is told by its shape and place, not by the network.";

/**
 * Shows the network's input, and a bar for each class.
 *
 * @param {import("./api.js").Character} character
 * @param {string[]} classes of its probabilities.
 * @returns {HTMLElement}
 */
export function characterDetails(character, classes) {
  const { probabilities } = character;
  return element("div", { class: "character" },
    networkImage(character),
    probabilities
      ? classBars(probabilities, classes)
      : element("p", { class: "hint" }, ABOUT_SEPARATORS));
}

function networkImage(character) {
  if (!character.image) return null;
  const alt = `The 28 by 28 pixels that the network read as ${character.prediction}`;
  return element("figure", { class: "network-image" },
    element("img", { src: character.image, alt, width: 28, height: 28 }),
    element("figcaption", {}, "28×28 that the network saw"));
}

/** Shows a bar for each class, or for the likeliest of many and the others on demand. */
function classBars(probabilities, classes) {
  const all = classes.map((name, i) => ({ name, probability: probabilities[i] }));
  if (all.length <= MAX_BARS) return bars(all);
  const sorted = all.toSorted((a, b) => b.probability - a.probability);
  return element("div", {},
    bars(sorted.slice(0, MAX_BARS)),
    element("details", {},
      element("summary", {}, `${all.length - MAX_BARS} other classes`),
      bars(sorted.slice(MAX_BARS))));
}

function bars(entries) {
  const highest = Math.max(...entries.map((entry) => entry.probability));
  return element("ul", { class: "bars", "aria-label": "Probability of each class" },
    ...entries.map((entry) => bar(entry, entry.probability === highest)));
}

function bar({ name, probability }, isHighest) {
  const share = percent(probability);
  const range = { min: 0, max: 1, value: probability };
  return element("li", { class: isHighest ? "is-highest" : null },
    element("span", { class: "bar-name" }, name),
    element("meter", { ...range, "aria-label": `class ${name}` }, share),
    element("span", { class: "bar-share" }, share));
}
