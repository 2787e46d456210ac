/* From text to a reading: loads engine and model when first asked to, and does what
   companion/news/read.py does. The heavy files come as scripts, which a page may load from a folder
   (file://) too, where it may not fetch; see book/_ext/news_reader.py. */
"use strict";

(() => {
  const { characters, strip } = newsReader.unicode;
  const folder = new URL(".", document.currentScript.src).href;
  const arrived = {}, ready = {}, counts = {}, under = {};
  let tell = () => {};

  /** Why the reader cannot work here, or "". */
  newsReader.missing = () => {
    if (typeof WebAssembly === "undefined") return "This browser has no WebAssembly, or it is switched off.";
    if (typeof DecompressionStream === "undefined") return "This browser is too old: it has no DecompressionStream.";
    return "";
  };

  function script(name) {
    return new Promise((resolve, reject) => {
      const node = document.createElement("script");
      node.src = folder + name;
      node.onload = () => { node.remove(); resolve(); };
      node.onerror = () => {
        node.remove();
        reject(new Error(`${name} could not be loaded. Is there a connection, and is the folder `
          + "_static/reader complete?"));
      };
      document.head.append(node);
    });
  }

  /** Called by the scripts of a packed file: one part of it, in base64. */
  newsReader.part = (name, number, text) => {
    const raw = atob(text), part = new Uint8Array(raw.length);
    for (let i = 0; i < raw.length; i += 1) part[i] = raw.charCodeAt(i);
    (arrived[name] ??= [])[number] = part;
  };

  const total = (key) => Object.values(counts).reduce((sum, count) => sum + count[key], 0);

  /** How many bytes there will be is known before the first comes, so that the bar never goes back. */
  function expect(name) {
    counts[name] ??= { come: 0, all: newsReader.packed[name].reduce((sum, size) => sum + size, 0) };
  }

  /** The bytes of a packed file. Who asks again while it is on its way gets the same. */
  newsReader.unpack = (name) => {
    under[name] ??= unpacked(name).finally(() => { delete under[name]; });
    return under[name];
  };

  async function unpacked(name) {
    const sizes = newsReader.packed[name];
    expect(name);
    counts[name].come = 0;
    await Promise.all(sizes.map(async (size, number) => {
      await script(`packed/${name}-${number}.js`);
      counts[name].come += size;
      tell(total("come"), total("all"));
    }));
    const stream = new Blob(arrived[name]).stream().pipeThrough(new DecompressionStream("gzip"));
    delete arrived[name];
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  /** Once; again after a failure. */
  function once(name, make) {
    ready[name] ??= make().catch((error) => { delete ready[name]; throw error; });
    return ready[name];
  }

  const engine = () => once("engine", async () => {
    expect("engine");
    await script("packed/ort.js");
    const { ort } = window;
    ort.env.logLevel = "error";
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.wasmBinary = (await newsReader.unpack("engine")).buffer;
    return ort;
  });

  const model = (language) => once(language, async () => {
    const [ort, file, read, step] = await Promise.all(
      [engine(), ...["", "-read", "-step"].map((part) => newsReader.unpack(language + part))]);
    const options = { externalData: [{ path: `${language}.safetensors`, data: file }] };
    const { reader } = card(file);
    return {
      ort, language,
      config: reader.config,
      threshold: reader.threshold,
      lexicon: newsReader.makeLexicon(language, reader.words),
      read: await ort.InferenceSession.create(read, options),
      step: await ort.InferenceSession.create(step, options),
    };
  });

  /** What a safetensors file says about itself: its header is JSON behind eight bytes of length. */
  function card(file) {
    const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)));
    return JSON.parse(header.__metadata__.companion).metadata;
  }

  newsReader.load = async (language, progress = () => {}) => {
    tell = progress;
    return model(language);
  };

  const sigmoid = (logit) => 1 / (1 + Math.exp(-logit));
  const round = (weight) => Math.round(weight * 1e6);
  const integers = (ort, ids) => new ort.Tensor("int64", BigInt64Array.from(ids, BigInt), [ids.length]);
  const rowsOf = ({ data, dims }) => Array.from({ length: dims[0] },
    (_, n) => data.subarray(n * dims[1], (n + 1) * dims[1]));

  /** Weights of the sentences of one window, and its rubric. */
  async function judge(piece, reader) {
    const { ids, sentences, texts } = piece.article;
    const inside = new Float32Array(texts.length * ids.length);
    sentences.forEach((number, place) => { if (number >= 0) inside[number * ids.length + place] = 1; });
    const memory = await reader.read.run({
      ids: integers(reader.ort, ids),
      inside: new reader.ort.Tensor("float32", inside, [texts.length, ids.length]),
    });
    return {
      ...piece, memory,
      weights: Array.from(memory.sentences.data, sigmoid),
      rubric: Array.from(memory.rubric.data, sigmoid),
    };
  }

  /** A function that lets the decoder take one more unit of each text; it remembers the rest. */
  function stepper({ article, memory }, reader) {
    const { heads, width, layers } = reader.config, { ort } = reader;
    const feeds = { source: integers(ort, article.ids), memory: memory.memory, copy_key: memory.copy_key };
    const heaps = [...Array(layers).keys()].flatMap((i) => [`key_${i}`, `value_${i}`]);
    for (const heap of heaps) {
      feeds[`memory_${heap}`] = memory[`memory_${heap}`];
      feeds[`past_${heap}`] = new ort.Tensor("float32", new Float32Array(0), [1, heads, 0, width / heads]);
    }
    return async (ids, rows) => {
      feeds.ids = integers(ort, ids);
      feeds.rows = integers(ort, rows);
      const made = await reader.step.run(feeds);
      for (const heap of heaps) feeds[`past_${heap}`] = made[`next_${heap}`];
      return made;
    };
  }

  /** The sentence that weighs most; fragments of a few words only if there is nothing else. */
  function extract(sentences, weights) {
    const long = sentences.map((s) => characters(strip(s)).length >= 3 * newsReader.lists.leastWords);
    const any = long.includes(true);
    const rank = weights.map((weight, n) => round(any && !long[n] ? weight - 1 : weight));
    return strip(sentences[rank.indexOf(Math.max(...rank))]);
  }

  /** The weightiest sentences of all windows, in their order: what a summary is written from. */
  function weightiest(judged, reader) {
    const every = judged.flatMap(({ parts, weights }) => (
      parts.map((part, n) => ({ part, weight: weights[n] }))));
    const ranked = [...every.keys()].sort((a, b) => (
      round(every[b].weight) - round(every[a].weight) || a - b));
    const least = every[ranked[0]].weight / 2;
    const chosen = ranked.slice(0, newsReader.lists.chosen)
      .filter((k) => every[k].weight >= least).sort((a, b) => a - b);
    return newsReader.fitSentences(chosen.map((k) => every[k].part), reader.lexicon);
  }

  /** For each unit of a draft: its text, the sentence it is copied from or null, the share of copying,
      and the places that the pointer looks at most. */
  async function trace(draft, read, reader) {
    const { article, parts } = read, next = stepper(read, reader), found = [];
    let previous = newsReader.lists.start, said = "";
    for (const [n, id] of draft.ids.entries()) {
      const { pointer, copied } = await next([previous], [0]);
      const look = pointer.data;
      const place = (p) => ({
        sentence: parts[article.sentences[p]].number,
        start: parts[article.sentences[p]].start + article.units[p].start,
        text: article.units[p].text,
        share: look[p],
      });
      let best = -1;
      article.ids.forEach((other, p) => { if (other === id && (best < 0 || look[p] > look[best])) best = p; });
      const places = [...look.keys()].filter((p) => article.units[p])
        .sort((a, b) => look[b] - look[a]).slice(0, 3).map(place);
      const text = newsReader.decode([id], article, reader.lexicon);
      const whole = newsReader.decode(draft.ids.slice(0, n + 1), article, reader.lexicon);
      found.push({
        text, copied: copied.data[0], places,
        shown: whole.startsWith(said) ? whole.slice(said.length) : ` ${text}`,
        sentence: best < 0 ? null : parts[article.sentences[best]].number,
      });
      said = whole;
      previous = id;
    }
    return found;
  }

  const pause = () => new Promise((resolve) => { setTimeout(resolve, 0); });

  /** What `read_news(text, explain=True)` returns in Python. */
  newsReader.read = async (given, { load, progress = () => {} } = {}) => {
    const text = given.toWellFormed?.() ?? given;
    if (!strip(text)) throw new Error("There is no text to read, only white space.");
    const reader = await newsReader.load(newsReader.languageOf(text), load);
    const sentences = newsReader.splitSentences(text).filter((s) => strip(s));
    const pieces = newsReader.windows(sentences, reader.lexicon), judged = [];
    for (const piece of pieces) {
      progress(`Reading part ${judged.length + 1} of ${pieces.length} …`);
      await pause(); // so that the page can draw
      judged.push(await judge(piece, reader));
    }
    const weights = sentences.map(() => 0);
    judged.forEach((one) => one.parts.forEach(({ number }, n) => {
      weights[number] = Math.max(weights[number], one.weights[n]);
    }));
    const rubric = newsReader.lists.rubric.map((_, k) => Math.max(...judged.map((one) => one.rubric[k])));
    const first = await judge(weightiest(judged, reader), reader), step = stepper(first, reader);
    let count = 0;
    const draft = await newsReader.writeSummary(first.article, reader.lexicon, async (ids, rows) => {
      count += 1;
      if (count % 8 === 1) {
        progress(`Writing, unit ${count} …`);
        await pause();
      }
      return rowsOf((await step(ids, rows)).log_probs);
    });
    const extracted = extract(sentences, weights);
    const sure = Boolean(draft.text) && draft.confidence >= reader.threshold;
    return {
      language: reader.language,
      importance: 1 + rubric.reduce((sum, p) => sum + p, 0),
      rubric: Object.fromEntries(newsReader.lists.rubric.map((name, k) => [name, rubric[k]])),
      sentences: sentences.map(strip),
      offsets: sentences.map((s) => s.indexOf(strip(s))), // of what is shown, in the whole
      weights,
      summary: sure ? draft.text : extracted,
      method: sure ? "written" : "extracted",
      confidence: draft.confidence,
      threshold: reader.threshold,
      written: draft.text,
      extracted,
      windows: pieces.length,
      ids: pieces.map((piece) => piece.article.ids),
      sources: await trace(draft, first, reader),
    };
  };
})();
