// The room: new lines as they come, older ones on scrolling up, what was read, and what is on its way.
import { Failure, element, hear, lineId, post, request, tell } from './net.js';
import { arrange, lines, pending, put, putOlder } from './line-list.js';
import { act, keys, press } from './line-actions.js';

const NEAR = 90; // pixels from the end that still count as being there

class ChatLines extends HTMLElement {
  connectedCallback() {
    this.list = this.querySelector('#lines');
    this.newer = this.querySelector('[data-newer]');
    this.unseen = 0;
    arrange(this.list);
    this.start();
    this.addEventListener('scroll', () => this.scrolled(), { passive: true });
    this.addEventListener('click', (event) => act(event, this.dataset.room));
    this.list.addEventListener('keydown', (event) => keys(event, this.list, this.dataset.room));
    press(this.list);
    this.newer.addEventListener('click', () => this.toEnd());
    hear('chat:line', (news) => this.take(news));
    hear('chat:recall', (news) => this.take(news));
    hear('chat:pending', (item) => this.wait(item));
    hear('chat:fate', (fate) => this.settle(fate));
    const grown = new ResizeObserver(() => this.following && this.toEnd());
    for (const watched of [this, this.list]) grown.observe(watched);
    document.addEventListener('visibilitychange', () => this.read());
    this.querySelector('[data-older]').addEventListener('click', (event) => {
      event.preventDefault();
      this.older();
    });
  }

  start() {
    const mark = this.list.querySelector('.unread-mark');
    if (mark && this.list.lastElementChild.offsetTop - mark.offsetTop > this.clientHeight) {
      this.scrollTop = mark.offsetTop - 40;
      this.following = false;
    } else this.toEnd();
  }

  nearEnd() {
    return this.scrollHeight - this.scrollTop - this.clientHeight < NEAR;
  }

  toEnd() {
    this.scrollTop = this.scrollHeight;
    this.following = true;
    this.showUnseen(0);
    this.read();
  }

  scrolled() {
    this.following = this.nearEnd();
    if (this.following && this.unseen) this.showUnseen(0);
    if (this.following) this.read();
    if (this.scrollTop < 200) this.older();
  }

  take(news) {
    if (news.task) this.refresh(news.task, news.id);
    if (news.room !== this.dataset.room || !news.html) return;
    const { following } = this;
    const { line, fresh } = put(this.list, news.html);
    if ('hadFocus' in line.dataset) line.focus({ preventScroll: true });
    if (!fresh && !following) return;
    if (following || news.mine) this.toEnd();
    else this.showUnseen(this.unseen + 1);
    if (line.classList.contains('loose')) this.hint();
  }

  showUnseen(count) {
    this.unseen = count;
    this.newer.hidden = !count;
    this.newer.textContent = `↓ ${count} 条新消息`;
  }

  hint() {
    if (this.hinted) return;
    this.hinted = true;
    this.classList.add('first-loose');
  }

  // Another step was taken: older lines of the task may no longer offer what they did.
  async refresh(task, but) {
    const stale = [...this.list.querySelectorAll(`li.line[data-task="${CSS.escape(task)}"]`)];
    for (const line of stale.filter((one) => one.dataset.id !== but && one.querySelector('.buttons'))) {
      try {
        const answer = await request(`/in/web/line/${encodeURIComponent(this.dataset.room)}/${line.dataset.pos}`);
        put(this.list, await answer.text());
      } catch (failure) {
        if (!(failure instanceof Failure)) throw failure;
      }
    }
  }

  async older() {
    const first = lines(this.list)[0];
    if (!this.dataset.more || this.loading || !first) return;
    this.loading = true;
    try {
      const before = encodeURIComponent(first.dataset.pos);
      const answer = await request(`/in/web/lines/${encodeURIComponent(this.dataset.room)}?before=${before}`);
      this.dataset.more = answer.headers.get('X-More') || '';
      const height = this.scrollHeight - this.scrollTop;
      putOlder(this.list, await answer.text());
      this.scrollTop = this.scrollHeight - height;
      this.querySelector('[data-older]').hidden = !this.dataset.more;
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
    } finally {
      this.loading = false;
    }
  }

  read() {
    clearTimeout(this.reading);
    this.reading = setTimeout(() => {
      const kept = this.list.querySelectorAll('li.line:not(.pending)');
      const pos = kept.length ? Number(kept[kept.length - 1].dataset.pos) : 0;
      if (document.hidden || !this.following || !(pos > (this.readTo || 0))) return;
      this.readTo = pos;
      post('/in/web/read', { room: this.dataset.room, pos }).catch(() => {
        this.readTo = 0;
      });
    }, 700);
  }

  wait(item) {
    if (item.room === this.dataset.room && pending(this.list, item, item.name)) this.toEnd();
  }

  settle({ item, state, error }) {
    const line = document.getElementById(lineId(item.line));
    if (!line || !line.classList.contains('pending')) return;
    if (state === 'secret') line.remove();
    const fate = line.querySelector('[data-fate]');
    line.classList.toggle('failed', state === 'refused');
    fate.textContent = error || (state === 'sent' ? '' : '发送中…');
    if (state !== 'refused') return;
    const again = element('button', 'compact', '重新编辑');
    again.type = 'button';
    again.addEventListener('click', () => {
      line.remove();
      tell('chat:draft', { text: item.text, quote: item.quote });
    });
    fate.append(' ', again);
  }
}

customElements.define('chat-lines', ChatLines);
