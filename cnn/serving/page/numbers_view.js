/** A page with the numbers on it, and the answers beside it. */

import { confidenceText, correctionRemark, explanation, statusBadge } from "./answer.js";
import { characterDetails } from "./character.js";
import { correctionForm } from "./correction_form.js";
import { element } from "./dom.js";
import { correctionOf } from "./items.js";
import { PictureView, mostDoubtful } from "./picture.js";
import { percent } from "./words.js";

/**
 * Shows the numbers of a page. The arguments are those of `characterView`.
 */
export function numbersView(item, preview, actions, add) {
  return new NumbersView(item, preview, actions, add).element;
}

class NumbersView {
  #details = element("div", { class: "selected" });
  /** The tile of each character of each number. */
  #tiles = [];

  constructor(item, preview, actions, add) {
    this.item = item;
    this.preview = preview;
    this.actions = actions;
    this.rows = preview.rows.map((index) => item.rows[index]);
    this.picture = preview.picture ? this.#makePicture() : null;
    const list = element("ol", { class: "numbers" },
      ...this.rows.map((row, place) => this.#numberEntry(row, place, add)));
    this.element = element("div", { class: "preview is-numbers" },
      element("div", { class: "page" }, this.picture?.element ?? null, this.#details),
      list);
    this.#selectDoubtful();
  }

  #makePicture() {
    const { page } = this.preview;
    const alt = `${this.item.name}${page ? `, page ${page}` : ""}`;
    return new PictureView(this.preview, this.rows, alt, (...at) => this.#open(...at));
  }

  #numberEntry(row, place, add) {
    const characters = this.preview.characters[place];
    this.#tiles[place] = characters.map((c, index) => this.#tile(c, place, index));
    add(() => this.#showCorrected(row, place));
    return element("li", {},
      element("p", { class: "number" },
        row.prediction ? element("strong", {}, row.prediction) : null, " ",
        statusBadge(row), " ", row.prediction ? confidenceText(row) : null),
      element("div", { class: "tiles" }, ...this.#tiles[place]),
      row.status === "ok" && !row.detail ? null : explanation(row),
      // Otherwise the form is beside the selected character.
      characters.length || row.status === "unreadable" ? null : this.#numberForm(row),
      correctionRemark(this.item, row, add));
  }

  #tile(character, place, index) {
    const { prediction, confidence, image } = character;
    const label = `Character ${index + 1}: ${prediction}, ${percent(confidence)}`;
    const attributes = { "aria-label": `${label}. Correct it`, "aria-pressed": "false" };
    const click = () => this.#open(place, index);
    return element("button", { type: "button", class: "tile", ...attributes, click },
      image ? element("img", { src: image, alt: "", width: 28, height: 28 }) : null,
      element("span", {}, prediction));
  }

  #numberForm(row) {
    const save = (text) => this.actions.corrections.correctRow(this.item, row, text);
    const label = row.prediction ? "The whole number is" : "It is";
    const context = `(${row.prediction ?? row.path})`;
    return correctionForm({ label, context, classes: null, save });
  }

  /** Shows corrected characters on their tiles. */
  #showCorrected(row, place) {
    const corrected = correctionOf(this.item, row)?.characters;
    this.preview.characters[place].forEach((character, index) => {
      const tile = this.#tiles[place][index];
      const text = corrected?.get(index) ?? character.prediction;
      tile.classList.toggle("is-corrected", text !== character.prediction);
      tile.lastElementChild.textContent = text;
    });
  }

  /** Selects the least confident character of the first number. */
  #selectDoubtful() {
    const place = this.preview.characters.findIndex((characters) => characters.length);
    if (place < 0) return;
    this.#select(place, mostDoubtful(this.preview.characters[place]));
  }

  /** Selects a character, and leads to the field for the right one. */
  #open(place, index) {
    this.#select(place, index);
    this.#tiles[place][index].scrollIntoView({ block: "nearest" });
    this.#details.querySelector("input").focus();
  }

  #select(place, index) {
    for (const tile of this.#tiles.flat()) tile.setAttribute("aria-pressed", "false");
    this.#tiles[place][index].setAttribute("aria-pressed", "true");
    this.picture?.mark(place, index);
    const characters = this.preview.characters[place];
    const { model } = this.actions;
    this.#details.replaceChildren(
      element("h4", {}, `Character ${index + 1} of ${this.rows[place].prediction}`),
      characterDetails(characters[index], this.preview.classes ?? model.classes),
      this.#characterForm(place, index),
      this.#numberForm(this.rows[place]));
  }

  #characterForm(place, index) {
    const { corrections, model } = this.actions;
    const characters = this.preview.characters[place];
    const save = (text) =>
      corrections.correctCharacter(this.item, this.rows[place], characters, index, text);
    // A separator is no class of the model.
    const classes = characters[index].image ? model.classes : null;
    const context = `(character ${index + 1})`;
    return correctionForm({ label: "The character is", context, classes, save });
  }
}
