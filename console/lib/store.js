// A value that several components watch.

import { useEffect, useState } from "./html.js";

export function createStore(initial) {
  let value = initial;
  const watchers = new Set();
  return {
    get: () => value,
    set(next) {
      value = next;
      for (const watcher of [...watchers]) watcher(value);
    },
    watch(watcher) {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
  };
}

// The store's value; renders again when it changes.
export function useStore(store) {
  const [, setCount] = useState(0);
  useEffect(() => store.watch(() => setCount((count) => count + 1)), [store]);
  return store.get();
}
