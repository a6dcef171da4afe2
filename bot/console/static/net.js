// Posting to our own server: the form token goes along, and every failure is a sentence.

export const token = () => document.querySelector('meta[name="csrf"]').content;

export class Failure extends Error {
  constructor(message, status) {
    super(message);
    this.status = status; // 0: the network
  }

  get passing() {
    return this.status === 0 || this.status === 503 || this.status === 502 || this.status === 504;
  }
}

export async function sentence(response) {
  const text = await response.text();
  try {
    return JSON.parse(text).error || text;
  } catch (plain) {
    return text && text.length < 200 && text[0] !== '<' ? text : `没有成功(${response.status})，请刷新页面后重试。`;
  }
}

export async function request(url, options = {}) {
  let response;
  try {
    response = await fetch(url, { credentials: 'same-origin', ...options });
  } catch (broken) {
    throw new Failure('网络不通', 0);
  }
  if (!response.ok) throw new Failure(await sentence(response), response.status);
  return response;
}

export async function post(url, fields, extra = {}) {
  const response = await request(url, {
    method: 'POST',
    body: new URLSearchParams(fields),
    headers: { 'X-CSRF': token(), Accept: 'application/json' },
    ...extra,
  });
  return response.json();
}

export const tell = (name, detail = {}) => document.dispatchEvent(new CustomEvent(name, { detail }));

export const hear = (name, does) => document.addEventListener(name, (event) => does(event.detail));

export const lineId = (id) => `l-${id.replace(/\//g, '-')}`;

export function parsed(html) {
  const template = document.createElement('template');
  template.innerHTML = html.trim();
  return template.content.firstElementChild;
}

export function element(tag, classes = '', text = '') {
  const made = document.createElement(tag);
  if (classes) made.className = classes;
  if (text) made.textContent = text;
  return made;
}
