/** Makes and updates elements. Text is always set as text, never parsed as HTML. */

/**
 * Makes an element.
 *
 * @param {string} tag
 * @param {Record<string, unknown>} [attributes] true is an attribute without a value,
 *   false and null are none, and a function listens to the event of that name.
 * @param {...(Node | string | null)} children null is left out.
 * @returns {any} the element, of the type of its tag.
 */
export function element(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** Makes an element of an SVG picture, as `element` does. */
export function svgElement(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  return fill(made, attributes, children);
}

function fill(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") {
      made.addEventListener(name, value);
    } else if (value !== null && value !== undefined && value !== false) {
      made.setAttribute(name, value === true ? "" : String(value));
    }
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/**
 * Returns the element of the page with an id.
 *
 * @param {string} id
 * @returns {any} of the type of its tag.
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element #${id}`);
  return found;
}

/**
 * Makes nodes the children of an element. Nodes that stay in order are not moved, so
 * that they keep the focus and what is being typed.
 *
 * @param {Element} parent
 * @param {Element[]} nodes
 */
export function setChildren(parent, nodes) {
  const wanted = new Set(nodes);
  for (const child of [...parent.children]) {
    if (!wanted.has(child)) child.remove();
  }
  nodes.forEach((node, i) => {
    const present = parent.children[i] ?? null;
    if (present !== node) parent.insertBefore(node, present);
  });
}

/**
 * Shows a sentence in an element, or hides the element without one.
 *
 * @param {HTMLElement} place
 * @param {string} sentence
 */
export function showSentence(place, sentence) {
  place.textContent = sentence;
  place.hidden = !sentence;
}
