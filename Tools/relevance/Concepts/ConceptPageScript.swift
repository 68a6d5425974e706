extension ConceptPage {
  /// The style sheet, in addition to that of explanations.
  static let style = #"""

    #cards { display: grid; gap: 1rem; margin-top: 1rem; }
    .card { border: 1px solid var(--line); border-radius: .4rem; background: var(--card); padding: .75rem;
      content-visibility: auto; contain-intrinsic-size: auto 16rem; min-width: 0; }
    .card h2 { margin: 0 0 .25rem; padding: 0; border: 0; font-size: 1.05rem; }
    .card .sets { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: .5rem 1.5rem; }
    .card .with-map { display: grid; grid-template-columns: minmax(0, 12rem) minmax(0, 1fr); gap: 1.5rem; }
    .card .with-map > img { width: 100%; height: auto; border: 1px solid var(--line); }
    .card h3 { margin: .25rem 0; font-size: .875rem; color: var(--quiet); font-weight: 600; }
    .examples { display: grid; grid-template-columns: repeat(auto-fill, minmax(5.5rem, 1fr)); gap: .5rem; list-style: none;
      margin: 0; padding: 0; }
    .examples button { display: block; width: 100%; padding: 0; border: 0; background: none; color: inherit; font: inherit;
      font-size: .75rem; line-height: 1.25; text-align: left; cursor: zoom-in; }
    .examples canvas { display: block; width: 100%; aspect-ratio: 1; object-fit: contain; background: var(--band); }
    .examples span { display: -webkit-box; -webkit-line-clamp: 2; -webkit-box-orient: vertical; overflow: hidden;
      overflow-wrap: anywhere; }
    button { font: inherit; padding: .3rem .8rem; }
    #more button { margin-top: 1rem; }
    dialog { max-width: min(40rem, 94vw); background: var(--card); color: var(--ink); border: 1px solid var(--line);
      border-radius: .4rem; }
    dialog h2 { border: 0; margin: 0 0 .5rem; padding: 0; font-size: 1.05rem; }
    dialog canvas { display: block; width: 100%; max-height: 70vh; object-fit: contain; }
    @media (max-width: 45rem) { .card .with-map { grid-template-columns: minmax(0, 1fr); }
      .card .with-map > img { max-width: 16rem; } }

    """#

  /// The script of the page. It draws cards when they scroll into view.
  static let script = #"""
    "use strict";
    document.documentElement.classList.add("scripted");
    const data = JSON.parse(document.getElementById("data").textContent);
    const at = id => document.getElementById(id);
    const perPage = 40;
    let shown = [], count = 0;

    const images = new Map();
    function loaded(number) {
      if (!images.has(number)) images.set(number, new Promise((done, failed) => {
        const image = new Image();
        image.onload = () => done(image);
        image.onerror = failed;
        image.src = data.images[number];
      }));
      return images.get(number);
    }

    function shade(example) {
      const [width, height] = example.grid;
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [width, height];
      const pixels = new ImageData(width, height), bytes = atob(example.mask);
      for (let i = 0; i < bytes.length; i++) pixels.data[4 * i + 3] = (255 - bytes.charCodeAt(i)) * .7;
      canvas.getContext("2d").putImageData(pixels, 0, 0);
      return canvas;
    }

    // Draws an example, cropped to the receptive field, or whole with a frame around the receptive field.
    async function draw(canvas, example, side, cropped) {
      const image = await loaded(example.image);
      const box = example.box.map((part, place) => part / 10000 * (place % 2 ? image.height : image.width));
      const from = cropped ? box : [0, 0, image.width, image.height];
      const factor = side / Math.max(from[2], from[3]);
      [canvas.width, canvas.height] = [Math.max(1, Math.round(from[2] * factor)), Math.max(1, Math.round(from[3] * factor))];
      const context = canvas.getContext("2d");
      context.imageSmoothingQuality = "high";
      context.drawImage(image, ...from, 0, 0, canvas.width, canvas.height);
      const place = [(box[0] - from[0]) * factor, (box[1] - from[1]) * factor, box[2] * factor, box[3] * factor];
      if (at("masked").checked && example.mask) {
        if (!cropped) {
          context.fillStyle = "rgb(0 0 0 / .7)";
          context.beginPath();
          context.rect(0, 0, canvas.width, canvas.height);
          context.rect(...place);
          context.fill("evenodd");
        }
        context.drawImage(shade(example), ...place);
      }
      if (!cropped) {
        context.lineWidth = 2;
        context.strokeStyle = "#e69f00";
        context.strokeRect(place[0] + 1, place[1] + 1, place[2] - 2, place[3] - 2);
      }
      canvas.dataset.drawn = "yes";
    }

    const sight = new IntersectionObserver(entries => {
      for (const entry of entries) if (entry.isIntersecting) {
        sight.unobserve(entry.target);
        draw(entry.target, entry.target.example, 192, at("cropped").checked);
      }
    }, { rootMargin: "300px" });

    function element(name, text, className) {
      const made = document.createElement(name);
      if (text !== undefined) made.textContent = text;
      if (className) made.className = className;
      return made;
    }

    function words(example) {
      const place = example.position.length ? `, largest at ${example.position.join(", ")}` : "";
      return `${example.label}: ${example.name}; ${(example.value * 100).toPrecision(3)} % of the layer${place}`;
    }

    function set(title, examples, channel) {
      const section = element("section");
      section.append(element("h3", title));
      const list = element("ul", undefined, "examples");
      for (const example of examples) {
        const item = element("li"), button = element("button"), canvas = element("canvas");
        button.type = "button";
        button.title = words(example);
        canvas.example = example;
        canvas.setAttribute("aria-hidden", "true");
        button.append(canvas, element("span", example.label.split(",")[0]));
        button.onclick = () => enlarge(example, `${title} of channel ${channel}`);
        item.append(button);
        list.append(item);
        sight.observe(canvas);
      }
      if (!examples.length) section.append(element("p", "none", "quiet"));
      section.append(list);
      return section;
    }

    function enlarge(example, title) {
      at("large-title").textContent = title;
      at("large-words").textContent = words(example);
      at("large-view").setAttribute("aria-label", words(example));
      draw(at("large-view"), example, 640, false);
      at("large").showModal();
    }

    function card(each) {
      const article = element("article", undefined, "card");
      article.id = `channel-${each.channel}`;
      article.append(element("h2", `Channel ${each.channel}`));
      const share = `${(each.share * 100).toPrecision(3)} % of the relevance`;
      article.append(element("p", each.words ? `${share}; ${each.words}` : share, "quiet"));
      const sets = element("div", undefined, "sets");
      if (each.relevance.length) sets.append(set("Most relevant", each.relevance, each.channel));
      if (each.activation.length) sets.append(set("Most active", each.activation, each.channel));
      if (each.map === undefined) { article.append(sets); return article; }
      const image = element("img"), both = element("div", undefined, "with-map");
      image.src = data.images[each.map];
      image.alt = `Heatmap of the relevance that passes channel ${each.channel}`;
      both.append(image, sets);
      article.append(both);
      return article;
    }

    function more() {
      const next = shown.slice(count, count + perPage);
      count += next.length;
      at("cards").append(...next.map(card));
      at("more").replaceChildren();
      if (count < shown.length) {
        const button = element("button", `Show ${Math.min(perPage, shown.length - count)} more`);
        button.onclick = more;
        at("more").append(button);
      }
    }

    function update() {
      const layer = data.layers[at("layer").selectedIndex];
      const sought = at("search").value.trim().toLowerCase();
      // A number matches a channel, or the whole name of a class.
      const fits = /^\d+$/.test(sought) ? label => label === sought : text => text.toLowerCase().includes(sought);
      shown = layer.cards.filter(each => !sought || String(each.channel) === sought ||
        [...each.relevance, ...each.activation].some(example => fits(example.label) || fits(example.name)));
      const order = at("order").value;
      shown.sort((a, b) => order === "channel" ? a.channel - b.channel : b.share - a.share || a.channel - b.channel);
      at("count").textContent = `${shown.length} of ${layer.cards.length} channels`;
      at("cards").replaceChildren();
      count = 0;
      more();
    }

    function redraw() {
      for (const canvas of document.querySelectorAll(".examples canvas")) {
        if (canvas.dataset.drawn) draw(canvas, canvas.example, 192, at("cropped").checked);
      }
    }

    at("search").oninput = update;
    at("layer").onchange = at("order").onchange = update;
    at("masked").onchange = at("cropped").onchange = redraw;
    update();
    """#
}
