/** Strokes of a pen, and how they are painted. */

/** Width and height of the paper, in units that no size of the screen changes. */
export const PAPER = { width: 800, height: 600 };

/**
 * @typedef {object} Point
 * @property {number} x in units of the paper.
 * @property {number} y
 * @property {number} width of the pen there.
 *
 * @typedef {Point[]} Stroke
 */

/**
 * Paints strokes on the whole of a canvas.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {Stroke[]} strokes
 * @param {{ink: string, paper: string}} colors
 */
export function paintStrokes(canvas, strokes, colors) {
  const context = canvas.getContext("2d");
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.fillStyle = colors.paper;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.scale(canvas.width / PAPER.width, canvas.height / PAPER.height);
  context.strokeStyle = context.fillStyle = colors.ink;
  context.lineCap = context.lineJoin = "round";
  for (const stroke of strokes) paintStroke(context, stroke);
}

/** Paints a stroke as short lines, since the width of the pen may change. */
function paintStroke(context, stroke) {
  const [first] = stroke;
  context.beginPath();
  context.arc(first.x, first.y, first.width / 2, 0, 2 * Math.PI);
  context.fill();
  for (let i = 1; i < stroke.length; i++) {
    context.lineWidth = stroke[i].width;
    context.beginPath();
    context.moveTo(stroke[i - 1].x, stroke[i - 1].y);
    context.lineTo(stroke[i].x, stroke[i].y);
    context.stroke();
  }
}

/**
 * Renders strokes as a PNG, in black on white whatever the colors of the page.
 *
 * @param {Stroke[]} strokes
 * @returns {Promise<Blob>}
 */
export function renderPng(strokes) {
  const canvas = document.createElement("canvas");
  canvas.width = PAPER.width;
  canvas.height = PAPER.height;
  paintStrokes(canvas, strokes, { ink: "#000", paper: "#fff" });
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}
