/* A summary in new words: companion/news/faithful.py (what may be said next), the beam search of
   companion/with_numpy/beam.py, and companion/news/generate.py, which joins the two. */
"use strict";

(() => {
  const { characters, hasAlphanumeric } = newsReader.unicode;
  const FREE = 0, WORD = 1, LOOSE = 2, NUMBER = 3, NEVER = 4;
  const BEGIN = { last: FREE, places: [] };

  class Faithful {
    constructor(article, lexicon) {
      this.chinese = lexicon.language === "zh";
      this.ids = article.ids;
      this.classes = this.classify(article, lexicon);
      const { end } = newsReader.lists;
      this.row = this.ids.map((id) => (
        id === end || this.classes[id] === NEVER ? FREE : this.classes[id]));
      this.at = new Map();
      this.ids.forEach((id, place) => {
        if (!this.at.has(id)) this.at.set(id, []);
        this.at.get(id).push(place);
      });
      this.entrances = this.ids.filter((id, place) => (
        (this.row[place] === LOOSE || this.row[place] === NUMBER) && this.mayBegin(place)));
    }

    classify(article, lexicon) {
      const { firstWord, neverWritten, functionWords, end } = newsReader.lists;
      const classes = new Uint8Array(firstWord + lexicon.words.length).fill(NEVER);
      const free = functionWords[lexicon.language];
      lexicon.words.forEach((word, n) => {
        if (neverWritten.has(word)) return;
        const single = this.chinese && characters(word).length === 1;
        const open = free.has(word) || !hasAlphanumeric(word);
        classes[firstWord + n] = open ? FREE : single ? LOOSE : WORD;
      });
      for (const [id, surface] of article.surfaces) {
        const kind = newsReader.kindOf(id);
        if (kind === "number") classes[id] = NUMBER;
        else if (kind === "name" || this.chinese) classes[id] = LOOSE;
        else if (hasAlphanumeric(surface)) classes[id] = WORD;
      }
      classes[end] = FREE;
      return classes;
    }

    /** Whether a row may be entered here, and not only from the place before. */
    mayBegin(place) {
      const before = place ? this.row[place - 1] : FREE;
      if (this.row[place] === NUMBER) return before !== NUMBER;
      return !this.chinese || (before !== LOOSE && before !== NUMBER);
    }

    /** Which ids may come next, 1 for each. */
    allowed(state) {
      const next = state.places.filter((p) => p + 1 < this.ids.length).map((p) => p + 1);
      const content = next.filter((p) => [WORD, LOOSE, NUMBER].includes(this.row[p]))
        .map((p) => this.ids[p]);
      const only = (test) => this.classes.map((kind) => (test(kind) ? 1 : 0));
      let may;
      if (state.last === NUMBER && content.length) {
        may = only(() => false);
      } else if (state.last === LOOSE && this.chinese) {
        const ends = !next.length || next.some((p) => ![LOOSE, NUMBER].includes(this.row[p]));
        may = only((kind) => ends && kind === FREE);
      } else if (state.last === NUMBER) {
        may = only((kind) => kind === FREE); // "in 2024, workers" must not become "2024 workers"
      } else if (state.last === WORD && !this.chinese) {
        may = only((kind) => kind !== NEVER);
      } else {
        may = only((kind) => kind === FREE || kind === WORD);
        if (state.last === FREE) this.entrances.forEach((id) => { may[id] = 1; });
      }
      content.forEach((id) => { may[id] = 1; });
      return may;
    }

    /** The state after one more id. */
    advance(state, id) {
      const kind = this.classes[id];
      if (kind === FREE) return BEGIN;
      const on = state.places.map((p) => p + 1)
        .filter((p) => p < this.ids.length && this.ids[p] === id);
      if (on.length) return { last: kind, places: on };
      let places = this.at.get(id) ?? [];
      if ((kind === LOOSE || kind === NUMBER) && state.last === FREE) {
        places = places.filter((p) => this.mayBegin(p));
      }
      return { last: kind, places };
    }
  }

  /** log_probs of what may be said, made to sum to 1 again; -Infinity elsewhere. */
  function among(row, may) {
    let peak = -Infinity, total = 0;
    const out = new Float64Array(row.length).fill(-Infinity);
    for (let v = 0; v < row.length; v += 1) if (may[v] && row[v] > peak) peak = row[v];
    if (peak === -Infinity) return out;
    for (let v = 0; v < row.length; v += 1) if (may[v]) total += Math.exp(row[v] - peak);
    const shift = peak + Math.log(total);
    for (let v = 0; v < row.length; v += 1) if (may[v]) out[v] = row[v] - shift;
    return out;
  }

  /** No three units in a row twice: the third of each triple that begins with the last two. */
  function forbidRepeats(row, ids) {
    const [first, second] = ids.slice(-2);
    for (let i = 0; i + 2 < ids.length; i += 1) {
      if (ids[i] === first && ids[i + 1] === second) row[ids[i + 2]] = -Infinity;
    }
  }

  /** The `count` best of all continuations, the best first; of equals, the first. */
  function best(rows, live, count) {
    const found = [];
    rows.forEach((row, parent) => row.forEach((logProb, id) => {
      const reached = live[parent].logProb + logProb;
      if (reached === -Infinity) return;
      if (found.length === count && reached <= found.at(-1).logProb) return;
      let place = found.length;
      while (place && found[place - 1].logProb < reached) place -= 1;
      found.splice(place, 0, { parent, id, logProb: reached });
      if (found.length > count) found.pop();
    }));
    return found;
  }

  const byScore = (a, b) => b.score - a.score; // sort keeps the order of equals

  /** The best draft of a beam search: {text, ids, confidence}.
      step(ids, rows) → one row of log-probabilities for each text, of the next unit. */
  newsReader.writeSummary = async (article, lexicon, step, { beams = 5 } = {}) => {
    const { start, end, least, maxUnits } = newsReader.lists;
    const rules = new Faithful(article, lexicon), earliest = least[lexicon.language];
    const divisor = (length) => (5 + length) / 6; // of Wu et al. 2016, with α = 1
    let live = [{ ids: [start], logProb: 0, state: BEGIN, parent: 0 }], ended = [];
    for (let t = 0; t < maxUnits; t += 1) {
      const logProbs = await step(live.map((l) => l.ids.at(-1)), live.map((l) => l.parent));
      const rows = live.map((text, n) => {
        const may = rules.allowed(text.state);
        if (t < earliest) {
          const ending = may[end];
          may[end] = 0;
          if (!may.includes(1)) may[end] = ending;
        }
        const row = among(logProbs[n], may);
        forbidRepeats(row, text.ids);
        return row;
      });
      const last = t + 1 === maxUnits, next = [];
      best(rows, live, 2 * beams).forEach(({ parent, id, logProb }, rank) => {
        const grown = { ids: [...live[parent].ids, id], logProb, parent };
        if (id !== end && !last) {
          next.push({ ...grown, state: rules.advance(live[parent].state, id) });
        } else if (rank < beams) {
          ended.push({ ...grown, score: logProb / divisor(t + 1) });
        }
      });
      live = next.slice(0, beams);
      ended = ended.sort(byScore).slice(0, beams);
      const worst = ended.length === beams ? ended.at(-1).score : -Infinity;
      if (last || !live.length || live[0].logProb / divisor(maxUnits) <= worst) break;
    }
    if (!ended.length) return { text: "", ids: [], confidence: 0 };
    const [{ ids, logProb }] = ended, own = ids.slice(1).filter((id) => id !== end);
    const text = newsReader.finish(newsReader.decode(own, article, lexicon), lexicon.language);
    return { text, ids: own, confidence: Math.exp(logProb / (ids.length - 1)) };
  };
})();
