// The fields of the webhook form.

import { html } from "../lib/html.js";
import { LABELS } from "../lib/webhook_form.js";
import { AreaField, CheckField, RadioField, TextField } from "../ui/field.js";
import { EventsPicker } from "./events_picker.js";
import { SecretChoice } from "./secret_dialogs.js";

const BATCH_SIZES = ["1", "10", "50", "100", "500", "1000"];

// bind(name) → the properties that every field has.
export function binder(form, errors, set) {
  return (name) => ({
    name,
    label: LABELS[name],
    value: form[name],
    error: errors[name],
    onChange: (value) => set({ [name]: value }),
  });
}

export function BasicFields({ form, errors, set, secret, onSecret }) {
  const bind = binder(form, errors, set);
  return html`<section class="card" aria-labelledby="part-basic">
    <h2 id="part-basic">Destination</h2>
    <${TextField} ...${bind("name")} hint="How it is called here and in mails" maxlength="100"
      required />
    <${TextField} ...${bind("url")} hint="Your endpoint; events are posted to it" inputmode="url"
      required
      placeholder="https://example.com/hooks/points" />
    ${
      onSecret &&
      html`<${SecretChoice} legend=${LABELS.secret} value=${secret} onChange=${onSecret}
      error=${errors.secret} scheme=${form.scheme} />`
    }
  </section>`;
}

export function EventFields({ form, errors, set, catalogue }) {
  const bind = binder(form, errors, set);
  return html`<section class="card" aria-labelledby="part-events">
    <h2 id="part-events">Events</h2>
    <${EventsPicker} catalogue=${catalogue} selectors=${form.event_types}
      label=${LABELS.event_types}
      error=${errors.event_types} onChange=${(value) => set({ event_types: value })} />
    <datalist id="batch-sizes">${BATCH_SIZES.map((size) => html`<option key=${size}
      value=${size}></option>`)}</datalist>
    <${TextField} ...${bind("batch_size")} inputmode="numeric" list="batch-sizes"
      className="field-short"
      unit="events" hint="So many events come in one request at most, 1 to 1,000" />
  </section>`;
}

export function AdvancedFields({ form, errors, set, open, onToggle }) {
  const bind = binder(form, errors, set);
  const number = { inputmode: "numeric", className: "field-short" };
  return html`<details class="card advanced" open=${open} onToggle=${(event) =>
    onToggle(event.currentTarget.open)}>
    <summary><h2>Advanced</h2><span class="quiet">Retries, pausing, headers, what counts, signature,
      order</span></summary>
    <div class="grid-2">
      <${TextField} ...${bind("retries_max")} ...${number} unit="retries"
        hint="After the first attempt, 0 to 100" />
      <${TextField} ...${bind("retry_interval_s")} ...${number} unit="seconds"
        hint="Between attempts; 300 are five minutes" />
      <${TextField} ...${bind("retry_schedule")} optional
        hint="Seconds before each retry, instead of the interval"
        placeholder="60, 300, 3600" />
      <${TextField} ...${bind("pause_after")} ...${number} unit="requests"
        hint="So many in a row pause it; 0: never" />
      <${TextField} ...${bind("timeout_ms")} ...${number} unit="ms" hint="100 to 300,000" />
      <${TextField} ...${bind("max_in_flight")} ...${number} unit="attempts"
        hint="Over all workers, 1 to 1,024" />
      <${TextField} ...${bind("batch_wait_ms")} ...${number} unit="ms"
        hint="So long is waited for more events, up to 60,000" />
      <${TextField} ...${bind("batch_bytes_max")} ...${number} unit="bytes"
        hint="Of one request's body, up to 1,000,000" />
    </div>
    <${AreaField} ...${bind("headers")} optional
      hint="One a line, sent with each request: Authorization: Bearer abc"
      rows=${3} />
    <div class="grid-2">
      <${RadioField} legend=${LABELS.success} name="success" value=${form.success}
        error=${errors.success}
        onChange=${(value) => set({ success: value })} options=${[
          { value: "200", label: "200 only", hint: "As the documentation says" },
          { value: "2xx", label: "Any 2xx", hint: "Also 201, 202, 204 …" },
        ]} />
      <${RadioField} legend=${LABELS.scheme} name="scheme" value=${form.scheme}
        error=${errors.scheme}
        onChange=${(value) => set({ scheme: value })} options=${[
          {
            value: "zinrelo",
            label: "x-zinrelo-signature",
            hint: "HMAC-SHA512 over body and nonce",
          },
          { value: "standard", label: "Standard Webhooks", hint: "webhook-signature, HMAC-SHA256" },
        ]} />
    </div>
    <${CheckField} name="ordered" label=${LABELS.ordered} checked=${form.ordered}
      onChange=${(on) => set({ ordered: on })}
      hint="One request after the other: a failing one holds up all that follow" />
  </details>`;
}
