// The stream of this page: what the extension does not do by itself. Silence is noticed, sleep and a lost network are
// survived, and where no stream comes through, the page asks every ten seconds.
import { conversation, tell } from './page.js';

const SILENCE = 50_000; // the server pings every 20 s
const POLL = 10_000;
const GRACE = 6_000;

const line = () => document.getElementById('live');
let heardAt = 0;
let isOpen = false;
let since = 0;
let offlineTimer = 0;
let ended = false;
let polledAt = -Infinity;

const cursor = () => Math.max(since, Number(line()?.dataset.since ?? 0));

function heard() {
  heardAt = performance.now();
  isOpen = true;
  online();
}

function online() {
  clearTimeout(offlineTimer);
  offlineTimer = 0;
  document.body.classList.remove('is-offline');
  const words = document.getElementById('offline');
  if (words) words.hidden = true;
}

/** Say that nothing comes in any more, once it has lasted: a reconnect of a second worries nobody. */
function lost(wait = GRACE) {
  isOpen = false;
  if (document.hidden || (offlineTimer && wait)) return;
  clearTimeout(offlineTimer);
  offlineTimer = setTimeout(() => {
    offlineTimer = 0;
    if (isOpen) return;
    // Where polling works, nothing is missing: look again when its last answer has grown old.
    const trusted = polledAt + 1.5 * POLL - performance.now();
    if (trusted > 0) {
      lost(trusted);
      return;
    }
    document.body.classList.add('is-offline');
    const words = document.getElementById('offline');
    if (words) words.hidden = false;
  }, wait);
}

/** Open the stream anew from where this page is; the old one, half open perhaps, is let go. */
function reconnect() {
  const old = line();
  if (!old || ended) return;
  const stream = old._htmx?.sse;
  const fresh = old.cloneNode(false);
  fresh.removeAttribute('data-htmx-powered');
  fresh.dataset.since = String(cursor());
  const query = new URLSearchParams({ since: String(cursor()) });
  if (conversation()) query.set('conversation', conversation());
  fresh.setAttribute('hx-sse:connect', `/events?${query}`);
  old.replaceWith(fresh);
  stream?.reader?.cancel();
  stream?.abortController?.abort();
  heardAt = performance.now();
  htmx.process(fresh);
}

function isQuiet() {
  return performance.now() - heardAt > SILENCE;
}

document.addEventListener('htmx:sse:after:connection', heard);
document.addEventListener('htmx:sse:before:message', (event) => {
  const id = Number(event.detail.message.id);
  if (id > since) since = id;
  heard();
});
document.addEventListener('htmx:sse:error', () => lost());
document.addEventListener('htmx:sse:close', (event) => {
  if (event.detail.reason !== 'removed' && event.target.isConnected) lost();
});
document.addEventListener('htmx:error', (event) => {
  if (event.target === line()) lost();
});
document.addEventListener('htmx:response:error', (event) => {
  if (event.target === line()) lost();
});

// The session has ended: the notice with the way to sign in stands once, and nothing further is asked for.
document.addEventListener('htmx:finally:request', (event) => {
  const { ctx } = event.detail;
  const asks = event.target === line() || ctx?.request?.action?.startsWith('/sync');
  if (!asks || ctx?.response?.status !== 401) return;
  ended = true;
  line()?.remove();
});

async function poll() {
  if (isOpen || ended || document.hidden || !line()) return;
  const query = new URLSearchParams({ after: String(cursor()) });
  if (conversation()) query.set('conversation', conversation());
  await htmx.ajax('GET', `/sync?${query}`, { source: '#offline', swap: 'none' });
}

document.addEventListener('htmx:after:request', (event) => {
  const { ctx } = event.detail;
  if (!ctx?.request?.action?.startsWith('/sync')) return;
  if (ctx.response.status >= 400) return;
  since = Math.max(since, Number(ctx.response.headers.get('X-Cursor') ?? 0));
  polledAt = performance.now();
  online();
});

setInterval(() => {
  if (isOpen && !document.hidden && isQuiet()) {
    lost(0);
    reconnect();
  }
}, 5_000);
setInterval(poll, POLL);

window.addEventListener('pageshow', (event) => event.persisted && reconnect());
window.addEventListener('online', reconnect);
window.addEventListener('offline', () => {
  polledAt = -Infinity;
  lost(0);
});
document.addEventListener('visibilitychange', () => {
  if (document.hidden) clearTimeout(offlineTimer);
  else {
    offlineTimer = 0;
    heardAt = performance.now();
    tell('refresh');
  }
});
// htmx may have opened the stream before this module was there to hear of it.
if (line()?._htmx?.sse) heard();
setTimeout(() => isOpen || lost(0), GRACE);
