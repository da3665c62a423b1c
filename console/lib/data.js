// Data that several pages need.

import { api } from "./api.js";
import { useLoad } from "./load.js";
import { account } from "./session.js";
import { useStore } from "./store.js";

const PAGES_MAX = 5;

// Up to 1000 rows of a list, page by page.
export async function allOf(address, name, query, options) {
  const rows = [];
  let after = null;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const answer = await api.get(address, { ...query, limit: 200, after }, options);
    rows.push(...answer[name]);
    after = answer.next;
    if (!after) break;
  }
  return rows;
}

export function useAccount() {
  return useStore(account);
}

// The webhooks of the chosen account; `deleted`: those too, for the names in the log.
export function useWebhooks({ everyMs = 0, deleted = false } = {}) {
  const name = useAccount();
  return useLoad(
    `${name} ${deleted}`,
    (options) =>
      allOf("/webhooks", "webhooks", { account: name, deleted: deleted || null }, options),
    { everyMs },
  );
}

let catalogue = null;

function loadCatalogue() {
  catalogue ??= api.get("/catalogue").catch((problem) => {
    catalogue = null;
    throw problem;
  });
  return catalogue;
}

export function useCatalogue() {
  return useLoad("catalogue", loadCatalogue);
}

// What a list of selectors means, in words: "All events", "Member events", "Points Earned Event".
export function selectorWords(selectors, known) {
  return selectors.map((selector) => {
    if (selector === "*") return "All events";
    if (selector.startsWith("category:")) {
      const name = selector.slice("category:".length);
      return known?.categories.find((category) => category.name === name)?.title ?? name;
    }
    return known?.types.find((type) => type.name === selector)?.title ?? selector;
  });
}
