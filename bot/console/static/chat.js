// The chat page: its elements, the listeners before the stream that feeds them.
import './chat-lines.js';
import './chat-rooms.js';
import './photo-viewer.js';
import './chat-composer.js';
import './event-stream.js';
