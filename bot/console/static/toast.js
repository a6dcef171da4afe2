// A short notice that goes by itself, perhaps with one thing to do about it.
import { element } from './net.js';

const LASTS = 6000;

export function toast(text, label = '', does = null) {
  const box = document.querySelector('[data-toasts]');
  if (!box) return () => {};
  const note = element('p', '', text);
  const leave = () => note.remove();
  if (label) {
    const button = element('button', '', label);
    button.type = 'button';
    button.addEventListener('click', () => {
      leave();
      does();
    });
    note.append(button);
  }
  box.append(note);
  while (box.children.length > 3) box.firstElementChild.remove();
  setTimeout(leave, label ? LASTS + 4000 : LASTS);
  return leave;
}
