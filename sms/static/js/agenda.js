// The agenda by keyboard: up and down go from appointment to appointment, left and right from day to day.
import { isTyping } from './page.js';

const names = () => [...document.querySelectorAll('.ap-who a')];

function step(by) {
  const all = names();
  const here = all.indexOf(document.activeElement?.closest('.ap')?.querySelector('.ap-who a'));
  const next = all[here + by] ?? (here < 0 ? all[by > 0 ? 0 : all.length - 1] : undefined);
  next?.focus();
  return Boolean(next);
}

const acts = {
  ArrowDown: () => step(1),
  ArrowUp: () => step(-1),
  ArrowLeft: () => document.getElementById('day-before')?.click() ?? true,
  ArrowRight: () => document.getElementById('day-after')?.click() ?? true,
};

document.addEventListener('keydown', (event) => {
  const free = !event.defaultPrevented && !event.altKey && !event.ctrlKey && !event.metaKey && !event.shiftKey;
  const inside = event.target.closest?.('.agenda, .ap-bar');
  if (!free || !inside || isTyping(event.target) || event.target.closest('details[open]')) return;
  if (acts[event.key]?.()) event.preventDefault();
});
