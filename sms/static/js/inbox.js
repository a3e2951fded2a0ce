// The inbox: a page that works without this file; here it learns to move by itself.
import './panes.js';
import './thread.js';
import './composer.js';
import './slash.js';
import './list.js';
import './live.js';
import './player.js';
import './keyboard.js';

