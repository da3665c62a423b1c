// One place where the libraries come in: `html` makes elements from templates, the rest is
// preact's. Whatever stands in a template is set as text or as a property, never parsed as HTML.

import { Component, Fragment, createContext, h, render } from "../vendor/preact.js";
import htm from "../vendor/htm.js";

export { Component, Fragment, createContext, render };
export {
  useCallback,
  useContext,
  useEffect,
  useErrorBoundary,
  useId,
  useLayoutEffect,
  useMemo,
  useReducer,
  useRef,
  useState,
} from "../vendor/hooks.js";

export const html = htm.bind(h);
