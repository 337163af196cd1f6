/** The layout, and what is known of the pictures: the options of every reading. */

import { byId } from "./dom.js";

/** Event: `change`, when pictures have to be read again. */
export class Options extends EventTarget {
  #form = byId("options");

  constructor() {
    super();
    this.#form.addEventListener("submit", (event) => event.preventDefault());
    this.#form.addEventListener("change", () => this.#change());
    this.#offerFields();
  }

  /** What a picture shows: character, line or page. */
  get layout() {
    return String(new FormData(this.#form).get("layout"));
  }

  /** Returns the parameters of a request. Empty fields are left out. */
  query() {
    const fields = [...new FormData(this.#form)];
    const known = fields.map(([name, value]) => [name, String(value).trim()]);
    return new URLSearchParams(known.filter(([, value]) => value));
  }

  #change() {
    this.#offerFields();
    this.dispatchEvent(new Event("change"));
  }

  /** Shows the fields of numbers if numbers are read. Disabled ones are not sent. */
  #offerFields() {
    const fields = byId("number-options");
    fields.hidden = fields.disabled = this.layout === "character";
  }
}
