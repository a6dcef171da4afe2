// Writing: text, photos, a quotation. Enter sends, but never in the middle of an input method's word.
import { hear, tell } from './net.js';
import { toast } from './toast.js';
import { AtList } from './at-list.js';
import { Outgoing, freshId } from './outgoing.js';
import { photoSources } from './photo-sources.js';
import { PhotoTray } from './photo-tray.js';

const TALLEST = 160; // pixels

class ChatComposer extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector('form');
    this.field = this.querySelector('textarea');
    this.tray = new PhotoTray(this.querySelector('[data-tray]'));
    this.names = new AtList(this.field, this.querySelector('[data-at-list]'));
    this.draftKey = `draft:${this.dataset.me}:${this.dataset.room}`;
    this.quote = this.form.elements.quote.value;
    this.restore();
    this.listen();
    photoSources(this, this.field, this.tray);
    queueMicrotask(() => {
      this.outgoing = new Outgoing(this.dataset.me, this.dataset.room);
    });
    if (this.quote) this.quoteLine(this.quote);
  }

  listen() {
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.send();
    });
    this.field.addEventListener('keydown', (event) => this.key(event));
    this.field.addEventListener('input', () => this.changed());
    this.querySelector('[data-unquote]').addEventListener('click', () => this.setQuote(''));
    hear('chat:quote', (detail) => this.setQuote(detail.quote, detail.who, detail.what, true));
    hear('chat:draft', (detail) => this.draft(detail));
    hear('chat:say', ({ text, quote }) => this.post(text, [], quote));
    hear('chat:fate', ({ state }) => state === 'secret' && toast('这条消息可能涉密，没有保存，也没有发到群里。'));
    hear('chat:photo', () => this.wanted && this.send());
    for (const member of document.querySelectorAll('[data-mention]')) {
      member.addEventListener('click', () => this.insert(`@${member.dataset.mention} `));
    }
  }

  key(event) {
    if (this.names.key(event)) return;
    const composing = event.isComposing || event.keyCode === 229;
    if (event.key === 'Enter' && !event.shiftKey && !composing) {
      event.preventDefault();
      this.send();
    } else if (event.key === 'Escape' && this.quote) this.setQuote('');
  }

  changed() {
    this.field.style.height = 'auto';
    this.field.style.height = `${Math.min(this.field.scrollHeight + 2, TALLEST)}px`;
    this.wanted = false;
    try {
      sessionStorage.setItem(this.draftKey, this.field.value);
    } catch (refused) {
      this.forgetful = true; // no storage: a draft lives as long as the page
    }
  }

  restore() {
    try {
      this.field.value = this.field.value || sessionStorage.getItem(this.draftKey) || '';
    } catch (refused) {
      this.forgetful = true;
    }
    if (this.field.value) this.changed();
  }

  draft({ text, quote, who, what }) {
    this.field.value = text;
    this.setQuote(quote, who, what);
    this.changed();
    this.field.focus();
    this.field.setSelectionRange(text.length, text.length);
  }

  insert(text) {
    this.field.setRangeText(text, this.field.selectionStart, this.field.selectionEnd, 'end');
    this.changed();
    this.field.focus();
  }

  quoteLine(id) {
    const line = document.querySelector(`li.line[data-id="${CSS.escape(id)}"]`);
    const text = line && line.querySelector('.text');
    this.setQuote(id, line ? line.dataset.name : '', text ? text.textContent.split('\n')[0] : '', true);
  }

  setQuote(id, who = '', what = '', focus = false) {
    const bar = this.querySelector('[data-quoting]');
    this.quote = id || '';
    bar.hidden = !this.quote;
    bar.querySelector('span').textContent = [who, what].filter(Boolean).join('：');
    if (focus) this.field.focus();
  }

  send() {
    const text = this.field.value.trim();
    if (!text && !this.tray.photos.length) return;
    if (this.tray.state === 'failed') {
      this.wanted = false;
      toast('有照片没有传上去，请点它重试或移除。');
      return;
    }
    this.wanted = this.tray.state === 'going';
    this.classList.toggle('waiting', this.wanted);
    if (this.wanted) return;
    this.post(text, this.tray.takeAll(), this.quote);
    this.field.value = '';
    this.setQuote('');
    this.changed();
  }

  post(text, photos, quote) {
    const { me, room, name } = this.dataset;
    const id = freshId();
    this.outgoing.add({ me, room, name, id, line: `${me}/${id}`, text, photos, quote });
    if (!navigator.onLine) toast('当前没有网络，恢复后自动发出。');
  }
}

customElements.define('chat-composer', ChatComposer);
