/** Keeps what people say the right answer is. */

import { RequestError, sendCorrection } from "./api.js";
import { correctionOf, setCorrection } from "./items.js";

/**
 * @typedef {import("./items.js").Item} Item
 * @typedef {import("./api.js").Row} Row
 * @typedef {import("./api.js").Character} Character
 */

const NOT_KEPT =
  "Noted as label in the CSV. The server keeps no pictures: it was started without --corrections.";
const NUMBER_NOTED = "Noted as label in the CSV.";

export class Corrections {
  /**
   * @param {import("./items.js").ItemList} items
   * @param {import("./api.js").Model} model
   */
  constructor(items, model) {
    this.items = items;
    this.model = model;
  }

  /**
   * Corrects the answer of a row. A character's picture is kept, too.
   *
   * @param {Item} item
   * @param {Row} row
   * @param {string} text
   */
  async correctRow(item, row, text) {
    const correction = { text, characters: new Map(), remark: NUMBER_NOTED };
    setCorrection(item, row, correction);
    if (item.layout === "character") {
      await this.#keep(correction, item.file, text, row.page);
    }
    this.items.report(item);
  }

  /**
   * Corrects a character of a number, whose text changes with it.
   *
   * @param {Item} item
   * @param {Row} row
   * @param {Character[]} characters of the number.
   * @param {number} index of the wrong one.
   * @param {string} text
   */
  async correctCharacter(item, row, characters, index, text) {
    const corrected = new Map(correctionOf(item, row)?.characters);
    corrected.set(index, text);
    const texts = characters.map((c, i) => corrected.get(i) ?? c.prediction);
    const correction = { text: texts.join(""), characters: corrected, remark: NUMBER_NOTED };
    setCorrection(item, row, correction);
    const { image } = characters[index];
    if (image) await this.#keep(correction, blobOf(image), text);
    this.items.report(item);
  }

  /** Sends a picture with its class to the server, and says what became of it. */
  async #keep(correction, picture, text, page) {
    correction.remark = NOT_KEPT;
    if (!this.model.corrections) return;
    const query = new URLSearchParams({ class: text });
    if (page) query.set("page", String(page));
    try {
      const path = await sendCorrection(picture, query);
      correction.remark = `Kept as ${path}, and noted as label in the CSV.`;
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      correction.remark = `Noted as label in the CSV alone. ${error.message}`;
    }
  }
}

/** Decodes a data URL. The page's security policy does not let `fetch` do so. */
function blobOf(dataUrl) {
  const [head, base64] = dataUrl.split(",");
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  return new Blob([bytes], { type: head.slice("data:".length).split(";")[0] });
}
