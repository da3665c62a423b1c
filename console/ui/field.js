// Fields of forms: a label, a hint, and what is wrong, tied together for screen readers.

import { html, useId } from "../lib/html.js";

function Frame({ id, label, hint, error, optional, children, className = "" }) {
  return html`<div class=${`field ${error ? "field-wrong" : ""} ${className}`}>
    <label for=${id}>${label}${optional && html` <span class="quiet">(optional)</span>`}</label>
    ${hint && html`<div class="field-hint" id=${`${id}-hint`}>${hint}</div>`}
    ${children}
    ${error && html`<div class="field-error" id=${`${id}-error`}>${error}</div>`}
  </div>`;
}

function described(id, hint, error) {
  return [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ") || undefined;
}

// name: also the element's id in its form, so that errors can point there.
export function TextField({
  name,
  label,
  hint,
  error,
  value,
  onChange,
  optional,
  prefix = "",
  unit,
  className,
  ...rest
}) {
  const own = useId();
  const id = name ? `${prefix}field-${name}` : own;
  const input = html`<input id=${id} name=${name} type="text" value=${value} autocomplete="off"
    spellcheck=${false} aria-invalid=${error ? "true" : undefined} aria-describedby=${described(id,
      hint, error)}
    onInput=${(event) => onChange(event.currentTarget.value)} ...${rest} />`;
  return html`<${Frame} id=${id} label=${label} hint=${hint} error=${error} optional=${optional}
    className=${className}>
    ${unit ? html`<div class="with-unit">${input}<span class="unit"
      aria-hidden="true">${unit}</span></div>` : input}
  </${Frame}>`;
}

export function AreaField({ name, label, hint, error, value, onChange, optional, rows = 4 }) {
  const own = useId();
  const id = name ? `field-${name}` : own;
  return html`<${Frame} id=${id} label=${label} hint=${hint} error=${error} optional=${optional}>
    <textarea id=${id} name=${name} rows=${rows} spellcheck=${false} aria-invalid=${error ? "true"
      : undefined}
      aria-describedby=${described(id, hint, error)}
      onInput=${(event) => onChange(event.currentTarget.value)} value=${value}></textarea>
  </${Frame}>`;
}

// A value that is not among the options (yet: they may still be loading) stands there as it is,
// for what is chosen is true whatever the list says.
function withValue(options, value) {
  const known = value == null || options.some((option) => option.value === value);
  return known ? options : [...options, { value, label: value }];
}

// options: [{ value, label }].
export function SelectField({ name, label, hint, error, value, onChange, options, className }) {
  const own = useId();
  const id = name ? `field-${name}` : own;
  return html`<${Frame} id=${id} label=${label} hint=${hint} error=${error} className=${className}>
    <select id=${id} name=${name} value=${value} aria-invalid=${error ? "true" : undefined}
      aria-describedby=${described(id, hint, error)} onChange=${(event) =>
        onChange(event.currentTarget.value)}>
      ${withValue(options, value).map(
        (option) => html`<option key=${option.value} value=${option.value}
        selected=${option.value === value}>${option.label}</option>`,
      )}
    </select>
  </${Frame}>`;
}

export function CheckField({ name, label, hint, checked, onChange, mixed = false, disabled }) {
  const own = useId();
  const id = name ? `field-${name}` : own;
  return html`<div class="check">
    <input id=${id} type="checkbox" checked=${checked} disabled=${disabled}
      ref=${(input) => {
        if (input) input.indeterminate = mixed;
      }}
      aria-describedby=${hint ? `${id}-hint` : undefined} onChange=${(event) =>
        onChange(event.currentTarget.checked)} />
    <div><label for=${id}>${label}</label>${hint && html`<div class="field-hint"
      id=${`${id}-hint`}>${hint}</div>`}</div>
  </div>`;
}

// options: [{ value, label, hint }].
export function RadioField({ legend, name, value, onChange, options, error }) {
  return html`<fieldset class="radios"><legend>${legend}</legend>
    ${options.map(
      (option) => html`<label class="radio" key=${option.value}>
      <input type="radio" name=${name} value=${option.value} checked=${option.value === value}
        onChange=${() => onChange(option.value)} />
      <span>${option.label}${option.hint && html`<span
        class="field-hint">${option.hint}</span>`}</span>
    </label>`,
    )}
    ${error && html`<div class="field-error">${error}</div>`}
  </fieldset>`;
}

// What the server said of each field: name → sentence. What belongs to no field is under "".
export function errorsOf(problem, known) {
  const found = {};
  for (const entry of problem?.errors ?? []) {
    const name = known.includes(entry.field) ? entry.field : "";
    const text = entry.detail.replace(new RegExp(`^${entry.field}: `), "");
    found[name] = found[name] ? `${found[name]} ${text}` : text;
  }
  if (problem && Object.keys(found).length === 0) {
    const [, field, text] = /^([a-z_]+)(?:\[\d+\])?: (.*)$/.exec(problem.message) ?? [];
    if (known.includes(field)) found[field] = text;
    else found[""] = problem.message;
  }
  for (const name of Object.keys(found))
    found[name] = found[name][0].toUpperCase() + found[name].slice(1);
  return found;
}
