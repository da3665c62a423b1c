// Line icons, drawn in the colour of the text around them; words beside them say the same.

import { html } from "../lib/html.js";

const PATHS = {
  dashboard: "M4 13h6V4H4zm10 7h6V4h-6zM4 20h6v-3H4z",
  webhook: "M9 7a3 3 0 1 1 5 2.2L17 15m-5-7-3.5 6.5M6 14a3 3 0 1 0 3 3h6m2-2a3 3 0 1 1-2 5",
  logs: "M4 6h16M4 12h16M4 18h10",
  catalogue: "M5 4h11l3 3v13H5zM9 9h6m-6 4h6m-6 4h4",
  inbox: "M4 13h4l2 3h4l2-3h4M4 13l3-8h10l3 8v6H4z",
  handlers:
    "M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6m0-5v3m0 10v3m8-8h-3M7 12H4m13.7-5.7-2.2 2.2m-7 7-2.2 2.2m11.4 0-2.2-2.2m-7-7L6.3 6.3",
  settings:
    "M4 7h9m4 0h3M4 17h3m4 0h9M15 5a2 2 0 1 1 0 4 2 2 0 0 1 0-4M9 15a2 2 0 1 1 0 4 2 2 0 0 1 0-4",
  plus: "M12 5v14M5 12h14",
  more: "M12 6v.01M12 12v.01M12 18v.01",
  down: "m6 9 6 6 6-6",
  right: "m9 6 6 6-6 6",
  left: "m15 6-6 6 6 6",
  close: "M6 6l12 12M18 6 6 18",
  check: "m5 13 4 4L19 7",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  retry: "M4 12a8 8 0 0 1 14-5l2 2m0-5v5h-5m5 3a8 8 0 0 1-14 5l-2-2m0 5v-5h5",
  warning: "M12 4 2.5 20h19zm0 6v4m0 3v.01",
  info: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18m0 8v5m0-8v.01",
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14m5 12 4 4",
  menu: "M4 6h16M4 12h16M4 18h16",
  user: "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8M5 20a7 7 0 0 1 14 0",
  key: "M8 12a4 4 0 1 0 0 8 4 4 0 0 0 0-8m3 1 9-9m-4 4 3 3",
  send: "M4 12 20 4l-6 16-3-7z",
  edit: "M4 20h4L19 9l-4-4L4 16zM13 7l4 4",
  trash: "M5 7h14M10 7V4h4v3m-7 0 1 13h8l1-13",
  pause: "M8 5v14M16 5v14",
  play: "M7 5v14l12-7z",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8m0-6v2m0 16v2M2 12h2m16 0h2M5 5l1.5 1.5m11 11L19 19M5 19l1.5-1.5m11-11L19 5",
  mail: "M4 6h16v12H4zm0 1 8 6 8-6",
  out: "M14 4h6v16h-6M10 8l-4 4 4 4m-4-4h10",
};

export function Icon({ name, size = 18 }) {
  return html`<svg class="icon" viewBox="0 0 24 24" width=${size} height=${size} aria-hidden="true"
    focusable="false"><path d=${PATHS[name]} /></svg>`;
}
