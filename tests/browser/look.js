/* What the tests ask of a page. It is put into every page before the page's own scripts. */
"use strict";

window.look = {
  /** What does not load: late pictures and sounds too, and the fonts that the page uses. */
  async missing() {
    const wrong = [];
    await Promise.all([...document.images].map((image) => {
      image.loading = "eager";
      return image.decode().catch(() => wrong.push(image.getAttribute("src")));
    }));
    await Promise.all([...document.querySelectorAll("audio")].map((sound) => new Promise((done) => {
      sound.addEventListener("loadedmetadata", done);
      sound.addEventListener("error", () => done(wrong.push(sound.currentSrc)));
      sound.preload = "metadata";
      sound.load();
    })));
    await document.fonts.ready;
    return wrong;
  },

  /** The texts of a page that are neither code nor formulas. */
  texts() {
    const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
      const { data, parentElement } = walk.currentNode;
      if (!parentElement.closest("pre, code, script, style, mjx-container")) found.push(data.trim());
    }
    return found.filter((text) => text);
  },

  /** What would move, though the reader asked for nothing to. */
  moving() {
    const wrong = new Set(), seen = new Set();
    const long = (times) => times.split(",").some((time) => parseFloat(time) > 0.01);
    for (const node of document.querySelectorAll("*")) {
      const kind = `${node.parentElement?.className} ${node.localName}.${node.className}`;
      if (seen.has(kind)) continue;
      seen.add(kind);
      for (const part of ["", "::before", "::after"]) {
        const style = getComputedStyle(node, part);
        const animated = style.animationName !== "none" && long(style.animationDuration);
        if (animated || long(style.transitionDuration) || style.scrollBehavior === "smooth") {
          wrong.add(`${node.localName}.${node.className}${part}`);
        }
      }
    }
    return [...wrong];
  },

  /** Elements that can be operated and that none of these selectors names. */
  unknown(selectors) {
    const operable = "button, input, select, textarea, summary, audio, video, iframe, dialog, "
      + "[role=button], [role=slider], [role=tab], [contenteditable], [draggable=true]";
    return [...document.querySelectorAll(operable)].filter((node) => !node.matches(selectors))
      .map((node) => node.outerHTML.slice(0, 160));
  },

  /** Opens what is folded, so that it is seen; returns how much stays folded. */
  async unfold() {
    const open = document.createElement("style");
    open.textContent = "* { animation: none !important; transition: none !important; }"
      + ".sd-tab-set > .sd-tab-content { display: block !important; }";
    document.head.append(open);
    document.querySelectorAll("article details").forEach((fold) => { fold.open = true; });
    document.querySelectorAll(".toggle-hidden > .admonition-title").forEach((title) => title.click());
    await this.drawn();
    return document.querySelectorAll(".toggle-hidden").length;
  },

  /** When what has changed is laid out and drawn. */
  async drawn() {
    for (let frame = 0; frame < 3; frame += 1) await new Promise(requestAnimationFrame);
  },

  /** What reaches over the edge of the window, or is cut off, without a box of its own to scroll. */
  narrow() {
    const root = document.scrollingElement, wrong = [], over = new Set();
    const name = (node) => `${node.localName}.${node.className}: ${node.outerHTML.slice(0, 100)}`;
    if (root.scrollWidth > innerWidth) wrong.push(`the page is ${root.scrollWidth} px wide`);
    const scrolls = (node) => {
      for (let box = node.parentElement; box && box !== document.body; box = box.parentElement) {
        if (/auto|scroll/.test(getComputedStyle(box).overflowX)) return true;
      }
      return false;
    };
    for (const node of document.querySelectorAll("main *, .bd-header *, footer *")) {
      if (node.closest("mjx-container, svg")) continue;
      if (!node.checkVisibility({ visibilityProperty: true })) continue;
      if (node.closest(".visually-hidden, .skip-link, .pst-skip-link, #pst-skip-link")) continue;
      const { left, right, width } = node.getBoundingClientRect();
      if (width && (right > innerWidth + 1 || left < -1) && !scrolls(node)) {
        if (!over.has(node.parentElement)) wrong.push(`over the edge: ${name(node)}`);
        over.add(node);
      }
      const hides = /hidden|clip/.test(getComputedStyle(node).overflowX);
      if (hides && node.scrollWidth > node.clientWidth + 1) wrong.push(`cut off: ${name(node)}`);
    }
    return wrong;
  },

  /** Of what stands there a hundred times keep one, or axe takes a minute for a page: tokens of
      code of a kind and place, and the list of pages, which the front page shows in full. What
      MathJax draws with a dozen elements a letter becomes text, of the same colour. */
  thin() {
    const seen = new Set();
    document.querySelectorAll("mjx-container").forEach((formula) => {
      const text = document.createElement("span");
      text.tabIndex = formula.tabIndex;
      text.textContent = formula.textContent || "formula";
      formula.replaceWith(text);
    });
    document.querySelectorAll(".highlight pre span").forEach((token) => {
      const place = token.closest(".admonition, .cell_output, .cell_input, .docstring");
      const kind = `${token.className} ${place ? place.className : ""}`;
      if (seen.has(kind)) token.replaceWith(...token.childNodes);
      seen.add(kind);
    });
    if (document.querySelector(".bd-sidebar-primary li.current")) {
      document.querySelectorAll(".bd-sidebar-primary li:not(.current)").forEach((page, i) => {
        if (i > 3) page.remove();
      });
    }
  },

  /** What axe finds. */
  async axe(options, include) {
    if (include.length === 0) return [];
    const found = await axe.run({ include },
      { ...options, resultTypes: ["violations"], preload: false });
    return found.violations.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: `
      + `${node.target.join(" ")}: ${node.html.slice(0, 160)}: `
      + [...node.any, ...node.all, ...node.none].map((check) => check.message).join("; ")));
  },

  /** One element of each look that is not among those seen: the same colours, size and weight
      before the same backgrounds have the same contrast, on whatever page they stand. */
  looks(seen) {
    const known = new Set(seen), behind = new Map(), fresh = new Map();
    const back = (node) => {
      if (!node) return "";
      if (!behind.has(node)) {
        const { backgroundColor, backgroundImage, opacity, filter } = getComputedStyle(node);
        const own = [backgroundColor, backgroundImage, opacity, filter].join();
        const plain = own === "rgba(0, 0, 0, 0),none,1,none";
        behind.set(node, (plain ? "" : `${own}<`) + back(node.parentElement));
      }
      return behind.get(node);
    };
    const add = (node) => {
      if (!node.checkVisibility()) return;
      const link = node.closest("a"), { color, fontSize, fontWeight } = getComputedStyle(node);
      const line = link && getComputedStyle(link).textDecorationLine;
      const around = link && getComputedStyle(link.parentElement).color;
      const key = [color, fontSize, fontWeight, back(node), line, around].join("|");
      if (!known.has(key)) fresh.set(key, link || node);
    };
    document.querySelectorAll("input, select").forEach(add);
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) if (texts.currentNode.data.trim()) add(texts.currentNode.parentElement);
    this.fresh = [...new Set(fresh.values())];
    return [...fresh.keys()];
  },

  /** Changes the theme; returns whether the page is now as light or dark as it should be. */
  theme(theme) {
    document.documentElement.dataset.theme = theme;
    const [red] = getComputedStyle(document.body).backgroundColor.match(/\d+/g);
    return theme === (red > 127 ? "light" : "dark");
  },

  /** What a figure with controls shows, read from the drawing itself. */
  figure(root) {
    const all = (what) => [...root.querySelectorAll(`.explore-stage svg ${what}`)];
    const of = (node, ...names) => Object.fromEntries(
      names.map((name) => [name, Number(node.getAttribute(name))]));
    return {
      status: root.querySelector(".explore-status").textContent,
      label: root.querySelector(".explore-stage svg").getAttribute("aria-label"),
      said: [...root.querySelectorAll("input")].map((input) => [
        input.nextSibling.textContent, input.getAttribute("aria-valuetext")]),
      ticks: all("text[text-anchor=end]").map((t) => ({ ...of(t, "y"), text: t.textContent })),
      lines: all(".grid").map((line) => of(line, "y1").y1),
      paths: all("path").map((path) => path.getAttribute("d")),
      bars: all("rect").map((rect) => of(rect, "x", "y", "width", "height")),
      cells: all("rect[data-row]").map((rect) => ({
        ...of(rect, "x", "y", "data-row", "data-column"), fill: rect.getAttribute("fill") })),
      numbers: all("text.number").map((text) => text.textContent),
      cursor: all(".cursor").map((rect) => of(rect, "x", "y")),
    };
  },
};
