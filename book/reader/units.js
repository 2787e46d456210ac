/* Text to ids and back: companion/news/units.py and companion/news/windows.py.
   newsReader.lists (written by book/_ext/news_reader.py) has the sizes and closed lists of Python. */
"use strict";

(() => {
  const { SPACE, WORD, HAN, regex, characters, strip, hasDigit, startsUpper } = newsReader.unicode;
  const DIGITS = "[$€£¥]?[0-9０-９]+(?:[.,:\\/0-9０-９–\\-]*[0-9０-９])?[%％]?(?:st|nd|rd|th|s)?(?![0-9])";
  const LETTERS = `(?:(?![${HAN}])[\\p{L}\\p{N}])+`;
  const TOKEN = regex(
    `(?<number>${DIGITS})|(?<han>[${HAN}]+)|(?<word>${LETTERS}(?:['’&.\\-]${LETTERS})*)`
    + `|(?<mark>[^${WORD}${SPACE}]|_)`, "g");
  const OPENS = new Set('.!?。！？:：“"‘');

  newsReader.makeLexicon = (language, words) => ({
    language, words,
    ids: new Map(words.map((word, n) => [word, newsReader.lists.firstWord + n])),
    longest: Math.max(1, ...words.map((word) => characters(word).length)),
  });

  newsReader.languageOf = (text) => {
    const letters = text.match(/\p{L}/gu)?.length ?? 0;
    return (text.match(regex(`[${HAN}]`, "g"))?.length ?? 0) * 4 > letters ? "zh" : "en";
  };

  function isNumber(word) { // of English: what is_number(word, "en") says
    if (hasDigit(word)) return true;
    return word.toLowerCase().split(/[-–]/u).every((part) => newsReader.lists.numberWords.has(part));
  }

  /** Cut a text into units {before, text, kind, key}, losing only white space at its end. */
  newsReader.splitUnits = (text, lexicon) => {
    const units = [];
    let end = 0, opens = true;
    for (const match of text.matchAll(TOKEN)) {
      const before = text.slice(end, match.index), piece = match[0];
      const { number, han, word } = match.groups;
      end = match.index + piece.length;
      if (han !== undefined) {
        splitHan(units, before, piece, lexicon);
      } else {
        const group = number !== undefined ? "number" : word !== undefined ? "word" : "mark";
        const unit = unitOf(before, piece, group, lexicon, opens), last = units.at(-1);
        const joins = last && unit.kind === "name" && last.kind === "name"
          && (before === " " || before === "-");
        if (joins && lexicon.language === "en") {
          last.text += before + piece;
          last.key = last.text;
        } else units.push(unit);
      }
      opens = OPENS.has(piece) || (opens && match.groups.mark !== undefined);
    }
    return units;
  };

  function unitOf(before, piece, group, lexicon, opens) {
    const lower = piece.toLowerCase().replaceAll("’", "'"), known = lexicon.ids.has(lower);
    if (group === "mark") {
      return { before, text: piece, kind: lexicon.ids.has(piece) ? "mark" : "rare", key: piece };
    }
    if (group === "number" || isNumber(piece)) {
      return { before, text: piece, kind: "number", key: lower };
    }
    if (startsUpper(piece) && !(opens && known) && piece !== "I") {
      return { before, text: piece, kind: "name", key: piece };
    }
    return { before, text: piece, kind: known ? "word" : "rare", key: lower };
  }

  /** Longest known word first; numerals together; what is left, character by character. */
  function splitHan(units, before, text, lexicon) {
    const run = characters(text), { numerals } = newsReader.lists;
    for (let start = 0, end; start < run.length; start = end) {
      let kind = "number";
      end = start + 1;
      const piece = () => run.slice(start, end).join("");
      if (numerals.has(run[start])) {
        while (end < run.length && numerals.has(run[end])) end += 1;
      } else {
        end = Math.min(run.length, start + lexicon.longest);
        while (end > start + 1 && !lexicon.ids.has(piece())) end -= 1;
        kind = lexicon.ids.has(piece()) ? "word" : "rare";
      }
      units.push({ before: start ? "" : before, text: piece(), kind, key: piece() });
    }
  }

  /** Sentences as ids, or null if there are more names, numbers or rare words than slots. */
  newsReader.encode = (sentences, lexicon) => {
    const { slots, article, sentence } = newsReader.lists;
    const ids = [article], places = [-1], units = [null], surfaces = new Map(), given = new Map();
    const count = Object.fromEntries(Object.keys(slots).map((kind) => [kind, 0]));
    for (const [number, text] of sentences.entries()) {
      ids.push(sentence);
      places.push(number);
      units.push(null);
      let at = 0;
      for (const unit of newsReader.splitUnits(text, lexicon)) {
        let id = lexicon.ids.get(unit.key);
        if (unit.kind !== "word" && unit.kind !== "mark") {
          const key = `${unit.kind} ${unit.kind === "name" ? unit.text : unit.key}`;
          if (!given.has(key)) {
            if (count[unit.kind] === slots[unit.kind].size) return null;
            given.set(key, slots[unit.kind].first + count[unit.kind]);
            count[unit.kind] += 1;
          }
          id = given.get(key);
          // As in Python: the text of the key, so in lower case unless it is a name.
          surfaces.set(id, unit.kind === "name" ? unit.text : unit.key);
        }
        ids.push(id);
        places.push(number);
        at += unit.before.length;
        units.push({ start: at, text: unit.text });
        at += unit.text.length;
      }
    }
    return { ids, sentences: places, surfaces, texts: [...sentences], units };
  };

  newsReader.kindOf = (id) => {
    const { firstSlot, slots } = newsReader.lists;
    if (id < firstSlot) return "special";
    const found = Object.entries(slots).find(([, slot]) => id < slot.first + slot.size);
    return found ? found[0] : "word";
  };

  newsReader.decode = (ids, article, lexicon) => {
    const { firstSlot, firstWord } = newsReader.lists;
    const pieces = ids.filter((id) => id >= firstSlot).map((id) => (
      id >= firstWord ? lexicon.words[id - firstWord] : article.surfaces.get(id)));
    return lexicon.language === "zh" ? pieces.join("") : spaced(pieces);
  };

  const CLOSES = new Set([".", ",", ";", ":", "!", "?", ")", "]", "%", "”", "’", "…", "'"]);
  const GLUES = new Set(["(", "[", "“", "‘", "$", "€", "£"]);
  const DASHES = new Set(["-", "–", "/", "—"]);
  const OPENING = regex(`(^|[.!?][${SPACE}]+)([a-z])`, "g");

  function spaced(pieces) {
    let text = "", glue = true;
    for (const piece of pieces) {
      text += glue || CLOSES.has(piece) ? piece : ` ${piece}`;
      glue = GLUES.has(piece);
      if (DASHES.has(piece)) {
        glue = true;
        if (text.endsWith(` ${piece}`)) text = text.slice(0, -piece.length - 1) + piece;
      }
    }
    return text.replace(OPENING, (_, before, letter) => before + letter.toUpperCase());
  }

  /** A full stop at the end, where there is none. */
  newsReader.finish = (text, language) => {
    const short = strip(text).replace(/[,;:，、；：]+$/u, ""), stop = language === "zh" ? "。" : ".";
    return [stop, "!", "?", "！", "？"].some((end) => short.endsWith(end)) ? short : short + stop;
  };

  /** Neighbouring sentences together, as many as fit; one that is too long is cut in pieces. */
  newsReader.windows = (sentences, lexicon) => {
    const { window } = newsReader.lists, pieces = [];
    let parts = sentences.flatMap((text, number) => cut(text, number, lexicon));
    while (parts.length) {
      let count = 0, size = 1;
      while (count < parts.length) {
        size += 1 + newsReader.splitUnits(parts[count].text, lexicon).length;
        if (count && size > window) break;
        count += 1;
      }
      pieces.push(newsReader.fitSentences(parts.slice(0, count), lexicon));
      parts = parts.slice(pieces.at(-1).parts.length);
    }
    return pieces;
  };

  /** As many of the parts {number, text, start}, from the first on, as there are slots for. */
  newsReader.fitSentences = (parts, lexicon) => {
    for (;;) {
      const article = newsReader.encode(parts.map((part) => part.text), lexicon);
      if (article) return { article, parts };
      parts = parts.slice(0, Math.max(1, Math.floor(parts.length / 2)));
    }
  };

  /** A sentence, or pieces of at most 40 units of one that is longer than half a window. */
  function cut(text, number, lexicon) {
    const units = newsReader.splitUnits(text, lexicon);
    if (units.length <= newsReader.lists.window / 2 && newsReader.encode([text], lexicon)) {
      return [{ number, text, start: 0 }];
    }
    const parts = [];
    for (let n = 0, start = 0; n < units.length; n += 40) {
      const part = units.slice(n, n + 40).map((unit) => unit.before + unit.text).join("");
      parts.push({ number, text: part, start });
      start += part.length;
    }
    return parts;
  }
})();
