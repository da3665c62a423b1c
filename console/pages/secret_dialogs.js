// Secrets: shown once after they were made, and rotated.

import { html, useState } from "../lib/html.js";
import { api, path } from "../lib/api.js";
import { useAction } from "../lib/load.js";
import { makeSecret } from "../lib/secret.js";
import { Dialog, openDialog } from "../ui/dialog.js";
import { RadioField, SelectField, TextField, errorsOf } from "../ui/field.js";
import { CopyButton, Note, ProblemNote } from "../ui/parts.js";

const OVERLAPS = [
  { value: "86400", label: "In 24 hours" },
  { value: "3600", label: "In 1 hour" },
  { value: "604800", label: "In 7 days" },
  { value: "0", label: "At once" },
];

// A text that is shown this once: a secret, a token.
function OnceDialog({ title, text, children, close }) {
  return html`<${Dialog} title=${title} closable=${false} onSubmit=${() => close(true)}
    foot=${html`<button type="submit" class="button button-primary">I have stored it</button>`}>
    <${Note} tone="warn" icon="key">This is the only time that it is shown. Store it where your
      program reads it,
      never in a mail or a ticket.</${Note}>
    <div class="once"><code class="once-text" tabindex="0">${text}</code><${CopyButton} text=${text}
      /></div>
    ${children}
  </${Dialog}>`;
}

export function showOnce(given) {
  return openDialog((close) => html`<${OnceDialog} ...${given} close=${close} />`, { stay: true });
}

export function showSecret(name, secret) {
  return showOnce({
    title: `Secret key of ${name}`,
    text: secret,
    children: html`
    <p class="quiet">Your endpoint computes the signature of what arrives with it, and
      compares.</p>`,
  });
}

// Which secret: one that the server makes, or the reader's own. value: { own, text }.
export function SecretChoice({ value, onChange, error, scheme, legend = "Secret key" }) {
  return html`<div>
    <${RadioField} legend=${legend} name="secret-choice" value=${value.own ? "own" : "made"}
      onChange=${(choice) => onChange({ ...value, own: choice === "own" })} options=${[
        {
          value: "made",
          label: "Make one for me",
          hint: "32 random bytes, shown once after saving",
        },
        { value: "own", label: "Use my own", hint: "16 to 256 bytes; long and random" },
      ]} />
    ${
      value.own &&
      html`<div class="secret-own">
      <${TextField} name="secret" label="Your secret key" value=${value.text} error=${error}
        className="grow"
        onChange=${(text) => onChange({ ...value, text })} />
      <div class="button-row">
        <button type="button" class="button button-small" onClick=${() =>
          onChange({ own: true, text: makeSecret(scheme) })}>Generate</button>
        ${value.text && html`<${CopyButton} text=${value.text} />`}
      </div></div>`
    }
  </div>`;
}

export function RotateDialog({ webhook, close }) {
  const [overlap, setOverlap] = useState("86400");
  const [secret, setSecret] = useState({ own: false, text: "" });
  const [run, busy, problem] = useAction(async () => {
    const body = { overlap_s: Number(overlap) };
    if (secret.own) body.secret = secret.text;
    const answer = await api.post(path("webhooks", webhook.id, "rotate-secret"), body, {
      match: webhook.revision,
    });
    close(true);
    if (answer.secret) showSecret(webhook.name, answer.secret);
  });
  const errors = errorsOf(problem, ["secret"]);
  return html`<${Dialog} title=${`Rotate the secret of ${webhook.name}`}
    onClose=${() => close(null)} onSubmit=${run}
    foot=${html`<button type="button" class="button" onClick=${() => close(null)}>Cancel</button>
      <button type="submit" class="button button-primary" disabled=${busy}>Rotate secret</button>`}>
    <p>${
      webhook.scheme === "standard"
        ? "Until the new one takes over, requests carry the signatures of both."
        : "Until the new one takes over, requests are signed with the old one; let your endpoint " +
          "accept both."
    }</p>
    <${SelectField} label="When does the new one take over?" value=${overlap} onChange=${setOverlap}
      options=${OVERLAPS} />
    <${SecretChoice} legend="New secret key" value=${secret} onChange=${setSecret}
      error=${errors.secret}
      scheme=${webhook.scheme} />
    ${errors[""] && html`<${ProblemNote} problem=${{ message: errors[""] }} />`}
  </${Dialog}>`;
}
