// An address that is no page.

import { html } from "../lib/html.js";
import { href } from "../lib/router.js";
import { PageHead } from "../ui/parts.js";

export function NotFoundPage() {
  return html`<${PageHead} title="There is no such page" />
    <p>The address is misspelt, or the link is of another version. <a href=${href("/")}>To the
      dashboard</a></p>`;
}
