/* Letters, digits and white space as Python knows them, which differ a little from JavaScript's:
   \s, \w and \b of the two languages do not agree. tests/test_browser_reader.py compares each
   character of Unicode. */
"use strict";

const newsReader = {};

(() => {
  const SPACE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
  const WORD = "\\p{L}\\p{N}_";
  // What counts as a digit although it is no decimal one: superscripts, circled digits and so on.
  const DIGIT = "\\p{Nd}\\xb2\\xb3\\xb9\\u1369-\\u1371\\u19da\\u2070\\u2074-\\u2079\\u2080-\\u2089"
    + "\\u2460-\\u2468\\u2474-\\u247c\\u2488-\\u2490\\u24ea\\u24f5-\\u24fd\\u24ff\\u2776-\\u277e"
    + "\\u2780-\\u2788\\u278a-\\u2792\\u{10a40}-\\u{10a43}\\u{10e60}-\\u{10e68}\\u{11052}-\\u{1105a}"
    + "\\u{1f100}-\\u{1f10a}";
  const HAN = "\\u3007\\u3400-\\u4dbf\\u4e00-\\u9fff\\uf900-\\ufaff\\u{20000}-\\u{3ffff}";
  const regex = (pattern, flags = "") => new RegExp(pattern, `u${flags}`);

  const before = regex(`^[${SPACE}]+`), behind = regex(`[${SPACE}]+$`);
  const blank = regex(`^[${SPACE}]+$`), digits = regex(`^[${DIGIT}]+$`);
  const hasDigit = regex(`[${DIGIT}]`), hasWord = regex("[\\p{L}\\p{N}]");
  const upper = regex("^\\p{Uppercase}"), lower = regex("^\\p{Lowercase}");

  newsReader.unicode = {
    SPACE, WORD, HAN, regex,
    characters: (text) => Array.from(text),           // Python counts these, not UTF-16 units
    strip: (text) => text.replace(before, "").replace(behind, ""),
    isSpace: (text) => blank.test(text),              // of an empty text false, as in Python
    isDigits: (text) => digits.test(text),
    hasDigit: (text) => hasDigit.test(text),
    hasAlphanumeric: (text) => hasWord.test(text),
    startsUpper: (text) => upper.test(text),
    startsLower: (text) => lower.test(text),
  };
})();
