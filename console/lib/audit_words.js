// The audit log in words: who it was, what was done, to what, and where that is. Pure.

// After the name of whoever did it, and before the name of the object.
const DONE = {
  "webhook.create": "created webhook",
  "webhook.edit": "edited webhook",
  "webhook.enable": "enabled webhook",
  "webhook.disable": "disabled webhook",
  "webhook.delete": "deleted webhook",
  "webhook.rotate_secret": "rotated the secret of webhook",
  "webhook.test": "sent a test event to webhook",
  "request.retry": "retried selected requests",
  "request.retry_failed": "retried all failed requests that matched, as job",
  "inbox.retry": "retried selected handler tasks",
  "inbox.retry_failed": "retried the failed tasks of a handler",
  "handler.forget": "forgot handler",
  "notices.test_mail": "sent a test mail",
  "account.edit": "changed the mail addresses of account",
  "token.create": "created API token",
  "token.revoke": "revoked API token",
  "user.add": "added user",
  "user.remove": "removed user",
  "user.role": "changed the role of user",
  "user.password": "set the password of user",
  "user.disable": "disabled user",
  "user.enable": "enabled user",
  "user.first_run": "made a first-run token",
  "user.reset": "removed all users",
  "login.begin": "signed in",
  "login.end": "signed out",
};

const PLACES = {
  webhook: (id) => `/webhooks/${encodeURIComponent(id)}`,
  handler: (name) => `/inbox?handler=${encodeURIComponent(name)}`,
  account: () => "/settings",
  token: () => "/settings/tokens",
  user: () => "/settings/users",
};

// names: { webhooks, tokens }, maps from ids to names.
export function whoWords(who, names) {
  const [, kind, name] = /^(user|token):(.*)$/s.exec(who) ?? [];
  if (kind === "user") return name;
  if (kind === "token") return `token ${names.tokens.get(name) ?? name}`;
  if (who === "lua") return "A Lua program";
  return who === "command line" ? "The command line" : who;
}

// { done, object: { name, to } or null }; `to`: the path of its page, or null.
export function whatWords({ what, object, who }, names) {
  const [kind] = what.split(".");
  const done = DONE[what] ?? what;
  if (object == null || (kind === "login" && who === `user:${object}`))
    return { done, object: null };
  const known = { webhook: names.webhooks, token: names.tokens }[kind];
  const name = known?.get(object) ?? object;
  return { done, object: { name, to: PLACES[kind]?.(object) ?? null } };
}
