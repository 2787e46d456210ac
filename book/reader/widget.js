/* What is seen of the news reader: a place for text, buttons, and the reading. */
"use strict";

(() => {
  const NAMES = { en: "English", zh: "Chinese" };
  const MEANS = {
    reach: "concerns many", severity: "changes much", novelty: "is new", urgency: "is pressing",
  };
  const percent = (share) => `${Math.round(share * 100)} %`;
  const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

  function make(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  }

  /** A bar beside a number that says the same. */
  function bar(share) {
    const inner = make("span", { class: "news-bar-part" });
    inner.style.width = `${share * 100}%`;
    return make("span", { class: "news-bar", "aria-hidden": "true" }, inner);
  }

  function start(root, index) {
    const id = (part) => `news-reader-${index}-${part}`;
    const text = make("textarea", { id: id("text"), rows: 9, spellcheck: "false" });
    const go = make("button", { type: "submit", class: "news-go" }, "Read");
    const examples = Object.entries(newsReader.examples).map(([language, content]) => {
      const button = make("button", { type: "button" }, `${NAMES[language]} example`);
      button.addEventListener("click", () => { text.value = content; text.focus(); });
      return button;
    });
    const progress = make("progress", { max: 1, value: 0, "aria-label": "Loading the reader", hidden: "" });
    const status = make("p", { role: "status", class: "news-status" });
    const reading = make("div", { class: "news-reading", hidden: "" });
    const size = (names) => names.flatMap((name) => newsReader.packed[name]).reduce((a, b) => a + b);
    const once = size(["engine"]), [en, zh] = ["en", "zh"].map((l) => size([l, `${l}-read`, `${l}-step`]));
    const form = make("form", {},
      make("label", { for: id("text") }, "An article, in English or Chinese"), text,
      make("p", { id: id("note"), class: "news-note" }, "The first reading loads the engine "
        + `(${megabytes(once)}) and the model of the language (English ${megabytes(en)}, Chinese `
        + `${megabytes(zh)}). What you paste stays on this device.`),
      make("div", { class: "news-buttons" }, go, ...examples));
    text.setAttribute("aria-describedby", id("note"));
    root.replaceChildren(form, progress, status, reading);
    const missing = newsReader.missing();
    if (missing) {
      go.disabled = true;
      status.textContent = `${missing} The reader can't work here; read_news() of the package can.`;
    }
    let busy = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (busy) return;
      busy = true;
      go.setAttribute("aria-disabled", "true");
      reading.hidden = true;
      const begun = performance.now();
      let loaded = begun, failed = false;
      try {
        status.textContent = "Loading …";
        const result = await newsReader.read(text.value, {
          load: (bytes, all) => {
            if (failed) return; // what was on its way still arrives
            progress.hidden = false;
            progress.value = bytes / all;
            loaded = performance.now();
            const next = `Loading the reader: ${megabytes(bytes)} of ${megabytes(all)}`;
            // Every quarter is enough for those who hear it.
            if (bytes === all || bytes / all >= (Number(status.dataset.told) || 0) + 0.25) {
              status.dataset.told = bytes / all;
              status.textContent = next;
            }
          },
          progress: (said) => { progress.hidden = true; status.textContent = said; },
        });
        show(reading, result);
        const took = ((performance.now() - begun) / 1000).toFixed(1);
        status.textContent = `Read in ${took} s: importance ${result.importance.toFixed(1)} of 5. `
          + `The ${result.method} summary and the rest stand below.`;
        status.dataset.seconds = ((performance.now() - loaded) / 1000).toFixed(3);
      } catch (error) {
        failed = true;
        status.textContent = `That did not work. ${error.message}`;
      }
      delete status.dataset.told;
      progress.hidden = true;
      busy = false;
      go.removeAttribute("aria-disabled");
    });
  }

  function show(place, reading) {
    const marks = reading.sentences.map((sentence) => make("span", { class: "news-sentence" }, sentence));
    place.replaceChildren(summary(reading), importance(reading), pieces(reading, marks),
      sentences(reading, marks));
    place.lang = "en";
    place.hidden = false;
  }

  function section(title, ...children) {
    return make("section", { "aria-label": title }, make("p", { class: "news-title" }, title), ...children);
  }

  function summary(reading) {
    const { confidence, threshold, written, extracted, language } = reading;
    const limit = threshold > 1 ? `above 1: a draft in ${NAMES[language]} is never sure enough`
      : threshold.toFixed(2);
    const other = reading.method === "written" ? extracted : written;
    const kind = reading.method === "written" ? "The sentence that would have been taken from the article"
      : "The draft that was written, and not used";
    const rest = other ? [make("p", {}, `${kind}: `, make("q", { lang: language }, other))] : [];
    return section("Summary",
      make("p", { class: "news-summary", lang: language }, reading.summary),
      make("p", {}, `${reading.method === "written" ? "Written" : "Extracted"}. Confidence of the draft `
        + `${confidence.toFixed(2)}, threshold ${limit}.`), ...rest);
  }

  function importance(reading) {
    const rows = Object.entries(reading.rubric).map(([name, p]) => make("tr", {},
      make("th", { scope: "row" }, name), make("td", {}, MEANS[name] ?? ""),
      make("td", { class: "news-number" }, p.toFixed(2), bar(p))));
    return section(`Importance ${reading.importance.toFixed(1)} of 5`,
      make("table", {}, make("caption", {}, "One, and the four probabilities added up"),
        make("tbody", {}, ...rows)));
  }

  function sentences(reading, marks) {
    const items = marks.map((mark, n) => make("li", {},
      make("span", { class: "news-number" }, reading.weights[n].toFixed(2), bar(reading.weights[n])), mark));
    const parts = reading.windows === 1 ? "in one part" : `in ${reading.windows} parts`;
    return section("Sentences, and the probability that each carries the news",
      make("ol", { lang: reading.language }, ...items),
      make("p", { class: "news-note" }, `Read as ${NAMES[reading.language]}, ${parts}.`));
  }

  /** A button for each piece of the draft; where the pointer looked for it is said and marked. */
  function pieces(reading, marks) {
    if (!reading.sources.length) return section("The draft, piece by piece", make("p", {}, "No draft was written."));
    const said = make("p", { role: "status", class: "news-source" },
      "Point at a piece, or reach it with the Tab key: where was it copied from?");
    const buttons = reading.sources.map((source) => {
      const button = make("button", { type: "button", "aria-pressed": "false", lang: reading.language,
        class: source.copied > 0.5 ? "news-copied" : "news-free" }, source.shown.trim());
      const choose = () => {
        buttons.forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
        said.textContent = explain(source);
        mark(reading, marks, source);
      };
      for (const event of ["mouseenter", "focus", "click"]) button.addEventListener(event, choose);
      return button;
    });
    return section("The draft, piece by piece",
      make("p", { class: "news-pieces", role: "group", "aria-label": "Pieces of the draft" }, ...buttons),
      make("p", { class: "news-note" }, "Underlined: at that step copying had more than half."), said);
  }

  function explain(source) {
    const looks = source.places.map((place) => (
      `${percent(place.share)} at “${place.text}” (sentence ${place.sentence + 1})`));
    const from = source.sentence === null ? "It stands nowhere in what was read."
      : `It stands in sentence ${source.sentence + 1}.`;
    return `“${source.shown.trim()}”: at this step copying had ${percent(source.copied)}, writing `
      + `${percent(1 - source.copied)}. The pointer looks ${looks.join(", ")}. ${from}`;
  }

  function mark(reading, marks, source) {
    marks.forEach((node, n) => {
      const sentence = reading.sentences[n], children = [];
      let at = 0;
      const here = source.places.filter((place) => place.sentence === n && place.share >= 0.05)
        .sort((a, b) => a.start - b.start);
      for (const place of here) {
        const start = place.start - reading.offsets[n];
        if (start < at) continue;
        children.push(sentence.slice(at, start), make("mark", {}, place.text));
        at = start + place.text.length;
      }
      node.replaceChildren(...children, sentence.slice(at));
    });
  }

  document.querySelectorAll("div.news-reader").forEach(start);
})();
