// Exports: the command, the Swift code, the link and files.

import { $, download, make, text } from "/page.js";
import { state } from "/state.js";
import { askForBytes, explained, fullMethod, subject } from "/service.js";
import { shown } from "/maps.js";

let models = [];

export function begin(overview, problem) {
  models = overview.models;
  const copy = async (content, what) => {
    try { await navigator.clipboard.writeText(content); } catch {
      // The clipboard API needs a permission and the focus; this works without them.
      const area = make("textarea", { value: content });
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    $("copied").textContent = `${what} copied.`;
  };
  const save = (id, action) => $(id).addEventListener("click", async () => {
    try { await action(); $("copied").textContent = "Saved."; } catch (error) { problem(error.message); }
  });
  $("copy-command").addEventListener("click", () => copy(command(), "Command"));
  $("copy-swift").addEventListener("click", () => copy(swift(), "Swift"));
  $("copy-link").addEventListener("click", () => copy(location.href, "Link"));
  const name = (method, kind) => `${state.target.replace(/^class:/, "class").replace(/[:/@,]+/g, "-")}.${fullMethod(method).replace(/[:,=]/g, "-")}.${kind}`;
  /** Downloads a file for each shown map. */
  const each = async (accept, kind, more = {}) => {
    for (const method of state.methods) download(await askForBytes("explain", { ...explained(method), ...more }, accept), name(method, kind));
  };
  save("save-png", () => each("image/png", "overlay.png"));
  save("save-map", () => each("image/png", "png", { overlay: false }));
  save("save-npy", () => each("application/x-npy", "npy"));
  save("save-image", async () => download(await askForBytes("image", subject(), "image/png"), "input.png"));
  save("save-page", async () => download(await askForBytes("page", { ...explained(state.methods[0]), methods: state.methods.map(fullMethod) }, "text/html"), "explanation.html"));
  save("save-svg", async () => download(new Blob([figure()], { type: "image/svg+xml" }), name(state.methods[0], "svg")));
}

export function showExports() {
  $("copied").textContent = "";
  $("command").textContent = command();
  $("swift").textContent = swift();
}

const quoted = word => /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
const model = () => models.find(each => each.name === state.model)?.path ?? state.model;
const imageName = () => state.strokes.length ? "input.png" : state.image.startsWith("file:") ? state.image.replace(/^file:\d+\//, "") : "image.jpg";

/** The command that computes the same maps. */
export function command() {
  const words = ["relevance", "explain", quoted(model()), quoted(imageName())];
  if (state.strokes.length) words.push("--fit", "native");
  else if (state.fit !== "crop") words.push("--fit", state.fit);
  if (state.target) words.push("--target", quoted(state.target));
  for (const method of state.methods) words.push("--method", quoted(fullMethod(method)));
  if (state.rules) words.push("--rules", "rules.yaml");
  else if (state.table) words.push("--rules", state.table);
  const notes = [];
  if (state.strokes.length) notes.push("# To get input.png, download “Network input, PNG” below");
  if (state.rules) notes.push("# To get rules.yaml, click “Save rules.yaml” on the “Rules” tab");
  return [...notes, words.join(" ")].join("\n");
}

const literal = value => JSON.stringify(value);

function swiftTarget() {
  const match = state.target.match(/^class:(\d+)$/);
  return match ? `.class(${match[1]})` : `Target(${literal(state.target)})!`;
}

/** The Swift code that computes the same maps. */
export function swift() {
  const lines = ["import RelevanceKit", ""];
  const path = model();
  lines.push(path.includes("/") || path.includes(".onnx") ? `var model = try Model(contentsOf: ${literal(path)})` : `var model = try Model(named: ${literal(path)})`);
  if (state.strokes.length) lines.push("model.preprocessing.resize = nil  // the image already has the size of the network's input", "model.preprocessing.crop = nil");
  else if (state.fit === "whole") lines.push("model.preprocessing.crop = nil");
  else if (state.fit === "native") lines.push("model.preprocessing.resize = nil", "model.preprocessing.crop = nil");
  if (lines.at(-1).startsWith("var")) lines[lines.length - 1] = lines.at(-1).replace("var", "let");
  let rules = "";
  if (state.rules) {
    lines.push('let rules = try RuleTable(contentsOf: "rules.yaml", pixelRange: model.preprocessing.pixelRange)');
    rules = ", rules: rules";
  } else if (state.table) {
    lines.push(`let rules = RuleTable.preset(${literal(state.table)}, pixelRange: model.preprocessing.pixelRange)`);
    rules = ", rules: rules";
  }
  lines.push(`let explainer = try Explainer(model${rules})`, `let trace = try explainer.trace(RGBImage(contentsOf: ${literal(imageName())}))`);
  for (const method of state.methods.map(fullMethod)) {
    lines.push(`let ${method.replace(/[^a-z0-9].*/i, "")} = try trace.explain(${swiftTarget()}, by: MethodCatalog.standard.method(parsing: ${literal(method)}))`);
  }
  return lines.join("\n");
}

/** The shown maps with titles and color bars, as an SVG figure. */
export function figure() {
  const cards = [...shown.values()].filter(card => card.answer), width = 240, gap = 16;
  const escape = content => String(content).replace(/[&<>"]/g, each => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[each]);
  let height = 0;
  const parts = cards.map((card, index) => {
    const { map, title, method, unit } = card.answer, x = gap + index * (width + gap);
    const h = width * card.canvas.height / card.canvas.width;
    height = Math.max(height, h + 84);
    const bar = card.bar.querySelector("canvas").toDataURL(), ticks = [...card.bar.querySelectorAll("span")].map(each => each.textContent);
    const places = ticks.length === 3 ? [["start", 0], ["middle", width / 2], ["end", width]] : [["start", 0], ["end", width]];
    return `<text x="${x}" y="20" font-weight="bold">${escape(method)}</text><text x="${x}" y="36">${escape(title)}</text>`
      + `<image x="${x}" y="44" width="${width}" height="${h}" style="image-rendering:pixelated" href="${card.canvas.toDataURL()}"/>`
      + `<image x="${x}" y="${48 + h}" width="${width}" height="8" preserveAspectRatio="none" href="${bar}"/>`
      + ticks.map((tick, i) => `<text x="${x + places[i][1]}" y="${70 + h}" text-anchor="${places[i][0]}">${escape(tick)}</text>`).join("")
      + `<text x="${x + width}" y="${82 + h}" text-anchor="end">${escape(unit)}, sum ${escape(text(map.sum))}</text>`;
  });
  const total = gap + cards.length * (width + gap);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${total}" height="${height + 8}" viewBox="0 0 ${total} ${height + 8}" `
    + `font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="#fff"/>${parts.join("")}</svg>\n`;
}
