// The console: routes, and the frame around each page. A client of /api/v1 and of nothing else.

import { keepFocus } from "./lib/focus.js";
import { html, render, useEffect, useErrorBoundary } from "./lib/html.js";
import { mayPass } from "./lib/load.js";
import { isId } from "./lib/log_filter.js";
import { match, route, startRouter } from "./lib/router.js";
import { account, loadSession, session } from "./lib/session.js";
import { useStore } from "./lib/store.js";
import { CataloguePage } from "./pages/catalogue.js";
import { DashboardPage } from "./pages/dashboard.js";
import { EventPage } from "./pages/event.js";
import { HandlersPage } from "./pages/handlers.js";
import { InboxPage } from "./pages/inbox.js";
import { InboxEventPage } from "./pages/inbox_event.js";
import { LogsPage } from "./pages/logs.js";
import { NotFoundPage } from "./pages/not_found.js";
import { RequestPage } from "./pages/request.js";
import { SettingsPage, isSettingsPart } from "./pages/settings/index.js";
import { ExpiredDialog, SignInPage } from "./pages/sign_in.js";
import { WebhookPage } from "./pages/webhook.js";
import { CreateWebhookPage, EditWebhookPage } from "./pages/webhook_form.js";
import { WebhooksPage } from "./pages/webhooks.js";
import { DialogHost } from "./ui/dialog.js";
import { Frame } from "./ui/frame.js";
import { PageHead } from "./ui/parts.js";
import { ToastHost } from "./ui/toast.js";

const SESSION_AGAIN_MS = 3000;
const ROUTES = [
  ["/", DashboardPage],
  ["/webhooks", WebhooksPage],
  ["/webhooks/new", CreateWebhookPage],
  ["/webhooks/:id", WebhookPage],
  ["/webhooks/:id/edit", EditWebhookPage],
  ["/logs", LogsPage],
  ["/logs/:id", RequestPage],
  ["/events/:id", EventPage],
  ["/catalogue", CataloguePage],
  ["/inbox", InboxPage],
  ["/inbox/:id", InboxEventPage],
  ["/handlers", HandlersPage],
  ["/settings", SettingsPage],
  ["/settings/:part", SettingsPage],
];

// What an address can name at all; whether there is such a thing is the server's to say.
function isThere(pattern, { id, part }) {
  if (part !== undefined) return isSettingsPart(part);
  return id === undefined || pattern.startsWith("/inbox/") || isId(id);
}

function find(path) {
  for (const [pattern, page] of ROUTES) {
    const given = match(pattern, path);
    if (given && isThere(pattern, given)) return { page, given };
  }
  return { page: NotFoundPage, given: {} };
}

function Page({ path }) {
  const [broken, reset] = useErrorBoundary((error) => console.error(error));
  if (broken) {
    return html`<${PageHead} title="This page broke" /><p>That is a mistake of the console, not
      yours. Nothing was changed by it.</p>
      <button type="button" class="button" onClick=${reset}>Show it again</button>`;
  }
  const { page, given } = find(path);
  return html`<${page} ...${given} />`;
}

function App() {
  const now = useStore(session);
  const { path } = useStore(route);
  const chosen = useStore(account);
  useEffect(() => {
    loadSession();
  }, []);
  useEffect(() => {
    if (!now.problem || !mayPass(now.problem)) return undefined;
    const timer = setTimeout(loadSession, SESSION_AGAIN_MS);
    return () => clearTimeout(timer);
  }, [now]);
  if (now.loading) return html`<div class="booting" role="status" aria-label="Loading"></div>`;
  if (!now.user)
    return html`<${SignInPage} key=${String(now.firstRun)} firstRun=${now.firstRun}
      problem=${now.problem} /><${ToastHost} />`;
  return html`
    <${Frame} path=${path}><${Page} key=${`${chosen} ${path}`} path=${path} /></${Frame}>
    <${DialogHost} />
    ${now.expired && html`<${ExpiredDialog} />`}
    <${ToastHost} />`;
}

const place = document.getElementById("app");
startRouter();
render(html`<${App} />`, place);
keepFocus(place);
