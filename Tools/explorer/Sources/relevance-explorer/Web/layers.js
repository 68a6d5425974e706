// Relevance by layer, channel and unit.

import { $, make, percent, replace, shortTitle, text } from "/page.js";
import { state, change } from "/state.js";
import { Latest, ask, explained, fullMethod, subject } from "/service.js";
import { draw, mark, numbers } from "/maps.js";

let causes = [], kinds = new Map(), indexed = [];
let rows = [];
/** The receptive field of the chosen unit. */
let chosenField = null;
/** The section that the last click requested. It is scrolled into view when it is filled. */
let wanted = "";

function present(id) {
  if (wanted !== id) return;
  wanted = "";
  $(id).scrollIntoView({ block: "nearest" });
}

export function want(id) { wanted = id; }
const latest = { layer: new Latest(), channel: new Latest(), units: new Latest(), unit: new Latest() };
const isWithWeights = kind => ["Conv", "Gemm", "BatchMatMul", "ConvTranspose"].includes(kind);

export function begin(overview) {
  causes = overview.causes;
  $("only-layers").addEventListener("change", showFlow);
  const flow = $("flow");
  flow.addEventListener("keydown", event => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const options = [...flow.children], at = options.findIndex(each => each.dataset.node === state.node);
    const next = options[Math.max(0, Math.min(options.length - 1, at < 0 ? 0 : at + step))];
    if (next) { next.scrollIntoView({ block: "nearest" }); choose(next.dataset.node); }
  });
}

export function setPlan(plan) { kinds = new Map(plan.rows.map(row => [row.node, row])); }
export function setIndexed(nodes) { indexed = nodes; }

/** The layer that is shown first: the last one with weights, positions and at least 8 channels. The channels must not be the classes. */
export function interesting(classes) {
  const known = [...kinds.values()].filter(row => row.shape?.length === 4 && row.shape[2] > 1 && row.shape[1] >= 8 && row.shape[1] !== classes);
  return (known.find(row => isWithWeights(row.kind)) ?? known[0])?.node ?? "";
}

export function setLedger(ledger) {
  rows = ledger;
  showFlow();
}

function choose(node) { change({ node, channel: null, unit: "" }); }

function showFlow() {
  const largest = Math.max(...rows.map(row => row.magnitude), 0) || 1;
  const wanted = rows.filter(row => !$("only-layers").checked || isWithWeights(kinds.get(row.node)?.kind)
    || row.node === state.node || Object.keys(row.losses).some(cause => Math.abs(row.losses[cause]) > 0.02 * largest));
  const used = new Set();
  $("flow").replaceChildren(...wanted.map(row => {
    const piece = (from, to, name) => {
      const made = make("i", {});
      made.style.left = `${100 * Math.max(0, from)}%`;
      made.style.width = `${100 * Math.min(1, to - from)}%`;
      made.style.background = `var(--${name})`;
      return made;
    };
    const arrives = make("div", { className: "track" }, piece(0, Math.abs(row.arrives) / largest, "arrives"));
    const kept = make("div", { className: "track losses" });
    let end = 0;
    const words = [`${text(row.arrives)} arrives, ${text(row.leaves)} is passed on`];
    for (const [cause, name] of causes) {
      const loss = row.losses[cause];
      if (!loss || Math.abs(loss) < 1e-3 * largest) continue;
      kept.append(piece(end, end + Math.abs(loss) / largest, cause));
      end += Math.abs(loss) / largest;
      used.add(cause);
      words.push(`${name} ${text(loss)}`);
    }
    const known = kinds.get(row.node), channels = known?.shape?.length === 4 ? `, ${known.shape[1]} channels` : "";
    const option = make("div", {
      role: "option", "aria-selected": String(row.node === state.node), title: `${words.join(", ")}. Rule ${row.rule}`,
      onclick: () => choose(row.node),
    }, make("span", {}, row.node, make("small", {}, `${known?.kind ?? ""}${channels} · ${row.rule}`)),
      make("span", {}, arrives, kept));
    option.dataset.node = row.node;
    return option;
  }));
  const item = (name, color) => {
    const patch = make("i", {});
    patch.style.background = `var(--${color})`;
    return make("li", {}, patch, name);
  };
  $("legend").replaceChildren(item("arrives", "arrives"),
    ...causes.filter(([cause]) => used.has(cause)).map(([cause, name]) => item(`absorbed: ${name}`, cause)));
}

/** The method for relevance of layers: the first shown method that propagates relevance. */
export function layerMethod(methods) {
  return state.methods.find(name => methods.find(each => each.name === name)?.isRelevance) ?? "lrp";
}

export async function showLayer(method) {
  const host = $("layer"), signal = latest.layer.signal();
  showFlow();
  if (!state.node || !state.target) { host.hidden = true; return; }
  const answer = await ask("layer", { ...explained(method), node: state.node, top: 24 }, signal);
  const parts = [make("h3", {}, `${answer.node}: relevance by ${method}`)];
  if (answer.map) {
    const canvas = make("canvas", { className: "small", role: "img", "aria-label": `Relevance at ${answer.node}` });
    draw(canvas, numbers(answer.map), answer.map.width, answer.map.height, answer.map.limit, "diverging");
    parts.push(canvas, make("p", { className: "hint" }, `${answer.map.width}×${answer.map.height} positions, summed over ${answer.channelCount} channels.`));
  }
  if (answer.channels.length) {
    parts.push(make("h3", {}, "Strongest channels"),
      make("p", { className: "hint" }, "The share of the layer’s relevance that passes through each channel. Click a channel to see its part of the map."),
      channelTable(answer.channels));
  } else parts.push(make("p", { className: "hint" }, "This layer has no channels."));
  replace(host, ...parts);
  host.hidden = false;
}

function channelTable(channels) {
  const body = make("tbody", {}, ...channels.filter(each => each.share > 0).slice(0, 12).map(each => {
    const line = make("tr", { className: each.channel === state.channel ? "chosen" : "" },
      make("td", {}, make("button", { type: "button", onclick: () => { want("channel"); change({ channel: each.channel, unit: "" }); }, "aria-label": `channel ${each.channel}` }, String(each.channel))),
      make("td", { className: "number" }, percent(each.share)), make("td", { className: "number" }, text(each.relevance)),
      make("td", { className: "number" }, text(each.peakActivation)));
    line.dataset.channel = each.channel;
    line.querySelector("button").dataset.key = each.channel;
    return line;
  }));
  return make("table", {}, make("thead", {}, make("tr", {}, make("th", {}, "Channel"), make("th", { className: "number" }, "Share of layer"),
    make("th", { className: "number" }, "Relevance"), make("th", { className: "number", title: "The largest activation of the channel" }, "Peak activation"))), body);
}

/** A small map for a channel or a unit. */
function smallMap(answer, label) {
  const canvas = make("canvas", { className: "small", role: "img", "aria-label": label });
  draw(canvas, numbers(answer.map), answer.map.width, answer.map.height, answer.map.limit, answer.colors, "overlay");
  canvas.dataset.painted = "1";
  return make("figure", {}, canvas, make("figcaption", {}, label));
}

function carried(channel, map) {
  const share = map.score ? ` (${percent(map.map.sum / map.score)})` : "";
  return `Channel ${channel} carries ${text(map.map.sum)} of the score ${text(map.score)}${share}.`;
}

export async function showChannel(method) {
  const host = $("channel"), signal = latest.channel.signal();
  for (const line of $("layer").querySelectorAll("tbody tr")) line.classList.toggle("chosen", Number(line.dataset.channel) === state.channel);
  if (state.channel === null || !state.node || !state.target) { host.hidden = true; return; }
  const { node, channel } = state;
  const through = `${node}/${channel}`;
  const [map, ablated] = await Promise.all([
    ask("explain", { ...explained(method), through: [through], ledger: false }, signal),
    ask("ablate", { ...explained(method), node, channels: [channel] }, signal).catch(error => ({ error: error.message })),
  ]);
  const parts = [make("h3", {}, `Channel ${channel} of ${node}`), smallMap(map, carried(channel, map))];
  parts.push(make("p", {}, ablated.error ?? effect(ablated)));
  const references = make("div", {});
  parts.push(references);
  host.replaceChildren(...parts);
  host.hidden = false;
  if (indexed.includes(node)) await showReferences(references, node, channel, signal);
  else {
    references.replaceChildren(make("button", { type: "button", onclick: () => { $("tab-work").click(); $("run-index").click(); } },
      "Find example images for the channels of this layer"));
  }
  present("channel");
}

function effect(ablated) {
  const { before, after, title } = ablated;
  const score = `${text(before.score)} → ${text(after.score)}`;
  return before.probability === undefined ? `Without it: ${shortTitle(title)} ${score}.`
    : `Without it: ${shortTitle(title)} ${percent(before.probability)} → ${percent(after.probability)} (score ${score}).`;
}

async function showReferences(host, node, channel, signal) {
  const answer = await ask("references", { ...subject(), node, channel, top: 8 }, signal);
  const list = answer.references.filter(each => each.image).map(each => {
    const address = new URLSearchParams({ image: each.image, model: state.model, fit: state.fit, node, position: each.position.join(",") });
    return make("figure", {}, make("img", { src: `/api/crop?${address}`, alt: shortTitle(each.title), title: each.name }),
      make("figcaption", {}, `${shortTitle(each.title)}, ${percent(each.value)}`));
  });
  const words = list.length ? `The images with the most relevance in channel ${channel}, cropped to its receptive field. Percentages are the channel’s share of the layer’s relevance when the index was made (${percent(answer.meanShare)} on average). An index of few images gives weak examples.`
    : "The index has no images for this channel that the explorer may read.";
  host.replaceChildren(make("p", { className: "hint" }, words), make("div", { className: "references" }, ...list));
}

/** Lists the units of the chosen layer whose receptive field includes the chosen pixel. */
export async function showUnits(method) {
  const host = $("units"), signal = latest.units.signal();
  if (!state.pixel || !state.node || !state.target) { host.hidden = true; chosenField = null; mark(null); return; }
  const answer = await ask("units", { ...explained(method), node: state.node, pixel: state.pixel }, signal);
  const body = make("tbody", {}, ...answer.units.map(unit => {
    const line = make("tr", {
      className: unit.target === state.unit ? "chosen" : "", onmouseenter: () => mark(unit.field), onmouseleave: () => mark(chosenField),
    }, make("td", {}, make("button", { type: "button", onclick: () => { want("unit"); chosenField = unit.field; change({ unit: unit.target }); mark(unit.field); }, onfocus: () => mark(unit.field) },
      `${unit.channel}, row ${unit.position[0]}, column ${unit.position[1]}`)),
      make("td", { className: "number" }, percent(unit.share)), make("td", { className: "number" }, text(unit.relevance)));
    line.dataset.unit = unit.target;
    line.querySelector("button").dataset.key = unit.target;
    return line;
  }));
  replace(host, make("h3", {}, `Units of ${answer.node} for the pixel in column ${answer.pixel[0]}, row ${answer.pixel[1]}`),
    make("p", { className: "hint" }, answer.units.length ? "Sorted by relevance for the class. Point at a unit to frame its receptive field. Click it to see which pixels it responds to."
      : "No unit with positive relevance has this pixel in its receptive field."),
    make("table", {}, make("thead", {}, make("tr", {}, make("th", {}, "Channel and position"), make("th", { className: "number" }, "Share"), make("th", { className: "number" }, "Relevance"))), body));
  host.hidden = false;
  present("units");
}

export async function showUnit() {
  const host = $("unit"), signal = latest.unit.signal();
  for (const line of $("units").querySelectorAll("tbody tr")) line.classList.toggle("chosen", line.dataset.unit === state.unit);
  if (!state.unit) { host.hidden = true; chosenField = null; return; }
  const channel = Number(state.unit.slice(state.unit.lastIndexOf("/") + 1).split("@")[0]);
  const node = state.unit.slice("unit:".length, state.unit.lastIndexOf("/"));
  const of = method => ask("explain", { ...subject(), target: state.unit, method: fullMethod(method), ledger: false }, signal)
    .then(answer => smallMap(answer, `${method}: activation ${text(answer.score)}`))
    .catch(error => { if (error.name === "AbortError") throw error; return make("p", { className: "hint" }, `${method}: ${error.message}`); });
  const [lrp, clrp2, ablated] = await Promise.all([of("lrp"), of("clrp2"),
    ask("ablate", { ...explained("lrp"), node, channels: [channel] }, signal).catch(error => ({ error: error.message }))]);
  host.replaceChildren(make("h3", {}, `Pixels that ${state.unit.slice(5)} responds to`), make("div", { className: "pair" }, lrp, clrp2),
    make("p", {}, ablated.error ?? effect(ablated).replace("Without it", `Without channel ${channel}`)));
  host.hidden = false;
  present("unit");
}
