// The thread: groups of bubbles, their order, the seconds left to undo, and what comes in below the fold.
import { composer, conversation, on, talk, tell } from './page.js';

const thread = () => document.getElementById('thread');
const scroller = () => document.getElementById('scroller');
const jump = () => document.getElementById('jump');
const idOf = (item) => Number(item.id.slice(2));
const deadlines = new Map();
let newest = newestId();
let held = null;

function messages() {
  return [...(thread()?.querySelectorAll(':scope > li[id^="m-"]') ?? [])];
}

function newestId() {
  return Math.max(0, ...messages().map(idOf));
}

const isBefore = (a, b) => a.localeCompare(b, undefined, { numeric: true }) < 0;

/** Put back in order what has changed its time: a planned message that was sent at once. */
function order() {
  const items = [...(thread()?.children ?? [])].filter((item) => item.dataset.seq);
  for (let i = items.length - 2; i >= 0; i -= 1) {
    if (!isBefore(items[i + 1].dataset.seq, items[i].dataset.seq)) continue;
    const next = items.slice(i + 1).find((other) => isBefore(items[i].dataset.seq, other.dataset.seq));
    thread().insertBefore(items[i], next ?? null);
    order();
    return;
  }
}

/** The rule of grouping that bubble.py has for a page. */
function group() {
  let before = null;
  for (const item of thread()?.children ?? []) {
    const joins = alone(item) || alone(before) ? false : before.dataset.who === item.dataset.who;
    if (item.classList.contains('msg')) item.classList.toggle('with', joins);
    before = item;
  }
}

const alone = (item) =>
  !item || !item.dataset.who || 'alone' in item.dataset || item.classList.contains('is-planned');

/** Remove a divider that stands above nothing any more. */
function tidyDays() {
  for (const day of thread()?.querySelectorAll('.day') ?? []) {
    const next = day.nextElementSibling;
    if (!next || next.classList.contains('day')) day.remove();
  }
}

/** The answer field remembers the newest message it has seen, unless something is being typed: a colleague's answer
 *  that comes in between must stop the sending. */
function noteSeen() {
  const form = composer();
  if (form && !form.elements.text.value.trim()) form.elements.seen.value = newestId();
}

function countDown() {
  for (const button of document.querySelectorAll('[data-undo]')) {
    const key = button.getAttribute('formaction');
    if (!deadlines.has(key)) deadlines.set(key, performance.now() + Number(button.dataset.undo));
    const left = Math.ceil((deadlines.get(key) - performance.now()) / 1000);
    if (left > 0) {
      const words = button.dataset.words.replace('#', String(left));
      if (button.textContent !== words) button.textContent = words;
    } else button.classList.add('is-over');
  }
}
setInterval(countDown, 250);

/** Take in what has been swapped: order, groups, dividers; tell the others if something new came. */
export function arrange() {
  if (!thread()) return;
  order();
  tidyDays();
  group();
  countDown();
  const before = newest;
  newest = newestId();
  if (newest <= before) return;
  const fresh = messages().filter((item) => idOf(item) > before);
  const isIn = fresh.some((item) => item.classList.contains('in') || item.classList.contains('event'));
  if (isIn) tell('arrived');
  if (jump() && (scroller()?.scrollTop ?? 0) < -120 && isIn) jump().hidden = false;
  if (fresh.some((item) => item.classList.contains('out')) && !isIn) toEnd();
}

function toEnd() {
  held = null;
  if (scroller()) scroller().scrollTop = 0;
  // In a low window the whole pane scrolls, and not from its end.
  if (talk()) talk().scrollTop = talk().scrollHeight;
  if (jump()) jump().hidden = true;
}

// The place that is read stays where it is, whatever comes above or below it. The browser's own anchoring is off:
// in a reversed scroller it sticks to the upper edge, and one older page would fetch the next.
document.addEventListener('htmx:before:swap', (event) => {
  held = null;
  const box = scroller();
  // What is fetched from the past is not read out as if it had just come in.
  if (event.target.closest?.('.older')) {
    box?.setAttribute('aria-live', 'off');
    setTimeout(() => scroller()?.setAttribute('aria-live', 'polite'), 1000);
  }
  if (!box || box.scrollTop > -40 || !event.detail?.tasks?.some((task) => isInside(box, task.target))) return;
  const top = box.getBoundingClientRect().top;
  const item = messages().find((li) => li.getBoundingClientRect().bottom > top);
  if (item) held = { item, top: item.getBoundingClientRect().top };
});

const isInside = (box, target) =>
  box.contains(typeof target === 'string' ? document.querySelector(target) : target);

function hold() {
  const kept = held?.item.isConnected ? held.item : held && document.getElementById(held.item.id);
  if (kept) scroller().scrollTop += kept.getBoundingClientRect().top - held.top;
  held = null;
}

document.addEventListener('htmx:after:swap', () => {
  arrange();
  hold();
  noteSeen();
});
on('open', () => {
  newest = newestId();
  arrange();
  toEnd();
});
on('sent', noteSeen);

document.addEventListener('click', (event) => {
  if (event.target.closest?.('#jump button')) toEnd();
});
document.addEventListener(
  'scroll',
  (event) => {
    if (event.target === scroller() && scroller().scrollTop > -40 && jump()) jump().hidden = true;
  },
  { capture: true, passive: true },
);

// More than 200 changes were missed: take the newest page of the thread anew.
document.addEventListener('faden:reload', () => {
  const id = conversation();
  if (id) htmx.ajax('GET', `/conversations/${id}/thread`, { target: '#thread', swap: 'innerMorph' });
  tell('refresh');
});

// Head, contact, and the lock and numbers of the answer field follow what colleagues and recipients do. A menu or form
// that is open stays as it is; what it covers is fetched once it is closed.
let asked = false;
let isStale = false;
const isBusy = () => Boolean(document.querySelector('#talk-head details[open], #contact-form, #contact details[open]'));

function panels() {
  const field = document.getElementById('composer');
  const query = new URLSearchParams({ locked: field?.dataset.locked ?? '' });
  for (const name of ['to', 'sender']) query.set(name, field?.elements?.[name]?.value ?? '');
  if (isStale) query.set('field', '1');
  return query;
}

function refreshPanels() {
  const id = conversation();
  if (!id || asked) return;
  asked = true;
  setTimeout(() => {
    asked = false;
    if (conversation() !== id) return;
    isStale = isBusy();
    htmx.ajax('GET', `/conversations/${id}/panels?${panels()}`, { source: '#talk-head', swap: 'none' });
  }, 100);
}
// A menu that was opened while the answer was on its way stays open, too.
document.addEventListener('htmx:before:swap', (event) => {
  const { ctx, tasks } = event.detail ?? {};
  if (!tasks || !ctx?.request?.action?.includes('/panels?') || !isBusy()) return;
  const kept = tasks.filter(({ target }) => !/^#?(talk-head|contact)$/.test(target?.id ?? target));
  isStale = kept.length < tasks.length || isStale;
  tasks.splice(0, tasks.length, ...kept);
});
const catchUp = () => isStale && !isBusy() && refreshPanels();
document.addEventListener('toggle', catchUp, { capture: true });
document.addEventListener('htmx:after:swap', catchUp);
document.addEventListener('faden:conversation', refreshPanels);
document.addEventListener('faden:lock', refreshPanels);
function refreshPresence() {
  const id = conversation();
  if (id) htmx.ajax('GET', `/conversations/${id}/presence`, { target: '#presence', swap: 'innerMorph' });
}
document.addEventListener('faden:presence', refreshPresence);
// Who has closed the lid says nothing: a presence that is shown is looked at again.
setInterval(() => document.querySelector('#presence .avatar') && !document.hidden && refreshPresence(), 10_000);

group();
noteSeen();
countDown();
if (talk() && !location.hash) talk().scrollTop = talk().scrollHeight;
