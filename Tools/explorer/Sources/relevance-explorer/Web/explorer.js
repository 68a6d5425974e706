// Reacts to changes of the state: requests from the service exactly the parts of the page that depend on the changed fields.

import { $, calm, make, percent, shortTitle, tabs, text } from "/page.js";
import { change, onChange, read, restore, setInitial, state } from "/state.js";
import { Latest, ask, askForBytes, explained, labels, overview, subject } from "/service.js";
import * as images from "/images.js";
import * as layers from "/layers.js";
import * as maps from "/maps.js";
import * as rules from "/rules.js";
import * as exports from "/exports.js";
import * as work from "/work.js";

/** Tooltips of the methods that are listed first. */
const MEANINGS = {
  lrp: "Distributes the class score over the pixels, layer by layer",
  clrp1: "Shows the pixels that support the class more than all other classes, or more than the class chosen with “vs”",
  clrp2: "Shows the pixels that support the class more than the opposite concept, whose weights are negated",
  "gradient-x-input": "Multiplies each pixel by the gradient of the score with respect to it",
  "grad-cam": "Shows coarsely where the last convolutional layer responds to the class",
};
/** The largest number of classes that the service lists. */
const MOST = 1000;

let about, usual = null, scores = [];
const requests = { prediction: new Latest(), image: new Latest() };
const explanations = new Map();
/** Resolves when the network's input is loaded, so that no map is drawn over another image. */
let imageIsLoaded = Promise.resolve();

function problem(message) {
  $("problem").textContent = message;
  $("problem").hidden = !message;
}

/** Runs an action that sends requests, and shows its error. A canceled request is no error. */
async function attempt(action) {
  try { await action(); return true; } catch (error) {
    if (error.name !== "AbortError") problem(error.message);
    return false;
  }
}

const needsImage = ["model", "image", "fit"], needsRun = [...needsImage, "table", "rules", "strokes", "fill"];
const has = (changed, names) => names.some(name => changed.has(name));

async function react(changed) {
  problem("");
  show(changed);
  if (changed.has("model")) await attempt(async () => images.setNames(await labels(state.model)));
  if (has(changed, ["model", "fit", "table", "rules"])) await attempt(rules.showPlan);
  if (has(changed, needsImage)) images.markChosen();
  if (!state.image) return;
  if (has(changed, [...needsImage, "strokes", "fill"])) {
    // The scores of another image are not a baseline for this one.
    if (has(changed, needsImage)) usual = null;
    imageIsLoaded = attempt(async () => {
      await maps.setInputImage(await askForBytes("image", subject(), "image/png", requests.image.signal()));
      maps.repaint();
    });
  }
  if (has(changed, needsRun) || !state.target) {
    changed.add("target");
    if (!await attempt(predict)) return;
  }
  if (has(changed, [...needsRun, "target", "against", "methods", "strength"])) explain();
  const method = layers.layerMethod(about.methods);
  const walks = has(changed, [...needsRun, "target", "against", "methods", "strength"]);
  if (walks || changed.has("node")) attempt(() => layers.showLayer(method));
  if (walks || has(changed, ["node", "channel"])) attempt(() => layers.showChannel(method));
  if (walks || has(changed, ["node", "pixel"])) askForUnits(method);
  if (has(changed, needsRun) || changed.has("unit") || changed.has("target")) attempt(layers.showUnit);
  exports.showExports();
}

const askForUnits = calm(60, method => attempt(() => layers.showUnits(method)));

async function predict() {
  const answer = await ask("predict", { ...subject(), top: MOST }, requests.prediction.signal());
  scores = answer.scores;
  if (!state.strokes.length) usual = scores;
  else if (!usual) usual = (await ask("predict", { ...subject({ edited: false }), top: MOST }, requests.prediction.signal())).scores;
  const fields = {};
  if (!state.target) fields.target = scores[0]?.target ?? "";
  if (!state.node) fields.node = layers.interesting(images.names.length);
  change(fields, { silent: true });
  showScores();
  showChange();
}

function showScores() { images.showScores(scores, state.strokes.length ? usual : null); }

/** Shows how the paint changes the score of the chosen class. */
function showChange() {
  const host = $("change");
  host.hidden = !state.strokes.length;
  if (host.hidden) return;
  const found = list => list?.find(each => each.target === state.target);
  const [before, after] = [found(usual), found(scores)];
  if (!before || !after) { host.textContent = "Painted over."; return; }
  const name = shortTitle(before.title), now = scores[0];
  host.textContent = before.probability === undefined ? `${name}: ${before.score} → ${after.score}`
    : `Painted over: ${name} ${percent(before.probability)} → ${percent(after.probability)}. `
      + (now.target === state.target ? "It is still the top class." : `The top class is now ${shortTitle(now.title)} (${percent(now.probability)}).`);
}

/** Sends one request per method, so that each map appears as soon as it is computed. */
function explain() {
  if (!state.target) return;
  maps.layOut(state.methods);
  showTool();
  let isFirst = true;
  for (const method of state.methods) {
    if (!explanations.has(method)) explanations.set(method, new Latest());
    const signal = explanations.get(method).signal(), tellsFlow = isFirst, start = performance.now();
    isFirst = false;
    maps.wait(method);
    ask("explain", explained(method), signal).then(async answer => {
      await imageIsLoaded;
      if (signal.aborted) return;
      maps.show(method, answer);
      const all = performance.now() - start;
      $("status").textContent = `${answer.method}: explained in ${answer.milliseconds.toFixed(0)} ms, displayed after ${all.toFixed(0)} ms`;
      if (tellsFlow) {
        layers.setLedger(answer.ledger);
        const other = scores.find(each => each.target === state.against);
        $("heading").textContent = `Which pixels support “${shortTitle(answer.title)}”` + (state.against
          ? ` (score ${text(answer.score)}) more than “${images.titleOf(state.against)}”${other ? ` (${text(other.score)})` : ""}?` : "?");
      }
    }, error => { if (error.name !== "AbortError") maps.fail(method, error.message); });
  }
  for (const [method, latest] of explanations) if (!state.methods.includes(method)) latest.stop();
}

/** Copies the state into the controls, and updates the parts that need no request. */
function show(changed) {
  $("model").value = state.model;
  $("fit").value = state.fit;
  $("strength").value = state.strength;
  $("strength-value").textContent = state.strength;
  $("strength-label").hidden = !state.methods.some(each => ["clrp1", "clrp2"].includes(each));
  $("opacity").value = state.opacity;
  $("view").value = state.view;
  $("scale").value = state.scale;
  $("fill").value = state.fill;
  $("undo").disabled = $("clear").disabled = !state.strokes.length;
  for (const box of document.querySelectorAll("[data-method-choice]")) box.checked = state.methods.includes(box.value);
  if (has(changed, ["opacity", "view", "scale"])) maps.repaint();
  if (has(changed, ["target", "against"])) { showScores(); showChange(); }
  showTool();
  if (changed.has("pixel")) maps.mark(null);
  if (changed.has("tab")) showTab(state.tab);
}

/** Shows the controls and the hint of the chosen mouse tool. */
function showTool() {
  const paints = document.querySelector("input[name=tool]:checked").value === "paint";
  for (const { figure } of maps.shown.values()) figure.classList.toggle("paints", paints);
  for (const each of document.querySelectorAll(".paint")) each.hidden = !paints && !state.strokes.length;
  $("reading").textContent = paints ? "Drag over a map to paint over a part of the image. Scores and maps update."
    : "Click a pixel of a map, or select one with the arrow keys and press Enter. The units whose receptive field includes the pixel are listed below.";
}

let showTab = () => {};

function listen() {
  const bind = (id, field, convert = value => value, small = false) =>
    $(id).addEventListener(small ? "input" : "change", () => change({ [field]: convert($(id).value) }, { small }));
  $("model").addEventListener("change", () => change({ model: $("model").value, target: "", against: "", node: "", channel: null, unit: "", rules: "" }));
  $("fit").addEventListener("change", () => change({ fit: $("fit").value, strokes: [], pixel: null }));
  bind("opacity", "opacity", Number, true);
  bind("view", "view");
  bind("scale", "scale");
  bind("fill", "fill");
  $("strength").addEventListener("input", calm(30, () => change({ strength: Number($("strength").value) }, { small: true })));
  $("undo").addEventListener("click", () => change({ strokes: state.strokes.slice(0, -1) }));
  $("clear").addEventListener("click", () => change({ strokes: [] }));
  for (const choice of document.querySelectorAll("input[name=tool]")) {
    choice.addEventListener("change", showTool);
  }
  const first = ["lrp", "clrp1", "clrp2", "gradient-x-input", "grad-cam"];
  for (const method of about.methods) {
    const box = make("input", { type: "checkbox", value: method.name, onchange: () => {
      const methods = box.checked ? [...state.methods, method.name] : state.methods.filter(each => each !== method.name);
      if (methods.length) change({ methods }); else box.checked = true;
    } });
    box.dataset.methodChoice = "";
    box.title = MEANINGS[method.name] ?? "";
    $(first.includes(method.name) ? "methods" : "other-methods").append(make("label", {}, box, method.name));
  }
  maps.listen(pixel => { layers.want("units"); change({ pixel, tab: "tab-layers" }); }, stroke => change({ strokes: [...state.strokes, stroke] }));
  images.listenToSearch();
  addEventListener("popstate", () => restore(location.hash));
  addEventListener("hashchange", () => restore(location.hash));
}

async function begin() {
  about = await overview();
  setInitial({ fit: about.fit });
  maps.setColors(about);
  $("model").replaceChildren(...about.models.map(each => make("option", { value: each.name }, each.name)));
  images.begin(about, problem);
  layers.begin(about);
  rules.begin(about, layers.setPlan);
  exports.begin(about, problem);
  const indexed = () => about.models.find(each => each.name === state.model)?.indexedNodes ?? [];
  work.begin(() => layers.layerMethod(about.methods), nodes => {
    const model = about.models.find(each => each.name === state.model);
    if (model) model.indexedNodes = nodes;
    layers.setIndexed(nodes);
    attempt(() => layers.showChannel(layers.layerMethod(about.methods)));
  }, problem);
  listen();
  showTab = tabs(document.querySelector("[role=tablist]"), id => change({ tab: id }, { small: true }));
  onChange(changed => { if (changed.has("model")) layers.setIndexed(indexed()); });
  onChange(react);
  // The state in the address. Its defaults are the first model and the first image.
  Object.assign(state, read(location.hash));
  if (!about.models.some(each => each.name === state.model)) state.model = about.models[0].name;
  if (!state.image) state.image = about.images[0] ?? "";
  layers.setIndexed(indexed());
  await react(new Set(Object.keys(state)));
  if (!state.image) $("reading").textContent = "Drop an image on the left to begin.";
}

begin().catch(error => problem(error.message));
