// Large text, remembered by the browser; runs before the first paint. Also brings the current page into a narrow navigation.
(() => {
  const root = document.documentElement;
  const KEY = 'size';

  function apply(size) {
    if (size === 'large') root.dataset.size = 'large';
    else delete root.dataset.size;
  }

  function remembered() {
    try {
      return localStorage.getItem(KEY);
    } catch (refused) {
      return null;
    }
  }

  apply(remembered());

  document.addEventListener('DOMContentLoaded', () => {
    const here = document.querySelector('.top nav [aria-current]');
    const hidden = here && here.offsetLeft + here.offsetWidth - here.parentElement.offsetLeft - here.parentElement.clientWidth + 24;
    if (hidden > 0) here.parentElement.scrollLeft = hidden;
    const button = document.querySelector('[data-toggle-size]');
    if (button) button.setAttribute('aria-pressed', String(root.dataset.size === 'large'));
  });

  document.addEventListener('click', (event) => {
    const button = event.target.closest('[data-toggle-size]');
    if (!button) return;
    const size = root.dataset.size === 'large' ? '' : 'large';
    apply(size);
    button.setAttribute('aria-pressed', String(size === 'large'));
    try {
      localStorage.setItem(KEY, size);
    } catch (refused) {
      // a browser without storage keeps the choice for this page
    }
  });
})();
