// The demo's bar: a clock that can be moved, whose turn it is, a story to watch, a look behind a message, a fresh start.
import { Failure, hear, post, request } from './net.js';
import { toast } from './toast.js';

const ZONE = { timeZone: 'Asia/Shanghai' };
const TURNS_AFTER = 600;

class DemoBar extends HTMLElement {
  connectedCallback() {
    this.now = Number(this.dataset.now);
    this.since = performance.now();
    this.face = this.querySelector('[data-clock]');
    this.ticking = setInterval(() => this.tick(), 1000);
    this.tick();
    this.menus();
    for (const form of this.querySelectorAll('[data-forward]')) this.sends(form, (answer) => this.moved(answer));
    this.sends(this.querySelector('[data-play]'), (answer) => this.play(answer));
    this.sends(this.querySelector('[data-stop]'), () => {});
    this.sends(this.querySelector('[data-reset]'), () => this.fresh());
    hear('chat:clock', ({ now }) => this.set(now));
    hear('chat:story', (story) => this.story(story));
    hear('chat:reset', () => this.fresh());
    hear('chat:line', () => this.turnsSoon());
    hear('demo:inspect', ({ href }) => this.inspect(href));
    this.turnsSoon();
  }

  disconnectedCallback() {
    clearInterval(this.ticking);
  }

  // A form that is sent without leaving the page.
  sends(form, then) {
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      const fields = new FormData(form);
      if (event.submitter && event.submitter.name) fields.set(event.submitter.name, event.submitter.value);
      this.shut();
      try {
        then(await post(form.getAttribute('action'), fields));
      } catch (failure) {
        if (!(failure instanceof Failure)) throw failure;
        toast(failure.message);
      }
    });
  }

  menus() {
    document.addEventListener('click', (event) => {
      for (const menu of this.querySelectorAll('details[open]')) if (!menu.contains(event.target)) menu.open = false;
    });
    this.addEventListener('keydown', (event) => {
      const menu = event.target.closest('details[open]');
      if (event.key !== 'Escape' || !menu) return;
      menu.open = false;
      menu.querySelector('summary').focus();
    });
  }

  shut() {
    for (const menu of this.querySelectorAll('details[open]')) menu.open = false;
  }

  set(now) {
    this.now = now;
    this.since = performance.now();
    this.tick();
    this.turnsSoon();
  }

  tick() {
    const at = new Date((this.now + (performance.now() - this.since) / 1000) * 1000);
    const part = (options) => new Intl.DateTimeFormat('zh-CN', { ...ZONE, ...options }).format(at);
    const day = part({ month: 'numeric', day: 'numeric' }).replace('/', '月');
    const clock = part({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
    if (this.shown === clock) return;
    this.shown = clock;
    this.face.firstElementChild.textContent = `${day}日 ${part({ weekday: 'short' })} `;
    this.face.lastElementChild.textContent = clock;
  }

  moved({ now }) {
    this.set(now);
    toast(`已快进到 ${this.face.textContent}`);
  }

  play({ room }) {
    if (!window.location.pathname.startsWith(`/g/${room}`)) window.location.assign(`/g/${room}`);
  }

  story({ playing, n, of, title, person }) {
    const bar = this.querySelector('[data-story]');
    bar.hidden = !playing;
    bar.textContent = playing ? `${n}/${of} ${person} ${title}` : '';
    this.querySelector('[data-turns]').hidden = playing;
    this.querySelector('[data-play]').hidden = playing;
    this.querySelector('[data-stop]').hidden = !playing;
    if (!playing && title) toast(title);
    if (!playing) this.turnsSoon();
  }

  turnsSoon() {
    clearTimeout(this.asking);
    this.asking = setTimeout(() => this.turns(), TURNS_AFTER);
  }

  async turns() {
    try {
      const answer = await request('/demo/turns');
      this.querySelector('[data-turn-list]').innerHTML = await answer.text();
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
    }
  }

  async inspect(href) {
    const dialog = document.querySelector('[data-inspector]');
    try {
      dialog.innerHTML = await (await request(`${href}&bare=1`)).text();
      dialog.showModal();
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      toast(failure.message);
    }
  }

  // Told by the answer and by the stream, whichever comes first.
  fresh() {
    if (this.leaving) return;
    this.leaving = true;
    clearTimeout(this.asking);
    try {
      sessionStorage.clear();
    } catch (refused) {
      this.forgetful = true; // nothing was kept there
    }
    window.location.assign('/');
  }
}

customElements.define('demo-bar', DemoBar);
