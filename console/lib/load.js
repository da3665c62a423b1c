// Data of a page: loaded when `key` changes, kept while it is loaded again (so nothing jumps),
// and polled while somebody looks. While the session has ended nothing is loaded, and what stands
// there stays; after signing in it is loaded again. What could not be loaded because the server
// was away is tried again by itself.

import { useCallback, useEffect, useRef, useState } from "./html.js";
import { session } from "./session.js";
import { useStore } from "./store.js";

const AGAIN_MS = 5000;

// Whether the same may succeed in a while.
export const mayPass = (problem) => problem.status === 0 || problem.status >= 500;

// load: ({ signal }) → Promise. everyMs: polls. Returns { data, problem, loading (nothing to show
// yet), stale (the data are of the key before), reload }.
export function useLoad(key, load, { everyMs = 0 } = {}) {
  const [state, setState] = useState({ data: null, problem: null, key: null });
  const current = useRef(null);
  current.current = load;
  const running = useRef(null);

  const reload = useCallback(async () => {
    running.current?.abort();
    const control = new AbortController();
    running.current = control;
    try {
      const data = await current.current({ signal: control.signal });
      if (!control.signal.aborted) setState({ data, problem: null, key });
    } catch (problem) {
      if (!control.signal.aborted && problem.status !== 401)
        setState((was) => ({ ...was, problem, key }));
    }
  }, [key]);

  const { expired } = useStore(session);
  useEffect(() => {
    if (!expired) reload();
    return () => running.current?.abort();
  }, [reload, expired]);

  useEffect(() => {
    if (!everyMs || expired) return undefined;
    const timer = setInterval(() => {
      if (!document.hidden) reload();
    }, everyMs);
    return () => clearInterval(timer);
  }, [everyMs, reload, expired]);

  const failed = state.problem && state.key === key;
  useEffect(() => {
    if (!failed || everyMs || !mayPass(state.problem)) return undefined;
    const timer = setTimeout(reload, AGAIN_MS);
    return () => clearTimeout(timer);
  }, [state, everyMs, reload]);
  return {
    data: state.data,
    problem: failed ? state.problem : null,
    reload,
    loading: state.data === null && !failed,
    stale: state.key !== key,
  };
}

// An action with its progress: [run, busy, problem]. A second call while one runs does nothing.
export function useAction(action) {
  const [state, setState] = useState({ busy: false, problem: null });
  const live = useRef(true);
  const busy = useRef(false);
  useEffect(() => {
    live.current = true;
    return () => {
      live.current = false;
    };
  }, []);
  const run = async (...given) => {
    if (busy.current) return undefined;
    busy.current = true;
    setState({ busy: true, problem: null });
    try {
      const result = await action(...given);
      if (live.current) setState({ busy: false, problem: null });
      return result;
    } catch (problem) {
      if (live.current) setState({ busy: false, problem });
      return undefined;
    } finally {
      busy.current = false;
    }
  };
  return [run, state.busy, state.problem, () => setState({ busy: false, problem: null })];
}
