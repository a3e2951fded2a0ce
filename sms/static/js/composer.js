// The answer field: tabs, drafts on the server, templates, sending with Ctrl+Enter, and who knows that somebody types.
import { composer, conversation, on, post, settled, tell } from './page.js';

const KEPT = 'faden:draft:';
const TYPING_EVERY = 4000;
const READING_EVERY = 30000;

let saved = {};
let sending = '';
let typedAt = 0;
let begun = null;
let underway = null;
let sentSoFar = 0;

// What is kept in one tab is seen in the others that show the same conversation.
const tabs = new BroadcastChannel('faden:drafts');

const field = (form = composer()) => form?.elements[form.elements.kind.value === 'note' ? 'note' : 'text'];

const typed = (form) => ({ text: form.elements.text.value, note: form.elements.note.value });

/** Take over a conversation's field: what a lost session or connection has kept in this tab comes back. */
function begin() {
  const form = composer();
  begun = form;
  if (!form) return;
  saved = typed(form);
  const kept = sessionStorage.getItem(KEPT + form.dataset.conversation);
  if (!kept) return;
  sessionStorage.removeItem(KEPT + form.dataset.conversation);
  const { text, note } = JSON.parse(kept);
  if (text && !saved.text.includes(text)) form.elements.text.value = text;
  if (note && !saved.note.includes(note)) form.elements.note.value = note;
  count();
  save();
}

const count = () => composer()?.elements.text.dispatchEvent(new CustomEvent('faden:count', { bubbles: false }));

/** Keep what is typed on the server; in this tab where that fails, until somebody has signed in again. */
async function save(leaving = false) {
  const form = composer();
  if (!form) return;
  const now = typed(form);
  if (now.text === saved.text && now.note === saved.note) return;
  const before = saved;
  const round = sentSoFar;
  saved = now;
  const id = form.dataset.conversation;
  const request = post(`/conversations/${id}/draft`, now, leaving);
  underway = request;
  try {
    const answer = await request;
    if (!answer.ok) throw new Error(String(answer.status));
    sessionStorage.removeItem(KEPT + id);
    if (round === sentSoFar) tabs.postMessage({ id, ...now });
  } catch {
    // What has been sent meanwhile is no draft any more.
    if (round !== sentSoFar) return;
    saved = before;
    sessionStorage.setItem(KEPT + id, JSON.stringify(now));
  } finally {
    if (underway === request) underway = null;
  }
}
const saveSoon = settled(900, save);

/** Nothing of what was sent stays anywhere as a draft: not in this tab, not in the others, not on its way. */
async function forget(name) {
  const form = composer();
  const id = form.dataset.conversation;
  sentSoFar += 1;
  saveSoon();
  sessionStorage.removeItem(KEPT + id);
  sessionStorage.removeItem(`typed:${location.pathname}`);
  saved = { ...saved, [name]: '' };
  tabs.postMessage({ id, ...typed(form) });
  const late = underway;
  if (!late) return;
  // It may reach the server after the text was sent and bring it back.
  await late.catch(() => {});
  if (composer() !== form) return;
  saved = {};
  save();
}

tabs.addEventListener('message', ({ data }) => {
  const form = composer();
  if (!form || form.dataset.conversation !== data.id) return;
  const now = typed(form);
  const isMine = now.text !== saved.text || now.note !== saved.note;
  if (isMine || (document.hasFocus() && form.contains(document.activeElement))) return;
  sessionStorage.removeItem(KEPT + data.id);
  form.elements.text.value = data.text;
  form.elements.note.value = data.note;
  saved = typed(form);
  count();
});

function choose(kind) {
  const form = composer();
  if (!form) return;
  form.elements.kind.value = kind;
  form.classList.toggle('is-note', kind === 'note');
  for (const tab of form.querySelectorAll('[data-kind]')) tab.setAttribute('aria-pressed', String(tab.dataset.kind === kind));
  field(form).focus();
}

/** Write at the caret, as if it had been typed. */
export function insert(text, from = null) {
  const area = field();
  if (!area) return;
  area.focus();
  if (from !== null) area.setSelectionRange(from, area.selectionStart);
  area.setRangeText(text, area.selectionStart, area.selectionEnd, 'end');
  area.dispatchEvent(new InputEvent('input', { bubbles: true }));
}

export function write(kind) {
  if (composer()) {
    choose(kind);
    return;
  }
  const locked = document.getElementById('locked-note');
  if (locked) locked.open = kind === 'note';
  document.querySelector(kind === 'note' ? '#note' : '#composer button')?.focus();
}

function typing() {
  const form = composer();
  if (!form || Date.now() - typedAt < TYPING_EVERY) return;
  typedAt = Date.now();
  post(`/conversations/${form.dataset.conversation}/presence`, { typing: '1' }).catch(() => {});
}

const stopTyping = settled(5000, () => {
  typedAt = 0;
  beHere();
});

function beHere() {
  const id = conversation();
  if (!id || document.visibilityState !== 'visible') return;
  const isTyping = Date.now() - typedAt < TYPING_EVERY;
  post(`/conversations/${id}/presence`, { typing: isTyping ? '1' : '0' }).catch(() => {});
}

function leave(id) {
  saveSoon.cancel();
  stopTyping.cancel();
  save(true);
  typedAt = 0;
  if (id) post(`/conversations/${id}/presence`, { left: '1' }, true).catch(() => {});
}

document.addEventListener('input', (event) => {
  const form = composer();
  if (!form || !form.contains(event.target)) return;
  if (event.target.matches('textarea')) {
    saveSoon();
    if (event.target.name === 'text' && event.target.value.trim()) {
      typing();
      stopTyping();
    }
  } else if (event.target.matches('[name=to], [name=channel], [name=sender]')) count();
});

// A click into the frame, or the skip link, means the field.
document.addEventListener('focusin', (event) => {
  if (event.target === composer()) field().focus();
});

document.addEventListener('focusout', (event) => {
  if (event.target.matches?.('#composer textarea')) save();
});

document.addEventListener('click', (event) => {
  const tab = event.target.closest?.('#composer [data-kind]');
  if (tab) {
    event.preventDefault();
    choose(tab.dataset.kind);
    return;
  }
  const template = event.target.closest?.('[data-template]');
  const placeholder = event.target.closest?.('[data-placeholder]');
  if (!template && !placeholder) return;
  event.preventDefault();
  const text = template ? template.dataset.template : `{${placeholder.dataset.placeholder}}`;
  event.target.closest('details')?.removeAttribute('open');
  if (composer()) insert(text);
  else insertNew(text);
});

/** The page of a new message has a field of its own. */
function insertNew(text) {
  const area = document.getElementById('new-text');
  if (!area) return;
  area.focus();
  area.setRangeText(text, area.selectionStart, area.selectionEnd, 'end');
  area.dispatchEvent(new InputEvent('input', { bubbles: true }));
}

document.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
  const form = event.target.closest?.('form#composer, #new-form, .edit-form, form.locked-note');
  if (!form) return;
  event.preventDefault();
  const note = form.querySelector('.note-only button[type=submit]');
  if (form.id === 'composer' && form.elements.kind.value === 'note') note.click();
  else form.requestSubmit(form.querySelector('#send, button.btn-primary[type=submit]') ?? undefined);
});

// A link that asks for a call ticks the box and puts the caret into the field.
document.addEventListener('click', (event) => {
  const link = event.target.closest?.('#call-them');
  const box = document.getElementById('as-call');
  if (!link || !box) return;
  event.preventDefault();
  box.checked = true;
  document.body.classList.replace('view-contact', 'view-thread');
  choose('reply');
  count();
});

document.addEventListener('htmx:before:request', (event) => {
  if (event.target.id !== 'composer') return;
  saveSoon.cancel();
  sending = event.target.elements.text.value;
  event.target.classList.add('is-sending');
});

document.addEventListener('htmx:finally:request', (event) => {
  if (event.target.id === 'composer') event.target.classList.remove('is-sending');
});

document.addEventListener('htmx:error', (event) => {
  const form = composer();
  if (!form || !form.contains(event.target) || event.target.matches('textarea')) return;
  const told = document.getElementById('composer-errors');
  told.replaceChildren();
  const line = document.createElement('p');
  line.className = 'error composer-error';
  line.textContent = form.dataset.noConnection;
  told.append(line);
});

/** Sent: what was typed since then stays, the rest goes. */
function clear(name, sent) {
  const form = composer();
  if (!form) return;
  const area = form.elements[name];
  area.value = area.value.startsWith(sent) ? area.value.slice(sent.length).trimStart() : '';
  forget(name);
  typedAt = 0;
  document.getElementById('composer-errors').replaceChildren();
  for (const menu of form.querySelectorAll('details[open]')) menu.removeAttribute('open');
  for (const box of form.querySelectorAll('input[type=checkbox]')) box.checked = false;
  if (form.elements.at) form.elements.at.value = '';
  area.focus({ preventScroll: true });
  count();
  tell('sent');
  beHere();
}

document.addEventListener('faden:sent', () => clear('text', sending));
document.addEventListener('faden:noted', (event) => {
  if (!composer()) {
    event.target.reset?.();
    return;
  }
  clear('note', composer()?.elements.note.value ?? '');
  choose('reply');
});

document.addEventListener('click', (event) => {
  if (!event.target.closest?.('[data-discard]')) return;
  event.preventDefault();
  const form = composer();
  form.elements.text.value = '';
  document.getElementById('composer-errors').replaceChildren();
  count();
  save();
  tell('sent');
});

// What was taken back is in the field again, ready to be changed; the server keeps it as a draft as well.
let undone = null;
document.addEventListener('click', (event) => {
  const undo = event.target.closest?.('[data-undo]');
  if (undo) undone = { path: undo.getAttribute('formaction'), text: undo.closest('li').querySelector('.bubble, .spoken')?.textContent ?? '' };
});

document.addEventListener('htmx:after:request', (event) => {
  const { request, response } = event.detail.ctx ?? {};
  if (!undone || !request?.action?.startsWith(undone.path)) return;
  const { text } = undone;
  undone = null;
  const form = composer();
  if (!form || response.status >= 400 || form.elements.text.value.trim()) return;
  form.elements.text.value = text;
  saved = typed(form);
  choose('reply');
  count();
});

// Locked by an opt-out: what is typed is kept, and is in the field again should it be unlocked.
document.addEventListener('htmx:before:swap', (event) => {
  const isField = (target) => (typeof target === 'string' ? target : `#${target?.id}`) === '#composer';
  if (event.detail?.tasks?.some((task) => isField(task.target))) save(true);
});
document.addEventListener('htmx:after:swap', () => {
  if (composer() !== begun) begin();
});

on('open', () => {
  typedAt = 0;
  begin();
  beHere();
});
on('leave', ({ id }) => leave(id));
setInterval(beHere, READING_EVERY);
document.addEventListener('visibilitychange', () => (document.visibilityState === 'visible' ? beHere() : save(true)));
window.addEventListener('pagehide', () => leave(conversation()));

begin();
beHere();
