/** Parts that the answers for characters and numbers share. */

import { element } from "./dom.js";
import { correctionOf } from "./items.js";
import { explainStatus, percent } from "./words.js";

/**
 * Shows the status of a row.
 *
 * @param {import("./api.js").Row} row
 */
export function statusBadge(row) {
  return element("span", { class: `badge is-${row.status}` }, row.status);
}

/** @param {import("./api.js").Row} row */
export function explanation(row) {
  return element("p", { class: "explanation" }, explainStatus(row));
}

/** @param {import("./api.js").Row} row */
export function confidenceText(row) {
  const share = row.confidence === null ? "no confidence" : percent(row.confidence);
  return element("span", { class: "confidence" }, share);
}

/**
 * Shows the correction of a row, and what became of it.
 *
 * @param {import("./items.js").Item} item
 * @param {import("./api.js").Row} row
 * @param {(refresh: () => void) => void} add
 */
export function correctionRemark(item, row, add) {
  const remark = element("p", { class: "remark", role: "status", hidden: true });
  add(() => {
    const correction = correctionOf(item, row);
    remark.hidden = !correction;
    const text = correction ? `Corrected to ${correction.text}. ${correction.remark}` : "";
    if (remark.textContent !== text) remark.textContent = text;
  });
  return remark;
}
