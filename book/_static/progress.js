/* How far the reader is: a line over the page, and a mark at each page that was read to its end.
   The marks stay in this browser (localStorage) and can be removed; nothing is sent anywhere. */
"use strict";

(() => {
  const KEY = "neurons-to-transformers:read";
  const SECONDS = 20; // a page that was only flown over is not read

  const root = new URL(document.documentElement.dataset.content_root || "./", location.href);
  const nameOf = (address) => {
    const url = new URL(address, location.href);
    const inside = url.protocol === root.protocol && url.host === root.host && url.pathname.startsWith(root.pathname);
    return inside ? decodeURI(url.pathname.slice(root.pathname.length)).replace(/(^|\/)$/, "$1index.html") : null;
  };

  function load() {
    try {
      const kept = JSON.parse(localStorage.getItem(KEY));
      return new Set(Array.isArray(kept) ? kept.filter((name) => typeof name === "string") : []);
    } catch {
      return new Set(); // storage may be forbidden
    }
  }

  function save(read) {
    try {
      if (read.size) localStorage.setItem(KEY, JSON.stringify([...read].sort()));
      else localStorage.removeItem(KEY);
    } catch {
      // then the marks last as long as the page
    }
  }

  function make(tag, attributes, ...content) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...content);
    return node;
  }

  function start() {
    const article = document.querySelector("article.bd-article");
    const links = [...document.querySelectorAll(".bd-links a.reference.internal")];
    const page = nameOf(location.href);
    const pages = new Set(["index.html", ...links.map((link) => nameOf(link.href))]);
    if (!article || !pages.has(page)) return;

    const line = make("div", { class: "reading-line", "aria-hidden": "true" });
    const box = make("input", { type: "checkbox", id: "reading-done" });
    const count = make("span", { class: "reading-count", role: "status" });
    const forget = make("button", { type: "button", class: "reading-forget" }, "Forget all marks");
    const label = make("label", { for: "reading-done" }, "I have read this page");
    document.body.append(line);
    article.append(make("div", { class: "reading" }, box, label, count, forget));

    let read = load();
    function show() {
      box.checked = read.has(page);
      const known = [...read].filter((name) => pages.has(name)).length;
      count.textContent = `${known} of ${pages.size} pages read`;
      forget.hidden = !read.size;
      for (const link of links) {
        const done = read.has(nameOf(link.href));
        link.classList.toggle("read", done);
        link.querySelector(".reading-mark")?.remove();
        if (done) link.append(make("span", { class: "reading-mark visually-hidden" }, " (read)"));
      }
    }
    function change(name, done) {
      read = load();
      if (done) read.add(name);
      else read.delete(name);
      save(read);
      show();
    }

    let seconds = 0, asked = false; // who sets or removes the mark by hand is not overruled
    box.addEventListener("change", () => { asked = true; change(page, box.checked); });
    forget.addEventListener("click", () => {
      asked = true;
      read = new Set();
      save(read);
      show();
      box.focus();
    });
    window.addEventListener("storage", (event) => {
      if (event.key === KEY || event.key === null) { read = load(); show(); }
    });

    let waiting = false;
    function follow() {
      waiting = false;
      const { top, bottom } = article.getBoundingClientRect();
      const way = bottom - top - window.innerHeight;
      const part = way > 0 ? Math.min(1, Math.max(0, -top / way)) : 1;
      line.style.transform = `scaleX(${part})`;
      return part;
    }
    const later = () => { if (!waiting) { waiting = true; requestAnimationFrame(follow); } };
    window.addEventListener("scroll", later, { passive: true });
    new ResizeObserver(later).observe(article); // late pictures, what unfolds, a narrower window
    setInterval(() => {
      if (!document.hidden) seconds += 1;
      if (!asked && seconds >= SECONDS && !read.has(page) && follow() > 0.98) change(page, true);
    }, 1000);
    show();
    follow();
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
