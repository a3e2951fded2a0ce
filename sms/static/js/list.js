// The list: sorted anew when something moves anywhere, without losing focus, place or what was scrolled to.
import { conversation, on, settled } from './page.js';

const rows = () => [...document.querySelectorAll('#rows [data-row]')];

function address() {
  const query = new URLSearchParams(new FormData(document.getElementById('search')));
  for (const [name, value] of [...query]) if (!value) query.delete(name);
  query.set('shown', String(rows().length));
  if (conversation()) query.set('current', conversation());
  else query.delete('current');
  if (document.body.classList.contains('view-list')) query.set('waiting', '1');
  return `/inbox/list?${query}`;
}

async function fetchAgain() {
  const focused = document.activeElement?.closest?.('[data-row]');
  const place = rows().indexOf(focused);
  if (busy || document.querySelector('#list-body details[open]')) {
    soon();
    return;
  }
  await htmx.ajax('GET', address(), { source: '#list-body', target: '#list-body', swap: 'innerMorph' });
  // The row that had the focus has left this view: its neighbour takes it.
  if (focused && !focused.isConnected) (rows()[place] ?? rows().at(-1) ?? document.getElementById('talk-name'))?.focus({ preventScroll: true });
}

// While somebody changes the view or searches, that answer comes first; it would be overtaken by one for the old view.
let busy = false;
const isForList = (event) => event.detail?.ctx?.target?.id === 'list-body' && event.target.id !== 'list-body';
document.addEventListener('htmx:before:request', (event) => {
  if (isForList(event)) busy = true;
});
document.addEventListener('htmx:finally:request', (event) => {
  if (isForList(event)) busy = false;
});

const soon = settled(250, fetchAgain);
let last = 0;

/** Ask for the list at most four times a second, and surely once after the last change. */
function refresh() {
  if (!document.getElementById('search')) return;
  if (Date.now() - last > 1000) {
    last = Date.now();
    soon.cancel();
    // All pages hear of a change at once; they need not all ask at once.
    setTimeout(fetchAgain, 20 + Math.random() * 120);
    return;
  }
  soon();
}

document.addEventListener('faden:list', refresh);
on('refresh', refresh);
on('refreshed', refresh);

// A row that is clicked without a connection: the page says so, and opens it as soon as there is one.
let wanted = '';
const rowOf = (event) => event.target.closest?.('[data-row]');

document.addEventListener('htmx:before:request', (event) => {
  if (!rowOf(event)) return;
  wanted = '';
  for (const row of document.querySelectorAll('[data-row][aria-busy]')) row.removeAttribute('aria-busy');
});

document.addEventListener('htmx:error', (event) => {
  const row = rowOf(event);
  if (!row) return;
  wanted = row.id;
  row.setAttribute('aria-busy', 'true');
  document.body.classList.add('is-offline');
  document.getElementById('offline').hidden = false;
});

function openWanted() {
  const row = document.getElementById(wanted);
  wanted = '';
  row?.click();
}
window.addEventListener('online', openWanted);
document.addEventListener('htmx:sse:after:connection', openWanted);
