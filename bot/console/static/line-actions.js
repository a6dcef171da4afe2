// What can be done with a line: answer it, take it back, press its buttons, look behind it; by mouse, finger or keyboard.
import { Failure, post, tell } from './net.js';
import { toast } from './toast.js';

const PRESS = 450; // milliseconds of a long press
const STEPS = { ArrowUp: -1, ArrowDown: 1, Home: -Infinity, End: Infinity };

export function act(event, room) {
  const quoted = event.target.closest('.quoted');
  if (quoted) return leap(event, quoted);
  const line = event.target.closest('li.line');
  const said = event.target.closest('[data-say]');
  if (said) {
    event.preventDefault();
    return answer(said.dataset.say, line);
  }
  const does = event.target.closest('[data-act]');
  if (!does) return undefined;
  event.preventDefault();
  return run(does.dataset.act, line, room, does);
}

function run(what, line, room, link) {
  shut();
  if (what === 'quote') quote(line);
  else if (what === 'recall') recall(line, room);
  else if (what === 'inspect') tell('demo:inspect', { href: link.getAttribute('href') });
}

// A button that asks for a reason goes into the composer; any other is said at once, quoting the message it stands under.
function answer(said, line) {
  const open = said.match(/^(.*?)(?:原因)?[:：]$/);
  if (open) tell('chat:draft', { text: `${open[1].trim()} `, quote: line.dataset.id, who: '请写明原因', what: '' });
  else tell('chat:say', { text: said, quote: line.dataset.id });
}

function quote(line) {
  const text = line.querySelector('.text');
  tell('chat:quote', {
    quote: line.dataset.id,
    who: line.dataset.name,
    what: text ? text.textContent.trim().split('\n')[0].slice(0, 60) : '[照片]',
  });
}

async function recall(line, room) {
  const text = line.querySelector('.text');
  const said = text ? text.textContent.trim() : '';
  try {
    await post('/in/web/recall', { room, id: line.dataset.id.split('/')[1] });
    toast('已撤回', '重新编辑', () => tell('chat:draft', { text: said, quote: '' }));
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    toast(failure.passing ? '网络不通，没有撤回，请稍后再试。' : failure.message);
  }
}

function leap(event, link) {
  const target = document.getElementById(link.getAttribute('href').slice(1));
  event.preventDefault();
  if (!target) return toast('这条消息在更早的位置，请往上翻。');
  target.scrollIntoView({ block: 'center' });
  target.classList.add('found');
  setTimeout(() => target.classList.remove('found'), 2000);
  return target.focus({ preventScroll: true });
}

export function keys(event, list, room) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const line = event.target.closest('li.line');
  if (event.key in STEPS) {
    const all = [...list.querySelectorAll('li.line')];
    const at = line ? all.indexOf(line) + STEPS[event.key] : all.length - 1;
    const next = all[Math.max(0, Math.min(all.length - 1, at))];
    event.preventDefault();
    if (next) next.focus();
    return;
  }
  if (!line || event.target !== line) return;
  const wanted = { q: 'quote', Q: 'quote', Enter: 'quote', Delete: 'recall', i: 'inspect', I: 'inspect' }[event.key];
  const button = wanted && line.querySelector(`[data-act="${wanted}"]`);
  if (!button) return;
  event.preventDefault();
  run(wanted, line, room, button);
}

// A long press opens a line's actions where there is no pointer to hover with.
export function press(list) {
  let timer = 0;
  const stop = () => clearTimeout(timer);
  list.addEventListener('touchstart', (event) => {
    const line = event.target.closest('li.line');
    stop();
    if (!line || event.target.closest('a, button')) return;
    timer = setTimeout(() => {
      shut();
      line.classList.add('open');
    }, PRESS);
  }, { passive: true });
  for (const name of ['touchmove', 'touchend', 'touchcancel']) list.addEventListener(name, stop, { passive: true });
  list.addEventListener('contextmenu', (event) => {
    const line = event.target.closest('li.line');
    if (line && line.classList.contains('open')) event.preventDefault();
  });
  document.addEventListener('click', (event) => {
    if (!event.target.closest('li.line.open')) shut();
  });
}

function shut() {
  for (const line of document.querySelectorAll('li.line.open')) line.classList.remove('open');
}
