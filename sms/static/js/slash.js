// A slash at the beginning of a word opens the templates; typing on narrows them, Enter inserts.
import { composer } from './page.js';
import { insert } from './composer.js';

const MOST = 8;
let chosen = 0;
let found = [];

const box = () => document.getElementById('slash');
const area = () => composer()?.elements.text;

/** The word behind a slash before the caret: where it starts and what is asked for; null where there is none. */
function asked() {
  const field = area();
  if (!field || document.activeElement !== field) return null;
  const before = field.value.slice(0, field.selectionStart);
  const match = /(?:^|\s)\/([^\s/]{0,30})$/.exec(before);
  return match ? { from: before.length - match[1].length - 1, word: match[1].toLocaleLowerCase() } : null;
}

function show() {
  const ask = asked();
  const all = [...(composer()?.querySelectorAll('#menu-templates [data-template]') ?? [])];
  found = ask ? all.filter((t) => `${t.dataset.name} ${t.dataset.template}`.toLocaleLowerCase().includes(ask.word)).slice(0, MOST) : [];
  if (!box()) return;
  box().hidden = found.length === 0;
  if (!found.length) {
    hide();
    return;
  }
  chosen = Math.min(chosen, found.length - 1);
  const panel = document.createElement('div');
  panel.className = 'menu-panel up start template-panel';
  panel.append(...found.map(option));
  box().replaceChildren(panel);
  area().setAttribute('aria-controls', 'slash');
  area().setAttribute('aria-activedescendant', `slash-${chosen}`);
}

function option(template, place) {
  const item = document.createElement('div');
  item.className = 'menu-item';
  item.id = `slash-${place}`;
  item.setAttribute('role', 'option');
  item.setAttribute('aria-selected', String(place === chosen));
  const words = document.createElement('span');
  const text = document.createElement('small');
  text.textContent = template.dataset.template;
  words.append(template.dataset.name, text);
  item.append(words);
  item.addEventListener('mousemove', () => choose(place));
  item.addEventListener('mousedown', (event) => {
    event.preventDefault();
    take(place);
  });
  return item;
}

/** One entry is marked, whether by key or by mouse. */
function choose(place) {
  chosen = place;
  box().querySelectorAll('[role=option]').forEach((item, n) => item.setAttribute('aria-selected', String(n === place)));
  area().setAttribute('aria-activedescendant', `slash-${place}`);
}

function hide() {
  found = [];
  chosen = 0;
  if (box()) {
    box().hidden = true;
    box().replaceChildren();
  }
  area()?.removeAttribute('aria-activedescendant');
  area()?.removeAttribute('aria-controls');
}

function take(place) {
  const ask = asked();
  const template = found[place];
  hide();
  if (ask && template) insert(template.dataset.template, ask.from);
}

document.addEventListener('input', (event) => {
  if (event.target === area()) show();
});
document.addEventListener('focusout', (event) => {
  if (event.target === area()) hide();
});
document.addEventListener(
  'keydown',
  (event) => {
    if (event.target !== area() || !found.length) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      chosen = (chosen + step + found.length) % found.length;
      show();
    } else if ((event.key === 'Enter' && !event.ctrlKey && !event.metaKey) || event.key === 'Tab') take(chosen);
    else if (event.key === 'Escape') hide();
    else return;
    event.preventDefault();
    event.stopPropagation();
  },
  { capture: true },
);
