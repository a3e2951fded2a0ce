// Which panes are seen, and what happens when another conversation takes the place of the open one.
import { conversation, on, post, talk, tell } from './page.js';

const VIEWS = ['view-list', 'view-thread', 'view-contact', 'view-none'];
let shown = conversation();

/** Give the body the classes of the pane that is shown, and the list its role beside it. */
function dress() {
  const pane = talk();
  if (!pane) return;
  document.body.classList.remove(...VIEWS);
  document.body.classList.add(...(pane.dataset.body || 'view-list').split(' '));
  document.getElementById('list')?.setAttribute('role', document.body.classList.contains('view-list') ? 'main' : 'complementary');
}

function markRow(id) {
  for (const row of document.querySelectorAll('.conv[aria-current]')) row.removeAttribute('aria-current');
  document.getElementById(`row-${id}`)?.setAttribute('aria-current', 'true');
}

document.addEventListener('htmx:before:swap', (event) => {
  const tasks = event.detail?.tasks ?? [];
  if (tasks.some((task) => task.target?.id === 'talk' || task.target === '#talk' || task.target === document.body)) tell('leave', { id: shown });
});

document.addEventListener('htmx:after:swap', () => {
  if (conversation() === shown) return;
  shown = conversation();
  dress();
  markRow(shown);
  if (!shown) return;
  document.getElementById('talk-name')?.focus({ preventScroll: true });
  tell('open', { id: shown });
});

// A swap that takes the focused element away, or closes the menu it is in, gives the focus to what stands nearest.
let place = null;
document.addEventListener('focusin', (event) => {
  const target = event.target;
  place = { menu: target.closest('details.menu')?.id, item: target.closest('#thread > li')?.id, inside: target.closest('#talk, #contact')?.id };
});

function keepFocus() {
  const now = document.activeElement;
  if (!place?.inside || (now && now !== document.body && now.getClientRects().length)) return;
  const menu = place.menu && document.getElementById(place.menu)?.querySelector('summary');
  const item = place.item && document.getElementById(place.item)?.querySelector('button, a');
  (menu || item || document.getElementById(place.item ? 'scroller' : 'talk-name'))?.focus({ preventScroll: true });
}
document.addEventListener('htmx:after:swap', () => setTimeout(keepFocus, 0));

document.addEventListener('htmx:after:swap', (event) => {
  if (event.detail?.ctx?.response?.status === 422) document.querySelector('#new-form [aria-invalid], #contact-form [aria-invalid], .edit-form textarea')?.focus();
});

/** Nothing is read until it is seen: not by a preload, not in a hidden tab. */
function markRead() {
  const pane = talk();
  if (!shown || document.visibilityState !== 'visible' || pane?.dataset.unread === '0') return;
  if (pane) pane.dataset.unread = '0';
  post(`/conversations/${shown}/read`, {}).catch(() => pane && (pane.dataset.unread = '1'));
}

on('open', markRead);
on('arrived', () => {
  const pane = talk();
  if (pane) pane.dataset.unread = '1';
  markRead();
});
document.addEventListener('visibilitychange', markRead);

// The contact's pane slides over the thread where there is no room beside it.
document.addEventListener('click', (event) => {
  const link = event.target.closest?.('#show-contact, #hide-contact');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const opens = link.id === 'show-contact';
  document.body.classList.toggle('view-contact', opens);
  document.body.classList.toggle('view-thread', !opens);
  talk()?.setAttribute('role', opens ? 'region' : 'main');
  document.getElementById('contact')?.setAttribute('role', opens ? 'main' : 'complementary');
  const heading = document.getElementById('contact-head');
  for (const [name, value] of [['role', 'heading'], ['aria-level', '1']]) {
    if (opens) heading?.setAttribute(name, value);
    else heading?.removeAttribute(name);
  }
  document.getElementById(opens ? 'hide-contact' : 'show-contact')?.focus();
});

// Marked as unread: back to the list, where it now waits; on a wide screen the thread may stay.
document.addEventListener('faden:unread', () => {
  if (matchMedia('(max-width: 720px)').matches) document.querySelector('.back')?.click();
  else tell('refresh');
});
