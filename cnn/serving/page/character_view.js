/** A picture of one character, with its answer beside it. */

import { confidenceText, correctionRemark, explanation, statusBadge } from "./answer.js";
import { characterDetails } from "./character.js";
import { correctionForm } from "./correction_form.js";
import { element } from "./dom.js";
import { PictureView } from "./picture.js";

/**
 * Shows the character of a page.
 *
 * @param {import("./items.js").Item} item
 * @param {import("./api.js").Preview} preview
 * @param {import("./card.js").Actions} actions
 * @param {(refresh: () => void) => void} add takes functions that show corrections.
 */
export function characterView(item, preview, actions, add) {
  const row = item.rows[preview.rows[0]];
  const answer = characterAnswer(item, row, actions, add);
  const character = preview.characters[0]?.[0];
  const select = () => answer.querySelector("input")?.focus();
  const alt = `${item.name}${preview.page ? `, page ${preview.page}` : ""}`;
  return element("div", { class: "preview" },
    preview.picture ? new PictureView(preview, [row], alt, select).element : null,
    answer,
    character ? characterDetails(character, preview.classes ?? actions.model.classes) : null);
}

function characterAnswer(item, row, { corrections, model }, add) {
  const answer = element("div", { class: "answer" },
    row.page ? element("p", { class: "place" }, `Page ${row.page}`) : null,
    row.prediction ? predictionButton(row) : null,
    element("div", { class: "verdict" },
      element("p", {}, statusBadge(row), " ", row.prediction ? confidenceText(row) : null),
      explanation(row)));
  if (row.status === "unreadable") return answer;
  const save = (text) => corrections.correctRow(item, row, text);
  const label = row.prediction ? "Wrong? It is" : "It is";
  answer.append(
    correctionForm({ label, context: `(${row.path})`, classes: model.classes, save }),
    correctionRemark(item, row, add));
  return answer;
}

/** Shows what was read. A click leads to the field for the right answer. */
function predictionButton(row) {
  const focus = (event) => event.target.closest(".answer").querySelector("input").focus();
  const label = `Read as ${row.prediction}. Correct it`;
  return element("button",
    { type: "button", class: "prediction", "aria-label": label, title: "Correct it", click: focus },
    row.prediction);
}
