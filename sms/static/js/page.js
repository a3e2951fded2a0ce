// What several modules ask of the page.

/** The pane of the open conversation, or the one that stands in its place. */
export const talk = () => document.getElementById('talk');

/** The id of the open conversation, '' where none is open. */
export const conversation = () => talk()?.dataset.conversation ?? '';

export const composer = () => document.querySelector('form#composer');

const token = () => document.querySelector('meta[name="csrf-token"]')?.content ?? '';

/** Post a small form beside htmx; `keepalive` outlives the page. Resolves to the response. */
export function post(path, values, keepalive = false) {
  return fetch(path, {
    method: 'POST',
    body: new URLSearchParams(values),
    headers: { 'X-CSRFToken': token(), 'HX-Request': 'true', 'HX-Current-URL': location.href },
    credentials: 'same-origin',
    keepalive,
  });
}

/** Call a function once the calls have stopped for so many milliseconds. */
export function settled(milliseconds, act) {
  let timer = 0;
  const later = (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => act(...values), milliseconds);
  };
  later.cancel = () => clearTimeout(timer);
  return later;
}

export const isTyping = (element) =>
  element instanceof HTMLElement && (element.isContentEditable || element.matches('textarea, select, input:not([type=checkbox], [type=radio], [type=button], [type=submit])'));

/** Say something of the page's life: 'open' when another conversation is shown, 'leave' before that. */
export const tell = (name, detail = {}) => document.dispatchEvent(new CustomEvent(`inbox:${name}`, { detail }));

export const on = (name, act) => document.addEventListener(`inbox:${name}`, (event) => act(event.detail));
