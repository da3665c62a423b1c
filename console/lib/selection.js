// Which events a webhook wants, as check boxes. Selectors are "*", "category:NAME" or a type. Pure.

export const ALL = "*";
const category = (name) => `category:${name}`;

export function hasCategory(selectors, name) {
  return selectors.includes(ALL) || selectors.includes(category(name));
}

export function hasType(selectors, type) {
  return hasCategory(selectors, type.category) || selectors.includes(type.name);
}

// Written out: every type by its own name, except categories that stay whole.
function withoutAll(selectors, catalogue) {
  if (!selectors.includes(ALL)) return selectors;
  return catalogue.categories.map((entry) => category(entry.name));
}

function withoutCategory(selectors, catalogue, name) {
  if (!selectors.includes(category(name))) return selectors;
  const types = catalogue.types.filter((type) => type.category === name).map((type) => type.name);
  return [...selectors.filter((selector) => selector !== category(name)), ...types];
}

export function setAll(selectors, on) {
  return on ? [ALL] : [];
}

export function setCategory(selectors, catalogue, name, on) {
  const types = new Set(
    catalogue.types.filter((type) => type.category === name).map((type) => type.name),
  );
  const rest = withoutAll(selectors, catalogue).filter(
    (selector) => selector !== category(name) && !types.has(selector),
  );
  return on ? [...rest, category(name)] : rest;
}

export function setType(selectors, catalogue, type, on) {
  const open = withoutCategory(withoutAll(selectors, catalogue), catalogue, type.category).filter(
    (selector) => selector !== type.name,
  );
  return on ? [...open, type.name] : open;
}
