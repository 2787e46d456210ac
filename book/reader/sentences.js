/* Sentences: companion/text/sentences.py, line by line. */
"use strict";

(() => {
  const { SPACE, WORD, regex, characters, strip, isSpace, isDigits, startsUpper, startsLower } =
    newsReader.unicode;
  // With kana, unlike the Han of units.js.
  const HAN = "\\u3007\\u3040-\\u30ff\\u3400-\\u4dbf\\u4e00-\\u9fff\\uf900-\\ufaff\\u{20000}-\\u{3ffff}";
  const CLOSERS = "\"'”’」』）)】》〉»\\]";
  const IN_LINE = SPACE.replace("\\t-\\r", "\\t\\x0b-\\r"); // white space but for \n
  const LETTER = "\\p{L}\\p{Nl}\\p{No}";

  const MARKS = regex(
    `(?<marks>[。！？；]+[。！？；…]*|…+|[.!?]+)(?<closers>[${CLOSERS}]*)(?<space>[${SPACE}]*)`
    + `|(?<paragraph>(?<![${IN_LINE}])[${IN_LINE}]*\\n(?:[${IN_LINE}]*\\n[${SPACE}]*|(?=\\u3000)[${SPACE}]*))`,
    "g");
  const HAN_AFTER = regex(`^[“「『（《]?[${HAN}]`);
  const HAN_BEFORE = regex(`[${HAN}”」』）》]$`);
  const SPEAKER = regex(
    `^(?:[^，。！？；：${SPACE}]{0,8}?(?:说|表示|问(?!题)|喊|答|写道|笑道)`
    + `|[A-Z][${WORD}]*(?: [A-Z][${WORD}]*)? (?:said|says|asked|cried|wrote)(?![${WORD}]))`);
  const LAST_WORD = regex(`(?:[${LETTER}]\\.)*[${LETTER}]+(?=\\n?$)`);
  const NEXT_WORD = regex(`^[“‘"'(\\[]*(?<word>[${WORD}]+)`);

  /** Cut a text after each sentence, losing nothing. */
  newsReader.splitSentences = (text) => {
    const sentences = [];
    let start = 0;
    for (const match of text.matchAll(MARKS)) {
      const end = match.index + match[0].length;
      if (isSpace(text.slice(start, end))) continue; // a blank line at the very beginning
      if (match.groups.paragraph !== undefined || endsSentence(text, start, match, end)) {
        sentences.push(text.slice(start, end));
        start = end;
      }
    }
    if (isSpace(text.slice(start)) && sentences.length) {
      sentences[sentences.length - 1] += text.slice(start);
    } else if (start < text.length) sentences.push(text.slice(start));
    return sentences;
  };

  function endsSentence(text, start, match, end) {
    const { marks, closers, space } = match.groups;
    const after = characters(text.slice(end, end + 80)).slice(0, 40).join("");
    if (!after || space.replaceAll("\r", "").replace("\n", "").includes("\n")) return true;
    if (closers && SPEAKER.test(after)) return false;
    if ("。！？；".includes(marks[0])) return true;
    if (marks[0] === "…" && !space) return Boolean(closers);
    const whole = text.slice(start, match.index);
    if (!space) { // 3.5, example.org; but "好!他来了" is Chinese with Western marks
      return HAN_BEFORE.test(characters(whole.slice(-2)).at(-1) ?? "") && HAN_AFTER.test(after);
    }
    const word = NEXT_WORD.exec(after)?.groups.word ?? "";
    if (startsLower(word)) return false;
    if (marks !== "." || closers) return true;
    const before = characters(whole.slice(-40)).slice(-20).join("");
    return !(isDigits(strip(before)) || isAbbreviation(before, word));
  }

  /** Whether the full stop after `before` shortens a word, and does not also end a sentence. */
  function isAbbreviation(before, following) {
    const { neverLast, sometimesLast, openers } = newsReader.lists;
    const last = LAST_WORD.exec(before)?.[0];
    if (last === undefined) return false;
    const lower = last.toLowerCase(), next = following.toLowerCase();
    if (neverLast.has(lower)) return true;
    if (lower === "no") return isDigits(following); // "No. 5", but also the answer "No."
    if (last.includes(".") || sometimesLast.has(lower)) return !openers.has(next);
    const initial = characters(last).length === 1 && startsUpper(last) && last !== "I";
    return initial && (characters(following).length === 1 || !openers.has(next));
  }
})();
