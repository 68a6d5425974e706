// Tasks on all images. They run in the background and can be canceled.

import { $, make, percent, shortTitle } from "/page.js";
import { state } from "/state.js";
import { Latest, follow, explained, subject } from "/service.js";
import { choose } from "/images.js";

const work = new Latest();

export function begin(methodOf, onIndexed, problem) {
  $("cancel").addEventListener("click", () => work.stop());
  $("run-batch").addEventListener("click", () => {
    $("batch").replaceChildren();
    const question = { ...explained(state.methods[0], { edited: false }), target: "top:1" };
    delete question.image;
    run("batch", question, "explained", line => {
      const { found } = line;
      if (!found) return;
      const name = shortTitle(found.title);
      $("batch").append(make("button", { type: "button", title: found.image, onclick: () => choose(found.image, found.target) },
        make("img", { src: `data:image/png;base64,${found.overlay}`, alt: `map of ${name}` }),
        found.probability === undefined ? name : `${name}, ${percent(found.probability)}`));
    }, problem);
  });
  $("run-index").addEventListener("click", () => {
    if (!state.node) { problem("Choose the layer to index on the “Layers” tab first."); return; }
    const question = { ...subject({ edited: false }), method: methodOf(), nodes: [state.node] };
    delete question.image;
    run("index", question, "indexed", line => { if (line.nodes) onIndexed(line.nodes); }, problem);
  });
}

async function run(name, question, done, line, problem) {
  const buttons = [$("run-batch"), $("run-index")];
  const signal = work.signal();
  for (const button of buttons) button.disabled = true;
  $("cancel").disabled = false;
  $("progress").hidden = false;
  $("progress").value = 0;
  $("progress-text").textContent = "starting";
  const skipped = [];
  try {
    await follow(name, question, signal, each => {
      if (each.error) throw new Error(each.error.message);
      if (each.skipped) skipped.push(each.skipped);
      $("progress").max = each.total;
      $("progress").value = each.done;
      $("progress-text").textContent = `${each.done} of ${each.total} images ${done}`;
      line(each);
    });
    $("progress-text").textContent = `All ${$("progress").max} images ${done}.` + (name === "index" ? " Click a channel on the “Layers” tab to see its examples." : "")
      + (skipped.length ? ` Skipped: ${skipped.join("; ")}` : "");
  } catch (error) {
    if (error.name === "AbortError") $("progress-text").textContent += ", then canceled";
    else { $("progress-text").textContent = ""; problem(error.message); }
  }
  for (const button of buttons) button.disabled = false;
  $("cancel").disabled = true;
  $("progress").hidden = true;
}
