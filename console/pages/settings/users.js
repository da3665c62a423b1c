// The console's users: viewers look, admins do everything.

import { html, useState } from "../../lib/html.js";
import { api, path } from "../../lib/api.js";
import { useAction, useLoad } from "../../lib/load.js";
import { session } from "../../lib/session.js";
import { Dialog, ask, openDialog } from "../../ui/dialog.js";
import { RadioField, TextField, errorsOf } from "../../ui/field.js";
import { Icon } from "../../ui/icon.js";
import { Menu } from "../../ui/menu.js";
import { Badge, ProblemNote, Time } from "../../ui/parts.js";
import { Table } from "../../ui/table.js";
import { telling, toast } from "../../ui/toast.js";

export const ROLES = [
  {
    value: "viewer",
    label: "Viewer",
    hint: "Looks at everything but users, tokens and the audit log",
  },
  { value: "admin", label: "Admin", hint: "Does everything" },
];

function UserDialog({ close }) {
  const [form, setForm] = useState({ user: "", password: "", role: "viewer" });
  const set = (fields) => setForm({ ...form, ...fields });
  const [run, busy, problem] = useAction(async () =>
    close(await api.post("/users", { ...form, user: form.user.trim() })),
  );
  const errors = errorsOf(problem, ["user", "password", "role"]);
  return html`<${Dialog} title="Add user" onClose=${() => close(null)} onSubmit=${run}
    foot=${html`<button type="button" class="button" onClick=${() => close(null)}>Cancel</button>
      <button type="submit" class="button button-primary" disabled=${busy}>Add user</button>`}>
    <${TextField} name="user" label="Name" value=${form.user} error=${errors.user}
      onChange=${(user) => set({ user })} />
    <${TextField} name="password" label="Password" type="password" autocomplete="new-password"
      value=${form.password}
      error=${errors.password} hint="Long; the user changes it under Settings → You"
        onChange=${(password) => set({ password })} />
    <${RadioField} legend="Role" name="role" value=${form.role} options=${ROLES}
      onChange=${(role) => set({ role })} />
    ${errors[""] && html`<${ProblemNote} problem=${{ message: errors[""] }} />`}
  </${Dialog}>`;
}

function PasswordDialog({ user, close }) {
  const [password, setPassword] = useState("");
  const [run, busy, problem] = useAction(async () =>
    close(await api.patch(path("users", user.user), { password })),
  );
  const errors = errorsOf(problem, ["password"]);
  return html`<${Dialog} title=${`New password for ${user.user}`} onClose=${() => close(null)}
    onSubmit=${run}
    foot=${html`<button type="button" class="button" onClick=${() => close(null)}>Cancel</button>
      <button type="submit" class="button button-primary" disabled=${busy}>Set password</button>`}>
    <p>Where ${user.user} is signed in, that ends.</p>
    <${TextField} name="password" label="Password" type="password" autocomplete="new-password"
      value=${password}
      error=${errors.password ?? errors[""]} onChange=${setPassword} />
  </${Dialog}>`;
}

async function add(reload) {
  const made = await openDialog((close) => html`<${UserDialog} close=${close} />`);
  if (made) toast(`${made.user} can sign in now.`);
  reload();
}

async function change(user, fields, said, reload) {
  await telling(async () => {
    await api.patch(path("users", user.user), fields);
    toast(said);
  });
  reload();
}

async function setPassword(user, reload) {
  if (await openDialog((close) => html`<${PasswordDialog} user=${user} close=${close} />`)) {
    toast(`${user.user} has a new password.`);
  }
  reload();
}

async function remove(user, reload) {
  await ask({
    title: `Remove ${user.user}?`,
    action: `Remove ${user.user}`,
    danger: true,
    children: html`<p>${user.user} is signed out and cannot sign in again. The audit log keeps what
      was done.</p>`,
    run: () =>
      telling(async () => {
        await api.remove(path("users", user.user));
        toast(`${user.user} is removed.`);
      }),
  });
  reload();
}

function itemsOf(user, reload) {
  const other = user.role === "admin" ? "viewer" : "admin";
  const toggle = user.disabled
    ? { label: "Enable", icon: "play", text: "can sign in again" }
    : { label: "Disable", icon: "pause", text: "cannot sign in any more" };
  return [
    {
      label: `Make ${other}`,
      icon: "user",
      run: () => change(user, { role: other }, `${user.user} is ${other} now.`, reload),
    },
    { label: "Set password", icon: "key", run: () => setPassword(user, reload) },
    {
      label: toggle.label,
      icon: toggle.icon,
      run: () => change(user, { disabled: !user.disabled }, `${user.user} ${toggle.text}.`, reload),
    },
    { label: "Remove", icon: "trash", danger: true, run: () => remove(user, reload) },
  ];
}

export function UsersPart() {
  const loaded = useLoad("users", (options) => api.get("/users", null, options));
  const mine = session.get().user;
  const columns = [
    {
      key: "user",
      title: "User",
      cell: (user) =>
        html`<span class="strong">${user.user}</span>${
          user.user === mine && html` <span class="quiet">(you)</span>`
        }`,
    },
    { key: "role", title: "Role", cell: (user) => user.role },
    {
      key: "state",
      title: "State",
      cell: (user) =>
        user.disabled
          ? html`<${Badge} tone="quiet">Disabled</${Badge}>`
          : html`<${Badge} tone="good">Enabled</${Badge}>`,
    },
    {
      key: "seen",
      title: "Last seen",
      cell: (user) => html`<${Time} relative at=${user.last_seen_at} empty="not signed in" />`,
    },
    { key: "created", title: "Created", cell: (user) => html`<${Time} at=${user.created_at} />` },
    {
      key: "action",
      title: "Action",
      hideTitle: true,
      className: "cell-action",
      cell: (user) => html`<${Menu}
      label=${`Action: ${user.user}`} items=${itemsOf(user, loaded.reload)}>Action</${Menu}>`,
    },
  ];
  return html`<div class="part-head"><button type="button" class="button button-primary"
    onClick=${() => add(loaded.reload)}>
      <${Icon} name="plus" />Add user</button></div>
    <${ProblemNote} problem=${loaded.problem} retry=${loaded.reload} />
    ${
      (loaded.data || loaded.loading) &&
      html`<${Table} label="Users" columns=${columns} rows=${loaded.data?.users ?? null}
      rowKey=${(user) => user.user} skeleton=${2} />`
    }`;
}
