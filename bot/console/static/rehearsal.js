// Plays the steps of a rehearsal one after the other; without it all of them are there at once.
const PAUSE = 1200;

class RehearsalPlay extends HTMLElement {
  connectedCallback() {
    this.steps = Array.from(this.querySelectorAll(".step"));
    const bar = document.createElement("p");
    bar.className = "bar";
    this.button = document.createElement("button");
    this.button.type = "button";
    this.button.textContent = "一步一步放";
    this.button.addEventListener("click", () => this.toggle());
    bar.append(this.button);
    this.prepend(bar);
  }

  toggle() {
    if (this.timer) return this.stop();
    this.at = 0;
    this.steps.forEach((step) => { step.hidden = true; });
    this.button.textContent = "全部显示";
    this.next();
  }

  next() {
    const step = this.steps[this.at++];
    if (!step) return this.stop();
    step.hidden = false;
    step.scrollIntoView({ block: "nearest" });
    this.timer = setTimeout(() => this.next(), PAUSE);
  }

  stop() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.steps.forEach((step) => { step.hidden = false; });
    this.button.textContent = "再放一遍";
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
  }
}

customElements.define("rehearsal-play", RehearsalPlay);
