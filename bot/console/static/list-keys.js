// Keys for lists of tasks: / searches, j and k go down and up, Enter opens (the link has the focus), ? shows the keys.
// Single letters can be switched off on this machine, and never act while somebody types.
const KEY = 'keys-off';
const TYPING = 'input, select, textarea, [contenteditable]';

const search = () => document.querySelector('main input[type="search"]');
const rows = () => [...document.querySelectorAll('[data-live] tbody th a')];
const button = document.querySelector('[data-keys]');
const help = document.querySelector('.keys-help');
const box = help.querySelector('[data-keys-off]');

function remembered() {
  try {
    return localStorage.getItem(KEY) === '1';
  } catch (refused) {
    return false;
  }
}

function here(links) {
  const row = document.activeElement.closest('[data-live] tr');
  return row ? links.findIndex((link) => row.contains(link)) : -1;
}

function move(by) {
  const links = rows();
  const at = here(links);
  const next = links[at < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(Math.max(at + by, 0), links.length - 1)];
  if (!next) return;
  next.focus({ preventScroll: true });
  next.closest('tr').scrollIntoView({ block: 'nearest' });
}

function find() {
  const field = search();
  if (!field) return;
  field.focus();
  field.select();
}

const DOES = {
  '/': () => find(),
  j: () => move(1),
  k: () => move(-1),
  '?': () => help.showModal(),
};

document.addEventListener('keydown', (event) => {
  const plain = !event.ctrlKey && !event.altKey && !event.metaKey && !event.isComposing;
  if (!plain || !DOES[event.key] || help.open || event.target.closest(TYPING) || document.querySelector('dialog[open]')) return;
  if (box.checked && event.key !== '?') return;
  event.preventDefault();
  DOES[event.key]();
});

box.checked = remembered();
box.addEventListener('change', () => {
  try {
    localStorage.setItem(KEY, box.checked ? '1' : '');
  } catch (refused) {
    // a browser without storage keeps the choice for this page
  }
});
button.hidden = false;
button.addEventListener('click', () => help.showModal());
