// A request as a command for the shell. Pure.

// As a POSIX shell takes it.
export function quoted(text) {
  return "'" + text.replaceAll("'", "'\\''") + "'";
}

// given: { url, headers: { name: value }, body }.
export function curl(given) {
  const lines = [`curl -sS -i -X POST ${quoted(given.url)}`];
  for (const [name, value] of Object.entries(given.headers)) {
    lines.push(`  -H ${quoted(`${name}: ${value}`)}`);
  }
  lines.push(`  --data-binary ${quoted(given.body)}`);
  return lines.join(" \\\n");
}
