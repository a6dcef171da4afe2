// Where a line goes in the list: once by its id, in order of its position, with day headings between.
import { element, lineId, parsed } from './net.js';
import { glimpses } from './photo-tray.js';

const TOGETHER = 300; // seconds within which one speaker's lines are shown as one run

export const lines = (list) => list.querySelectorAll('li.line');

export function put(list, html) {
  const line = parsed(html);
  const there = document.getElementById(line.id);
  if (there) {
    if (there.contains(document.activeElement)) line.dataset.hadFocus = '';
    there.replaceWith(line);
  } else {
    place(list, line);
  }
  arrange(list);
  return { line, fresh: !there };
}

function place(list, line) {
  const blank = list.querySelector('.blank');
  if (blank) blank.remove();
  let before = null;
  for (let at = list.lastElementChild; at; at = at.previousElementSibling) {
    if (!at.classList.contains('line') || at.classList.contains('pending')) continue;
    if (Number(at.dataset.pos) <= Number(line.dataset.pos)) break;
    before = at;
  }
  list.insertBefore(line, before || list.querySelector('.line.pending'));
}

export function putOlder(list, html) {
  const template = document.createElement('template');
  template.innerHTML = html;
  const fresh = [...template.content.children].filter((line) => !document.getElementById(line.id));
  list.prepend(...fresh);
  arrange(list);
  return fresh.length;
}

// Day headings and runs are a matter of neighbours, so they are made anew from what stands there.
export function arrange(list) {
  for (const heading of list.querySelectorAll('.day')) heading.remove();
  let last = null;
  for (const line of lines(list)) {
    if (!last || last.dataset.day !== line.dataset.day) {
      const heading = element('li', 'day');
      heading.append(element('span', '', line.dataset.day));
      const mark = line.previousElementSibling;
      list.insertBefore(heading, mark && mark.classList.contains('unread-mark') ? mark : line);
    }
    line.classList.toggle('run', follows(last, line));
    line.classList.toggle('echo', Boolean(last) && line.classList.contains('bot') && line.dataset.quote === last.dataset.id);
    last = line;
  }
}

function follows(last, line) {
  if (!last || last.dataset.sender !== line.dataset.sender || !line.dataset.sender) return false;
  if (last.dataset.day !== line.dataset.day || last.classList.contains('gone')) return false;
  return Number(line.dataset.at) - Number(last.dataset.at) < TOGETHER;
}

// What is on its way, shown at once; the line that comes back by the stream takes its place.
export function pending(list, item, name) {
  if (document.getElementById(lineId(item.line))) return null;
  const line = element('li', 'line mine pending');
  const now = Math.floor(Date.now() / 1000);
  const newest = list.querySelector('li.line:last-of-type');
  const day = newest ? newest.dataset.day : '';
  Object.assign(line.dataset, { id: item.line, pos: '999999999999', sender: item.me, at: String(now), day, name });
  line.id = lineId(item.line);
  line.tabIndex = -1;
  const bubble = element('div', 'bubble');
  if (item.text) bubble.append(element('p', 'text', item.text));
  if (item.photos.length) {
    const shown = element('p', `photos n${Math.min(item.photos.length, 4)}`);
    for (const sha of item.photos) {
      const image = element('img');
      if (glimpses.has(sha)) image.src = glimpses.get(sha);
      image.alt = '照片';
      shown.append(image);
    }
    bubble.append(shown);
  }
  const fate = element('p', 'fate');
  fate.dataset.fate = '';
  line.append(element('span', 'face', name.slice(name.length > 2 ? -2 : -1)), bubble, fate);
  const blank = list.querySelector('.blank');
  if (blank) blank.remove();
  list.append(line);
  return line;
}
