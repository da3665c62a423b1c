// The filters of Webhook Logs. Each change is an address of its own, so that it can be sent to a
// colleague, and the browser's back button undoes it.

import { html, useEffect, useState } from "../lib/html.js";
import { useCatalogue } from "../lib/data.js";
import { TIMES, fromInput, toInput } from "../lib/log_filter.js";
import { zone } from "../lib/preferences.js";
import { setQuery } from "../lib/router.js";
import { useStore } from "../lib/store.js";
import { Icon } from "../ui/icon.js";
import { SelectField, TextField } from "../ui/field.js";

const set = (fields) => setQuery({ after: "", ...fields });

function Search({ value }) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const submit = (event) => {
    event.preventDefault();
    set({ q: text.trim() });
  };
  return html`<form class="search" role="search" onSubmit=${submit}>
    <${TextField} label="Search" value=${text} onChange=${setText}
      placeholder="Request, event or member id"
      type="search" className="grow" />
    <button type="submit" class="button button-icon" aria-label="Search"><${Icon} name="search"
      /></button>
  </form>`;
}

function OwnTimes({ filter }) {
  const utc = useStore(zone) === "utc";
  const field = (name, label) => html`<${TextField} key=${name} type="datetime-local"
    label=${utc ? `${label} (UTC)` : label} value=${toInput(filter[name], utc)}
    onChange=${(text) => set({ [name]: fromInput(text, utc) })} />`;
  return html`${field("since", "From")}${field("until", "To")}`;
}

export function LogFilters({ filter, webhooks }) {
  const types = useCatalogue().data?.types ?? [];
  const preset = TIMES.some(([value]) => value === filter.since) && !filter.until;
  const [own, setOwn] = useState(!preset);
  const times = (value) => {
    setOwn(value === "own");
    if (value !== "own") set({ since: value, until: "" });
  };
  return html`<div class="filters">
    <${SelectField} label="Webhook" value=${filter.webhook} onChange=${(webhook) =>
      set({ webhook })}
      options=${[
        { value: "", label: "All webhooks" },
        ...webhooks.map((webhook) => ({
          value: webhook.id,
          label: webhook.status === "deleted" ? `${webhook.name} (deleted)` : webhook.name,
        })),
      ]} />
    <${SelectField} label="Event type" value=${filter.event_type} onChange=${(value) =>
      set({ event_type: value })}
      options=${[
        { value: "", label: "All event types" },
        ...types.map((type) => ({ value: type.name, label: type.title })),
      ]} />
    <${SelectField} label="Time" value=${own ? "own" : filter.since} onChange=${times}
      options=${TIMES.map(([value, label]) => ({ value, label }))} />
    ${own && html`<${OwnTimes} filter=${filter} />`}
    <${Search} value=${filter.q} />
  </div>`;
}
