// What can be done to a webhook: the Action menu, with a confirmation or a way back for each. Every
// change names the revision that the reader saw; if somebody else was faster, nothing is done.

import { html, useState } from "../lib/html.js";
import { api, path } from "../lib/api.js";
import { useAction } from "../lib/load.js";
import { href, navigate } from "../lib/router.js";
import { isAdmin } from "../lib/session.js";
import { Dialog, ask, openDialog } from "../ui/dialog.js";
import { CheckField } from "../ui/field.js";
import { Menu } from "../ui/menu.js";
import { ProblemNote } from "../ui/parts.js";
import { toast, toastProblem } from "../ui/toast.js";
import { RotateDialog } from "./secret_dialogs.js";
import { TestDialog } from "./test_dialog.js";

const post = (webhook, verb, body) =>
  api.post(path("webhooks", webhook.id, verb), body, { match: webhook.revision });

function told(problem, onChange) {
  if (problem.status === 412) {
    toast(
      "Nothing was changed: somebody else has changed this webhook meanwhile. " +
        "You see its present state now.",
      { tone: "bad" },
    );
  } else {
    toastProblem(problem);
  }
  onChange();
}

function EnableDialog({ webhook, close }) {
  const paused = webhook.status === "paused";
  const [retry, setRetry] = useState(paused);
  const [run, busy, problem] = useAction(async () => {
    const answer = await post(webhook, "enable", paused && retry ? { retry_failed: true } : {});
    close({ webhook: answer.webhook, job: answer.job });
  });
  return html`<${Dialog} title=${`Enable ${webhook.name}?`} onClose=${() => close(null)}
    onSubmit=${run}
    foot=${html`<button type="button" class="button" onClick=${() => close(null)}>Cancel</button>
      <button type="submit" class="button button-primary" disabled=${busy}>Enable
        Webhook</button>`}>
    <p>Events from now on are sent to it again.${
      paused
        ? " Repair what made its requests fail first: else it pauses again."
        : " Events while it was disabled were not recorded for it."
    }</p>
    ${
      paused &&
      html`<${CheckField} label="Also retry what failed because of this pause" checked=${retry}
      onChange=${setRetry}
        hint="Oldest first, in the background. Other failed requests stay in Webhook Logs." />`
    }
    <${ProblemNote} problem=${problem} />
  </${Dialog}>`;
}

export async function enable(webhook, onChange) {
  const done = await openDialog(
    (close) => html`<${EnableDialog} webhook=${webhook} close=${close} />`,
  );
  onChange();
  if (!done) return null;
  toast(
    done.job
      ? `${webhook.name} is enabled; what failed is being retried.`
      : `${webhook.name} is enabled.`,
  );
  return done;
}

async function change(onChange, action) {
  try {
    onChange(await action());
  } catch (problem) {
    told(problem, onChange);
  }
}

const enableAgain = (webhook, onChange) =>
  change(onChange, async () => {
    await post(webhook, "enable", {});
    toast(`${webhook.name} is enabled again.`);
  });

async function disable(webhook, onChange) {
  await ask({
    title: `Disable ${webhook.name}?`,
    action: "Disable",
    danger: true,
    children: html`
    <p>No attempt starts any more. What was accepted for it and is not delivered yet becomes failed;
      later
    events are not recorded for it. You can enable it again.</p>`,
    run: () =>
      change(onChange, async () => {
        const after = await post(webhook, "disable");
        toast(`${webhook.name} is disabled.`, {
          action: { label: "Undo", run: () => enableAgain(after, onChange) },
        });
      }),
  });
}

async function remove(webhook, onChange) {
  await ask({
    title: `Delete ${webhook.name}?`,
    action: `Delete ${webhook.name}`,
    danger: true,
    children: html`<p>The webhook <strong>${webhook.name}</strong> and its secret are deleted for
      good. What is not
    delivered yet becomes failed and cannot be retried. Its log stays readable.</p>
    <p class="url-box">${webhook.url}</p>`,
    run: () =>
      change(onChange, async () => {
        await api.remove(path("webhooks", webhook.id), { match: webhook.revision });
        toast(`${webhook.name} is deleted.`);
        return { deleted: true };
      }),
  });
}

export function sendTest(webhook, eventType) {
  return openDialog(
    (close) => html`<${TestDialog} webhook=${webhook} eventType=${eventType} close=${close} />`,
  );
}

async function rotate(webhook, onChange) {
  await openDialog((close) => html`<${RotateDialog} webhook=${webhook} close=${close} />`);
  onChange();
}

// onChange is called after whatever was done (or refused), to load anew.
export function ActionMenu({ webhook, onChange, large }) {
  const enabled = webhook.status === "enabled";
  const changes = isAdmin() && webhook.status !== "deleted";
  const logs = { label: "Show logs", icon: "logs", href: href(`/logs?webhook=${webhook.id}`) };
  return html`<${Menu} label=${`Action: ${webhook.name}`} className=${large ? "button"
    : "button button-small"} items=${[
    changes && { label: "Edit", icon: "edit", run: () => navigate(`/webhooks/${webhook.id}/edit`) },
    changes && !enabled && { label: "Enable", icon: "play", run: () => enable(webhook, onChange) },
    changes &&
      enabled && { label: "Disable", icon: "pause", run: () => disable(webhook, onChange) },
    changes && { label: "Rotate secret", icon: "key", run: () => rotate(webhook, onChange) },
    changes && { label: "Send test event", icon: "send", run: () => sendTest(webhook) },
    logs,
    changes && {
      label: "Delete",
      icon: "trash",
      danger: true,
      run: () => remove(webhook, onChange),
    },
  ]}>Action</${Menu}>`;
}
