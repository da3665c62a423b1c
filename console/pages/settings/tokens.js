// API tokens: for programs that emit or read. The text is shown once.

import { html, useState } from "../../lib/html.js";
import { api, path } from "../../lib/api.js";
import { useAction, useLoad } from "../../lib/load.js";
import { Dialog, ask, openDialog } from "../../ui/dialog.js";
import { RadioField, TextField, errorsOf } from "../../ui/field.js";
import { Icon } from "../../ui/icon.js";
import { Badge, Empty, ProblemNote, Time } from "../../ui/parts.js";
import { Table } from "../../ui/table.js";
import { telling, toast } from "../../ui/toast.js";
import { showOnce } from "../secret_dialogs.js";

function CreateDialog({ close }) {
  const [form, setForm] = useState({ name: "", account: "", scope: "read" });
  const set = (fields) => setForm({ ...form, ...fields });
  const [run, busy, problem] = useAction(async () =>
    close(
      await api.post("/tokens", {
        name: form.name.trim(),
        account: form.account.trim() || null,
        scope: form.scope,
      }),
    ),
  );
  const errors = errorsOf(problem, ["name", "account", "scope"]);
  return html`<${Dialog} title="Create API token" onClose=${() => close(null)} onSubmit=${run}
    foot=${html`<button type="button" class="button" onClick=${() => close(null)}>Cancel</button>
      <button type="submit" class="button button-primary" disabled=${busy}>Create token</button>`}>
    <${TextField} name="name" label="Name" hint="Which program uses it" value=${form.name}
      error=${errors.name}
      onChange=${(name) => set({ name })} maxlength="100" />
    <${RadioField} legend="It may" name="scope" value=${form.scope} onChange=${(scope) =>
      set({ scope })} error=${errors.scope}
      options=${[
        { value: "read", label: "Read", hint: "Lists, figures, metrics" },
        {
          value: "write",
          label: "Read and write",
          hint: "Also emit events, change webhooks, retry",
        },
      ]} />
    <${TextField} name="account" label="Account" optional
      hint="Only this account's things; empty: all accounts"
      value=${form.account} error=${errors.account} onChange=${(account) => set({ account })} />
    ${errors[""] && html`<${ProblemNote} problem=${{ message: errors[""] }} />`}
  </${Dialog}>`;
}

async function create(reload) {
  const made = await openDialog((close) => html`<${CreateDialog} close=${close} />`);
  if (!made) return;
  reload();
  showOnce({
    title: `Token of ${made.name}`,
    text: made.token,
    children: html`
    <p class="quiet">Programs send it as <code>Authorization: Bearer …</code></p>`,
  });
}

async function revoke(token, reload) {
  await ask({
    title: `Revoke ${token.name}?`,
    action: `Revoke ${token.name}`,
    danger: true,
    children: html`
    <p>Programs that use it are refused from this moment. It cannot be given back.</p>`,
    run: () =>
      telling(async () => {
        await api.remove(path("tokens", token.id));
        toast(`${token.name} is revoked.`);
      }),
  });
  reload();
}

function columnsOf(reload) {
  return [
    {
      key: "name",
      title: "Token",
      cell: (token) => html`<div class="cell-main"><span class="strong">${token.name}</span>
      <span class="mono small quiet">${token.id}</span></div>`,
    },
    {
      key: "scope",
      title: "May",
      cell: (token) => (token.scope === "write" ? "read and write" : "read"),
    },
    { key: "account", title: "Account", cell: (token) => token.account ?? "all" },
    { key: "created", title: "Created", cell: (token) => html`<${Time} at=${token.created_at} />` },
    {
      key: "used",
      title: "Last used",
      cell: (token) => html`<${Time} relative at=${token.last_used_at} empty="never" />`,
    },
    {
      key: "state",
      title: "State",
      cell: (token) =>
        token.revoked_at
          ? html`<${Badge} tone="quiet">Revoked</${Badge}>`
          : html`<${Badge} tone="good">Valid</${Badge}>`,
    },
    {
      key: "action",
      title: "Action",
      hideTitle: true,
      className: "cell-action",
      cell: (token) =>
        !token.revoked_at &&
        html`<button type="button" class="button button-small" onClick=${() => revoke(token,
          reload)}>Revoke<span
        class="hidden"> ${token.name}</span></button>`,
    },
  ];
}

export function TokensPart() {
  const loaded = useLoad("tokens", (options) => api.get("/tokens", null, options));
  const rows = loaded.data?.tokens ?? null;
  const button = html`<button type="button" class="button button-primary"
    onClick=${() => create(loaded.reload)}>
    <${Icon} name="plus" />Create API token</button>`;
  return html`<${ProblemNote} problem=${loaded.problem} retry=${loaded.reload} />
    ${
      rows?.length === 0
        ? html`<${Empty} icon="key" title="No API token yet" action=${button}>
        <p>A token lets a program use the HTTP API: to emit events, or to read the log
          and <code>/metrics</code>.</p></${Empty}>`
        : (rows || loaded.loading) &&
          html`<div class="part-head">${button}</div>
        <${Table} label="API tokens" columns=${columnsOf(loaded.reload)} rows=${rows}
          rowKey=${(token) => token.id}
          rowClass=${(token) => (token.revoked_at ? "is-over" : "")} skeleton=${3} />`
    }`;
}
