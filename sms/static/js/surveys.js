// The set-up form of surveys: placeholders at a touch, and questions that are dragged into place.
// Everything it does can be done without it: the buttons beside each question move it, placeholders can be typed.
// The results: a table that was opened stays open while new figures come in.

document.addEventListener('click', (event) => {
  const button = event.target.closest?.('[data-insert]');
  if (!button) return;
  const field = document.getElementById(button.dataset.into);
  field.setRangeText(button.dataset.insert, field.selectionStart, field.selectionEnd, 'end');
  field.focus();
  field.dispatchEvent(new Event('input', { bubbles: true }));
});

const flow = document.getElementById('flow');
let dragged = null;

const questionAt = (event) => event.target.closest?.('[data-question]');

function clear() {
  for (const question of flow.querySelectorAll('.is-over')) question.classList.remove('is-over');
}

for (const grip of flow?.querySelectorAll('[data-grip]') ?? []) {
  grip.hidden = false;
  grip.draggable = true;
  grip.addEventListener('dragstart', (event) => {
    dragged = questionAt(event);
    dragged.classList.add('is-dragged');
    event.dataTransfer.effectAllowed = 'move';
    event.dataTransfer.setData('text/plain', '');
    event.dataTransfer.setDragImage(dragged, 0, 0);
  });
  grip.addEventListener('dragend', () => {
    clear();
    dragged?.classList.remove('is-dragged');
    dragged = null;
  });
}

flow?.addEventListener('dragover', (event) => {
  const over = event.target.closest?.('.q');
  if (!dragged || !over) return;
  event.preventDefault();
  clear();
  if (over !== dragged) over.classList.add('is-over');
});

// Dropped on a question it comes before that one, dropped on the end it is the last.
flow?.addEventListener('drop', (event) => {
  const over = event.target.closest?.('.q');
  if (!dragged || !over) return;
  event.preventDefault();
  if (over === dragged) return;
  over.before(dragged);
  document.getElementById('survey-form').requestSubmit();
});

let opened = [];

document.addEventListener('htmx:before:swap', () => {
  opened = [...document.querySelectorAll('#figures details[open]')].map((each) => each.id);
});

document.addEventListener('htmx:after:swap', () => {
  for (const id of opened) document.getElementById(id)?.setAttribute('open', '');
});
