// Draws maps in colors, over the image or alone. The colors and the arithmetic are those of `relevance explain`.

import { $, make, sentence, text } from "/page.js";
import { state, change } from "/state.js";

let ramps = {}, steps = 255;
/** The network's input: its pixels, and the same image in pale gray. */
export const inputImage = { width: 0, height: 0, pixels: null, gray: null };

export function setColors(overview) {
  steps = overview.steps;
  ramps = Object.fromEntries(Object.entries(overview.ramps).map(([name, text]) => [name, bytes(text)]));
}

function bytes(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const characters = atob(text), result = new Uint8Array(characters.length);
  for (let i = 0; i < result.length; i++) result[i] = characters.charCodeAt(i);
  return result;
}

export function numbers(map) { return new Float32Array(bytes(map.values).buffer); }

// The constant of `Heatmap`.
const CONTRAST = 0.6;

export async function setInputImage(blob) {
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none" });
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height), context = canvas.getContext("2d");
  context.drawImage(bitmap, 0, 0);
  const pixels = context.getImageData(0, 0, bitmap.width, bitmap.height).data;
  const gray = new Uint8Array(bitmap.width * bitmap.height);
  for (let i = 0; i < gray.length; i++) {
    const luma = 0.299 * pixels[4 * i] + 0.587 * pixels[4 * i + 1] + 0.114 * pixels[4 * i + 2];
    gray[i] = 255 - (255 - luma) * CONTRAST + 0.5;
  }
  Object.assign(inputImage, { width: bitmap.width, height: bitmap.height, pixels, gray });
}

function color(ramp, share, out, at) {
  const index = Math.round(Math.max(-1, Math.min(1, share)) * steps) + steps;
  const table = ramps[ramp];
  for (let c = 0; c < 3; c++) out[at + c] = table[3 * index + c];
}

/** Draws a map. `view` is overlay, map or image. The opacity grows with the square root of the magnitude. */
export function draw(canvas, values, width, height, limit, ramp, view = "map") {
  const over = view !== "map" && inputImage.gray && inputImage.width > 0;
  const [w, h] = over ? [inputImage.width, inputImage.height] : [width, height];
  canvas.width = w;
  canvas.height = h;
  const context = canvas.getContext("2d"), image = context.createImageData(w, h), data = image.data;
  if (view === "image" && over) data.set(inputImage.pixels);
  else {
    const full = state.opacity / 100;
    for (let y = 0, i = 0; y < h; y++) {
      const row = Math.floor(y * height / h) * width;
      for (let x = 0; x < w; x++, i++) {
        const value = values[row + Math.floor(x * width / w)];
        const share = limit > 0 ? Math.max(-1, Math.min(1, value / limit)) : 0;
        if (!Number.isFinite(value)) data.fill(128, 4 * i, 4 * i + 3);
        else color(ramp, over ? (share < 0 ? share - 1 : share + 1) / 2 : share, data, 4 * i);
        if (over) {
          const opacity = (Number.isFinite(value) ? Math.sqrt(Math.abs(share)) : 1) * full;
          for (let c = 4 * i; c < 4 * i + 3; c++) data[c] = Math.floor(inputImage.gray[i] * (1 - opacity) + data[c] * opacity + 0.5);
        }
        data[4 * i + 3] = 255;
      }
    }
  }
  context.putImageData(image, 0, 0);
}

function drawBar(bar, limit, ramp) {
  const canvas = bar.querySelector("canvas");
  canvas.width = 256;
  canvas.height = 1;
  const context = canvas.getContext("2d"), image = context.createImageData(256, 1), isSigned = ramp === "diverging";
  for (let x = 0; x < 256; x++) {
    color(ramp, isSigned ? x / 127.5 - 1 : x / 255, image.data, 4 * x);
    image.data[4 * x + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  bar.querySelector("div").replaceChildren(...(isSigned ? [-limit, 0, limit] : [0, limit]).map(each => make("span", {}, text(each))));
}

/** The shown maps, by method. */
export const shown = new Map();
let onProbe = () => {}, onPaint = () => {};
export function listen(probe, paint) { [onProbe, onPaint] = [probe, paint]; }

export function layOut(methods) {
  const host = $("maps");
  for (const [method, card] of shown) if (!methods.includes(method)) { card.figure.remove(); shown.delete(method); }
  for (const method of methods) {
    if (!shown.has(method)) shown.set(method, makeCard(method));
    host.append(shown.get(method).figure);
  }
  host.classList.toggle("one", methods.length === 1);
}

function makeCard(method) {
  const canvas = make("canvas", { className: "view", tabIndex: 0, role: "img", "aria-label": `Map by ${method}` });
  const marks = make("canvas", { className: "marks" });
  const bar = make("div", { className: "bar" }, make("canvas", {}), make("div", {}));
  const figure = make("figure", { className: "map waits" }, make("h3", {}, method),
    make("div", { className: "stage" }, canvas, marks), bar, make("figcaption", {}));
  figure.dataset.method = method;
  const card = { figure, canvas, marks, bar, answer: null, values: null };
  listenTo(card);
  return card;
}

export function wait(method) { shown.get(method)?.figure.classList.add("waits"); }

export function show(method, answer) {
  const card = shown.get(method);
  if (!card) return;
  card.answer = answer;
  card.values = numbers(answer.map);
  card.figure.classList.remove("waits");
  card.figure.querySelector("h3").textContent = `${answer.method}`;
  repaint();
}

export function fail(method, message) {
  const card = shown.get(method);
  if (!card) return;
  card.answer = card.values = null;
  card.figure.classList.remove("waits");
  card.canvas.getContext("2d").clearRect(0, 0, card.canvas.width, card.canvas.height);
  card.figure.querySelector("figcaption").textContent = message;
}

function limitOf(card) {
  if (state.scale !== "common") return card.answer.map.limit;
  const alike = [...shown.values()].filter(each => each.answer && each.answer.unit === card.answer.unit);
  return Math.max(...alike.map(each => each.answer.map.limit));
}

/** Draws all maps with the chosen view, opacity and scale. `data-painted` counts the repaints, for checks that wait for one. */
export function repaint() {
  for (const card of shown.values()) {
    if (!card.answer) continue;
    const { map, colors, unit, title, score, warnings, remarks } = card.answer, limit = limitOf(card);
    draw(card.canvas, card.values, map.width, map.height, limit, colors, state.view);
    drawBar(card.bar, limit, colors);
    const meaning = colors === "diverging" ? "Red supports the class, blue contradicts it." : "Darker pixels support the class more. This method shows no contradicting pixels.";
    const words = [meaning, `${title}: ${unit} ${text(score)}. The values of the map sum to ${text(map.sum)}.`, ...[...remarks, ...warnings].map(sentence)];
    card.figure.querySelector("figcaption").textContent = words.join(" ");
    card.figure.querySelector("h3").textContent = card.answer.method + (state.rules ? ", your rules" : state.table ? `, ${state.table}` : "");
    card.figure.dataset.painted = Number(card.figure.dataset.painted || 0) + 1;
    drawMarks(card);
  }
}

/** The receptive field that is framed on all maps. */
let field = null;
export function mark(box) {
  field = box;
  for (const card of shown.values()) drawMarks(card);
}

export function drawMarks(card) {
  const { marks } = card, factor = 4;
  const [w, h] = [inputImage.width || 224, inputImage.height || 224];
  [marks.width, marks.height] = [w * factor, h * factor];
  const context = marks.getContext("2d");
  context.scale(factor, factor);
  if (brush.points.length) {
    context.lineCap = context.lineJoin = "round";
    context.strokeStyle = context.fillStyle = "rgb(128 128 128 / 80%)";
    context.lineWidth = 2 * brush.radius;
    const [x, y] = brush.points;
    context.beginPath();
    context.moveTo(x, y);
    for (let i = 2; i < brush.points.length; i += 2) context.lineTo(brush.points[i], brush.points[i + 1]);
    if (brush.points.length === 2) context.lineTo(x + 0.01, y);
    context.stroke();
  }
  const outline = (x, y, width, height) => {
    context.lineWidth = 2.5; context.strokeStyle = "#fff"; context.strokeRect(x, y, width, height);
    context.lineWidth = 1.2; context.strokeStyle = "#000"; context.strokeRect(x, y, width, height);
  };
  if (field) outline(...field);
  if (state.pixel) outline(state.pixel[0] - 2, state.pixel[1] - 2, 5, 5);
}

/** The stroke that is being painted. */
const brush = { points: [], radius: 16 };

function listenTo(card) {
  const stage = card.figure.querySelector(".stage");
  const at = event => {
    const box = card.canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width * inputImage.width, (event.clientY - box.top) / box.height * inputImage.height];
  };
  const clamp = ([x, y]) => [Math.max(0, Math.min(inputImage.width - 1, Math.floor(x))), Math.max(0, Math.min(inputImage.height - 1, Math.floor(y)))];
  const isPainting = () => document.querySelector("input[name=tool]:checked").value === "paint";
  stage.addEventListener("pointerdown", event => {
    if (event.button !== 0) return;
    if (!isPainting()) return;
    stage.setPointerCapture(event.pointerId);
    brush.radius = Number($("radius").value);
    brush.points = at(event);
    drawMarks(card);
  });
  stage.addEventListener("pointermove", event => {
    if (!brush.points.length) return;
    const point = at(event).map(each => Math.round(each * 10) / 10), last = brush.points.slice(-2);
    if (Math.hypot(point[0] - last[0], point[1] - last[1]) < 1.5) return;
    brush.points.push(...point);
    drawMarks(card);
  });
  const finish = () => {
    if (!brush.points.length) return;
    const points = brush.points.map(each => Math.round(each * 10) / 10);
    brush.points = [];
    onPaint({ radius: brush.radius, points });
  };
  stage.addEventListener("pointerup", finish);
  stage.addEventListener("pointercancel", finish);
  stage.addEventListener("click", event => { if (!isPainting()) onProbe(clamp(at(event))); });
  card.canvas.addEventListener("keydown", event => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const [x, y] = state.pixel ?? [inputImage.width >> 1, inputImage.height >> 1];
    if (step) {
      event.preventDefault();
      const length = event.shiftKey ? 10 : 1;
      change({ pixel: clamp([x + step[0] * length, y + step[1] * length]) }, { small: true });
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (isPainting()) onPaint({ radius: Number($("radius").value), points: [x + 0.5, y + 0.5] });
      else onProbe([x, y]);
    }
  });
}
