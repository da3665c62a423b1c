// "Send test event": one sample goes to a webhook now, and the answer is shown.

import { html, useState } from "../lib/html.js";
import { api, path } from "../lib/api.js";
import { useCatalogue, useWebhooks } from "../lib/data.js";
import { milliseconds } from "../lib/format.js";
import { useAction } from "../lib/load.js";
import { Dialog } from "../ui/dialog.js";
import { SelectField } from "../ui/field.js";
import { Code, Facts, Note, ProblemNote, Url } from "../ui/parts.js";

function wants(webhook, type) {
  return webhook.event_types.some(
    (selector) =>
      selector === "*" || selector === type.name || selector === `category:${type.category}`,
  );
}

function Outcome({ probe }) {
  return html`<div class="probe" role="status">
    <${Note} tone=${probe.delivered ? "good" : "bad"} icon=${probe.delivered ? "check"
      : "warning"}>${
      probe.delivered
        ? "Delivered: the endpoint accepted the sample."
        : `Not delivered: ${probe.error ?? "the endpoint did not accept it"}.`
    }</${Note}>
    <${Facts} rows=${[
      ["Answer", probe.status == null ? "none" : `HTTP ${probe.status}`],
      ["Took", milliseconds(probe.duration_ms)],
      ["Event type", probe.event_type],
      ["Sent to", html`<${Url} url=${probe.url} />`],
    ]} />
    ${probe.response && html`<${Code} text=${probe.response} label="Body of the answer"
      copy=${false} />`}
  </div>`;
}

// webhook: which one, or null to choose; eventType: or null to choose.
export function TestDialog({ webhook, eventType, close }) {
  const known = useCatalogue().data;
  const all = useWebhooks().data ?? [];
  const [chosen, setChosen] = useState(webhook?.id ?? "");
  const target = webhook ?? all.find((entry) => entry.id === chosen) ?? all[0];
  const types = known?.types ?? [];
  const [type, setType] = useState(eventType ?? "");
  const selected =
    type || (target && types.find((entry) => wants(target, entry))?.name) || types[0]?.name || "";
  const [run, busy, problem] = useAction(async () =>
    api.post(
      path("webhooks", target.id, "test"),
      { event_type: selected },
      { timeoutMs: target.timeout_ms + 15000 },
    ),
  );
  const [probe, setProbe] = useState(null);
  const send = async () => {
    setProbe(null);
    const answer = await run();
    if (answer) setProbe(answer);
  };
  const title = webhook ? `Send a test event to ${webhook.name}` : "Send a sample";
  return html`<${Dialog} title=${title} onClose=${() => close(null)} onSubmit=${send} wide
    foot=${html`<button type="button" class="button" onClick=${() => close(null)}>Close</button>
      <button type="submit" class="button button-primary" disabled=${busy || !target
        || !selected}>${
        busy ? "Sending…" : probe ? "Send again" : "Send"
      }</button>`}>
    <p class="quiet">A made-up event is sent as a worker would send it, signed with the real secret.
      It stands in no
      log and counts for nothing.</p>
    ${
      !webhook &&
      (all.length
        ? html`<${SelectField} label="Webhook" value=${target.id} onChange=${setChosen}
          options=${all.map((entry) => ({ value: entry.id, label: entry.name }))} />`
        : html`<${Note}>There is no webhook yet that a sample could be sent to.</${Note}>`)
    }
    <${SelectField} label="Event" value=${selected} onChange=${setType}
      options=${types.map((entry) => ({ value: entry.name,
        label: `${entry.title} (${entry.name})` }))} />
    <${ProblemNote} problem=${problem} />
    ${probe && html`<${Outcome} probe=${probe} />`}
  </${Dialog}>`;
}
