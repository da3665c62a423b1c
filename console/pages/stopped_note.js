// A webhook that is paused or disabled: what failed can be retried only after it is enabled.

import { html } from "../lib/html.js";
import { href } from "../lib/router.js";
import { isAdmin } from "../lib/session.js";
import { PAUSED_BECAUSE } from "../lib/words.js";
import { Icon } from "../ui/icon.js";
import { Time } from "../ui/parts.js";
import { enable } from "./webhook_actions.js";

// here: on the webhook's own page.
export function StoppedNote({ webhook, onChange, here }) {
  const paused = webhook.status === "paused";
  const name = here
    ? "This webhook"
    : html`<a class="strong" href=${href(`/webhooks/${webhook.id}`)}>${webhook.name}</a>`;
  return html`<div class="note note-warn">
    <${Icon} name="pause" />
    <div class="grow">${name} is
      ${` ${webhook.status} since `}<${Time} at=${webhook.status_since} />${
        paused && `: ${PAUSED_BECAUSE[webhook.status_reason] ?? webhook.status_reason}`
      }. Enable it first; then its failed requests can be retried.</div>
    ${
      isAdmin() &&
      html`<button type="button" class="button button-small"
      onClick=${() => enable(webhook, onChange)}>Enable Webhook</button>`
    }
  </div>`;
}
