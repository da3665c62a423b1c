// JSON as text: indented or taken apart without being turned into numbers and back, so that what
// the reader sees is what was sent (12345678901234567890, 1.0, the order of members). Pure.

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/gs;

// The text with two spaces a level; text that is no JSON comes back as it is.
export function indent(text) {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  const tokens = text.match(TOKEN) ?? [];
  const parts = [];
  let level = 0;
  const line = () => "\n" + "  ".repeat(level);
  tokens.forEach((token, index) => {
    const next = tokens[index + 1];
    if (token === "{" || token === "[") {
      if (next === "}" || next === "]") {
        parts.push(token);
      } else {
        level += 1;
        parts.push(token, line());
      }
    } else if (token === "}" || token === "]") {
      const before = tokens[index - 1];
      if (before === "{" || before === "[") {
        parts.push(token);
      } else {
        level -= 1;
        parts.push(line(), token);
      }
    } else if (token === ",") {
      parts.push(token, line());
    } else {
      parts.push(token === ":" ? ": " : token);
    }
  });
  return parts.join("");
}

function* pieces(text) {
  let level = 0;
  let begin = null;
  for (const found of text.matchAll(TOKEN)) {
    const [token] = found;
    const end = found.index + token.length;
    if (level === 1 && (token === "," || token === "}" || token === "]" || token === ":")) {
      if (begin !== null) yield [token, text.slice(begin, found.index).trim()];
      begin = null;
    } else if (level >= 1 && begin === null) {
      begin = found.index;
    }
    if (token === "{" || token === "[") {
      level += 1;
      if (level === 1) begin = null;
    } else if (token === "}" || token === "]") {
      level -= 1;
    }
    if (level === 0 && end > 1) return;
  }
}

// The members of an object: name → text of its value.
export function members(text) {
  const found = new Map();
  let name = null;
  for (const [separator, piece] of pieces(text)) {
    if (separator === ":" && name === null) {
      name = JSON.parse(piece);
    } else {
      found.set(name, piece);
      name = null;
    }
  }
  return found;
}

// The items of an array, each as text.
export function items(text) {
  return [...pieces(text)].map(([, piece]) => piece);
}
