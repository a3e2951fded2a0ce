// The list: sorted anew when something moves anywhere, without losing focus, place or what was scrolled to.
import { conversation, on, settled } from './page.js';

const rows = () => [...document.querySelectorAll('#rows [data-row]')];

function address() {
  const query = new URLSearchParams(new FormData(document.getElementById('search')));
  for (const [name, value] of [...query]) if (!value) query.delete(name);
  query.set('shown', String(rows().length));
  if (conversation()) query.set('current', conversation());
  return `/inbox/list?${query}`;
}

async function fetchAgain() {
  const focused = document.activeElement?.closest?.('[data-row]');
  const place = rows().indexOf(focused);
  if (document.querySelector('#list-body details[open]')) {
    refresh();
    return;
  }
  await htmx.ajax('GET', address(), { target: '#list-body', swap: 'innerMorph' });
  // The row that had the focus has left this view: its neighbour takes it.
  if (focused && !focused.isConnected) (rows()[place] ?? rows().at(-1))?.focus({ preventScroll: true });
}

const soon = settled(250, fetchAgain);
let last = 0;

/** Ask for the list at most four times a second, and surely once after the last change. */
function refresh() {
  if (!document.getElementById('search')) return;
  if (Date.now() - last > 1000) {
    last = Date.now();
    soon.cancel();
    setTimeout(fetchAgain, 20);
    return;
  }
  soon();
}

document.addEventListener('faden:list', refresh);
on('refresh', refresh);
on('refreshed', refresh);
