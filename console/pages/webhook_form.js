// Create Webhook and Edit: one form. What the server refuses stands at its field; what somebody
// else changed meanwhile is put together with what was typed, field by field.

import { html, useLayoutEffect, useRef, useState } from "../lib/html.js";
import { api, path } from "../lib/api.js";
import { useAccount, useCatalogue } from "../lib/data.js";
import { useAction, useLoad } from "../lib/load.js";
import { href, navigate, setGuard } from "../lib/router.js";
import { isAdmin } from "../lib/session.js";
import {
  ADVANCED,
  FIELDS,
  LABELS,
  NEW,
  changed,
  editBody,
  merge,
  newBody,
  toForm,
} from "../lib/webhook_form.js";
import { ask } from "../ui/dialog.js";
import { errorsOf } from "../ui/field.js";
import { Note, PageHead, ProblemNote, Skeleton } from "../ui/parts.js";
import { toast } from "../ui/toast.js";
import { showSecret } from "./secret_dialogs.js";
import { AdvancedFields, BasicFields, EventFields } from "./webhook_fields.js";
import { Merged } from "./webhook_merged.js";

function Summary({ errors, place }) {
  const names = Object.keys(errors);
  if (names.length === 0) return null;
  return html`<div class="note note-bad" role="alert" tabindex="-1" ref=${place}>
    <div class="grow"><strong>Not saved.</strong> ${
      errors[""] ??
      (names.length === 1
        ? "One field needs another look:"
        : `${names.length} fields need another look:`)
    }
      <ul>${names
        .filter((name) => name !== "")
        .map(
          (name) => html`<li key=${name}>
        <a href=${`#field-${name}`} onClick=${(event) => {
          event.preventDefault();
          document.getElementById(`field-${name}`)?.focus();
        }}>${LABELS[name]}</a>: ${errors[name]}</li>`,
        )}</ul>
    </div></div>`;
}

// It stands before the next event: whoever types and goes back at once is asked, too.
function useGuard(dirty) {
  useLayoutEffect(() => {
    if (!dirty) return undefined;
    const before = (event) => event.preventDefault();
    window.addEventListener("beforeunload", before);
    const drop = setGuard(() =>
      ask({
        title: "Leave without saving?",
        action: "Leave",
        cancel: "Stay",
        danger: true,
        children: html`<p>What you have changed on this page is lost.</p>`,
      }),
    );
    return () => {
      window.removeEventListener("beforeunload", before);
      drop();
    };
  }, [dirty]);
}

// save(form) → Promise; it throws a Problem, whose `current` is handled here.
function Form({ title, back, start, revision, creating, save }) {
  const catalogue = useCatalogue();
  const [base, setBase] = useState({ form: start, revision });
  const [form, setForm] = useState(start);
  const [secret, setSecret] = useState({ own: false, text: "" });
  const [errors, setErrors] = useState({});
  const [merged, setMerged] = useState(null);
  const [open, setOpen] = useState(false);
  const summary = useRef(null);
  const set = (fields) => setForm((was) => ({ ...was, ...fields }));
  useGuard(changed(base.form, form).length > 0 || secret.own);

  const refuse = (found) => {
    setErrors(found);
    if (Object.keys(found).some((name) => ADVANCED.includes(name))) setOpen(true);
    requestAnimationFrame(() => summary.current?.focus());
  };
  const meet = (current) => {
    const theirs = toForm(current);
    const result = merge(base.form, form, theirs);
    setForm(result.form);
    setBase({ form: theirs, revision: current.revision });
    setMerged({ ...result, theirs, mine: form });
    window.scrollTo(0, 0);
  };
  const [run, busy, problem] = useAction(async () => {
    const { body, errors: wrong } = creating ? newBody(form) : editBody(base.form, form);
    if (creating && secret.own) body.secret = secret.text;
    setErrors({});
    if (Object.keys(wrong).length) return refuse(wrong);
    try {
      return await save(body, base.revision);
    } catch (failure) {
      if (failure.status === 412 && failure.current?.status === "deleted") {
        return refuse({ "": "Somebody else has deleted this webhook meanwhile." });
      }
      if (failure.status === 412 && failure.current) return meet(failure.current);
      if (failure.status === 422 || failure.status === 409 || failure.status === 400) {
        return refuse(errorsOf(failure, [...FIELDS, "secret"]));
      }
      throw failure;
    }
  });
  const submit = (event) => {
    event.preventDefault();
    run();
  };
  const parts = { form, errors, set };
  return html`<${PageHead} title=${title} back=${back} />
    <form class="stack" onSubmit=${submit} novalidate>
      ${merged && html`<${Merged} merged=${merged} form=${form} set=${set} />`}
      <${Summary} errors=${errors} place=${summary} />
      <${ProblemNote} problem=${problem ?? catalogue.problem} />
      <${BasicFields} ...${parts} secret=${secret} onSecret=${creating ? setSecret : null} />
      ${!creating && html`<p class="quiet small">The secret key is never shown again. Action →
        Rotate secret makes a new one.</p>`}
      <${EventFields} ...${parts} catalogue=${catalogue.data} />
      <${AdvancedFields} ...${parts} open=${open} onToggle=${setOpen} />
      <div class="form-foot">
        <button type="submit" class="button button-primary" disabled=${busy}>${busy ? "Saving…"
          : "Save Webhook"}</button>
        <a class="button" href=${back.href}>Cancel</a>
      </div>
    </form>`;
}

const BACK = { href: href("/webhooks"), label: "Webhooks" };

function ReadersOnly() {
  return html`<${PageHead} title="Webhook" back=${BACK} />
    <${Note}>Your role is viewer: you can look at webhooks, but not change them.</${Note}>`;
}

export function CreateWebhookPage() {
  const account = useAccount();
  if (!isAdmin()) return html`<${ReadersOnly} />`;
  const save = async (body) => {
    const made = await api.post("/webhooks", { ...body, account });
    toast(`${made.name} is created and enabled.`);
    await navigate(`/webhooks/${made.id}`, { force: true });
    if (made.secret && !body.secret) showSecret(made.name, made.secret);
  };
  return html`<${Form} title="Create Webhook" back=${BACK} start=${NEW} creating save=${save} />`;
}

export function EditWebhookPage({ id }) {
  const loaded = useLoad(id, (options) => api.get(path("webhooks", id), null, options));
  if (!isAdmin()) return html`<${ReadersOnly} />`;
  if (loaded.problem || !loaded.data) {
    return html`<${PageHead} title="Edit Webhook" back=${BACK} />
      ${
        loaded.problem
          ? html`<${ProblemNote} problem=${loaded.problem} retry=${loaded.reload} />`
          : html`<${Skeleton} lines=${8} />`
      }`;
  }
  if (loaded.data.status === "deleted") {
    return html`<${PageHead} title=${`Edit ${loaded.data.name}`} back=${BACK} />
      <${Note}>This webhook is deleted: it cannot be edited. Its log stays readable.</${Note}>`;
  }
  const save = async (body, revision) => {
    if (Object.keys(body).length) {
      await api.patch(path("webhooks", id), body, { match: revision });
      toast(`${body.name ?? loaded.data.name} is saved.`);
    }
    await navigate(`/webhooks/${id}`, { force: true });
  };
  return html`<${Form} key=${id} title=${`Edit ${loaded.data.name}`} start=${toForm(loaded.data)}
    revision=${loaded.data.revision} save=${save}
    back=${{ href: href(`/webhooks/${id}`), label: loaded.data.name }} />`;
}
