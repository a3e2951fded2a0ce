// Keys for a day's work without a mouse. They are silent while something is typed.
import { conversation, isTyping } from './page.js';
import { write } from './composer.js';

const rows = () => [...document.querySelectorAll('#rows [data-row]')];

function browse(step) {
  const all = rows();
  const from = document.activeElement?.closest?.('[data-row]') ?? document.querySelector('.conv[aria-current]');
  const place = from ? all.indexOf(from) + step : step > 0 ? 0 : all.length - 1;
  const row = all[Math.max(0, Math.min(all.length - 1, place))];
  row?.focus();
  row?.scrollIntoView({ block: 'nearest' });
}

/** Open a menu and put the focus on its first entry. */
function openMenu(id) {
  const menu = document.getElementById(id);
  if (!menu) return;
  menu.parentElement.closest('details')?.setAttribute('open', '');
  menu.open = true;
  const first = [...menu.querySelectorAll('.menu-item, .input')].find((item) => item.offsetParent && item.tagName !== 'SUMMARY');
  first?.focus();
}

const narrow = () => matchMedia('(max-width: 720px)').matches;

const KEYS = {
  j: () => browse(1),
  k: () => browse(-1),
  '/': () => document.getElementById('q')?.select() ?? document.getElementById('q')?.focus(),
  c: () => document.getElementById('new-message')?.click(),
  '?': help,
  r: () => conversation() && write('reply'),
  n: () => conversation() && write('note'),
  e: () => document.getElementById('close')?.click(),
  s: () => openMenu(narrow() ? 'menu-more' : 'menu-snooze'),
  a: () => openMenu(narrow() ? 'menu-more' : 'menu-assign'),
  l: () => openMenu('menu-label'),
  u: () => document.getElementById('mark-unread')?.click(),
};

function help() {
  const dialog = document.getElementById('keys');
  if (dialog && !dialog.open) dialog.showModal();
}

function escape(event) {
  const field = event.target;
  if (field.id === 'q') {
    field.value = '';
    field.dispatchEvent(new InputEvent('input', { bubbles: true }));
    (document.querySelector('.conv[aria-current]') ?? rows()[0])?.focus();
  } else if (field.closest?.('#composer')) {
    document.getElementById('scroller')?.focus();
  }
}

document.addEventListener('keydown', (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
  if (event.key === 'Escape') {
    escape(event);
    return;
  }
  if (isTyping(event.target)) {
    if (event.target.id === 'q' && event.key === 'ArrowDown') {
      event.preventDefault();
      rows()[0]?.focus();
    }
    return;
  }
  const isInList = event.target.closest?.('#rows');
  const key = isInList && { ArrowDown: 'j', ArrowUp: 'k' }[event.key];
  const act = KEYS[key || event.key];
  if (!act || (event.target.closest?.('.menu-panel') && event.key.length === 1)) return;
  event.preventDefault();
  act();
});

document.addEventListener('click', (event) => {
  if (!event.target.closest?.('[data-keys]')) return;
  event.target.closest('details')?.removeAttribute('open');
  help();
});
