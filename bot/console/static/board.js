// The board and today: the elements first, then the stream that feeds them.
import './live-list.js';
import './list-keys.js';
import './event-stream.js';
