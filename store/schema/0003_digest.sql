-- The daily digest. Times are epoch seconds UTC, days yyyy-mm-dd in Shanghai, `item` the number of a row of item.
-- What people or sites wrote stands only in erasable columns: item_text, submission.text, edition_item, card, correction.text.

-- how each source of config/digest/sources.toml fares; the table itself is a file
create table source_state (
  source text primary key,
  next_at integer not null default 0,        -- real time: politeness never follows a demo's clock
  etag text not null default '',
  modified text not null default '',
  body_hash text not null default '',
  ok_at integer,                             -- last answer that could be read
  item_at integer,                           -- last new item
  failures integer not null default 0,       -- in a row
  error text not null default '',            -- Chinese, shown on the health page; empty when well
  manual integer not null default 0,         -- 1: challenged us, is not asked again until a person says so
  told_on text not null default '',          -- the day its trouble was last reported
  wanted integer                             -- a person turned it on (1) or off (0); null: as the file says
) without rowid;
create table source_fetch (seq integer primary key, at integer not null, source text not null, kind text not null,
  status integer not null, bytes integer not null, ms integer not null, entries integer not null, new integer not null, note text not null);
create index source_fetch_of on source_fetch (source, seq);

-- what a person handed in (#投稿 in a chat, or pasted in the console) and what became of it
create table submission (
  n integer primary key,
  at integer not null,
  person text not null,
  group_id text not null default '',
  url text not null default '',
  title text not null default '',
  text text not null default '',
  state text not null default 'open',        -- open, taken (item), unreadable (why), refused (why)
  why text not null default '',
  item integer,
  done_at integer
);
create index submission_open on submission (n) where state = 'open';

-- one notice as it came in; its words are in item_text
create table item (
  n integer primary key,
  at integer not null,
  day text not null,                         -- the edition day it was first a candidate for
  source text not null,                      -- a source's id, or 'submitted', 'pasted'
  source_name text not null,
  url text not null default '',
  key text not null unique,                  -- one row per address (or per text handed in)
  published_at text not null default '',     -- yyyy-mm-dd or ISO with time
  doc_number text not null default '',
  issuer text not null default '',
  written_on text not null default '',
  validity text not null default '',
  attachments text not null default '',      -- addresses, one a line
  submitted_by text not null default '',
  story integer not null,                    -- the first item of its story (itself when new)
  same_as integer,                           -- the item it repeats
  same_why text not null default '',
  similarity real not null default 0,
  state text not null default 'kept',        -- kept, held (finding), pulled (taken back by its publisher), erased
  why text not null default '',
  pulled_by integer,                         -- the item that took it back or corrected it
  length integer not null
);
create index item_day on item (day, n);
create index item_story on item (story, n);
create index item_number on item (doc_number, n) where doc_number <> '';
create index item_source on item (source, n);
create table item_text (item integer primary key, title text not null, body blob not null); -- words set apart by char(31); body packed (store/archive.py)
create table item_title (hash integer not null, item integer not null, primary key (hash, item)) without rowid;
create table item_print (print integer not null, item integer not null, primary key (print, item)) without rowid;
create table item_finding (item integer not null, n integer not null, rule text not null, level text not null, why text not null,
  primary key (item, n)) without rowid;
create table item_thread (item integer not null, about integer not null, primary key (item, about)) without rowid;
create index item_thread_about on item_thread (about, item);
create table item_blocked (mark text primary key, at integer not null, source text not null, rule text not null) without rowid; -- keyed hash of its address

-- archive search: only the index, words as jieba cut them; fed by store/archive.py, since triggers may not (trusted_schema=off)
create virtual table item_text_fts using fts5 (title, body, tokenize='unicode61', content='');

-- one day's candidates, weighed; written anew by every `digest run` of that day
create table candidate (
  day text not null,
  item integer not null,
  column_name text not null,
  score real not null,
  picked integer not null,                   -- 0 or its place in the proposed edition, from 1
  barred text not null default '',           -- why it may not be picked
  left_out text not null default '',         -- why it was not picked
  units text not null default '',            -- whom it concerns, a|b
  at integer not null,
  primary key (day, item)
) without rowid;
create table candidate_term (day text not null, item integer not null, n integer not null, name text not null, points real not null,
  why text not null, primary key (day, item, n)) without rowid;

-- an editor's keep or drop, which teaches the weights; revoked, never deleted
create table editor_choice (seq integer primary key, at integer not null, day text not null, item integer not null, column_name text not null,
  source text not null, keep integer not null, person text not null, why text not null default '', revoked_at integer);
create index editor_choice_day on editor_choice (day);

-- the edition of a day: its content, its hash, and who let it pass
create table edition (
  day text primary key,
  state text not null,                       -- draft, edited, reviewed, approved, none (decided: no edition), sent, recalled
  version integer not null default 1,        -- counted up by every edit
  hash text not null default '',             -- of the content as approved; an edit changes it and voids approvals
  mode text not null default 'three',        -- three or two persons
  due_at integer,                            -- when it is to go out
  made_at integer not null,
  sent_at integer,
  why text not null default ''               -- of "none" and "recalled"
) without rowid;
create table edition_item (
  day text not null,
  pos integer not null,                      -- order of print, from 1
  item integer,                              -- an item …
  card integer,                              -- … or a card
  column_name text not null,
  title text not null,
  text text not null,
  url text not null default '',
  source_name text not null default '',
  quotes text not null default '',           -- start-end offsets of the sentences in the item's body, a|b; empty: edited by hand
  why text not null default '',              -- why it was chosen
  also integer not null default 0,           -- so many other sources carry it
  primary key (day, pos)
) without rowid;
create index edition_item_item on edition_item (item);
create table approval (seq integer primary key, at integer not null, day text not null, step text not null, -- edit, review, publish
  person text not null, hash text not null, verdict text not null, why text not null default '');            -- pass or back
create index approval_day on approval (day, seq);
create trigger approval_no_update before update on approval begin select raise(abort, 'approval is append-only'); end;
create trigger approval_no_delete before delete on approval begin select raise(abort, 'approval is append-only'); end;
create table delivery (day text not null, group_id text not null, kind text not null, -- edition, correction or recall
  n integer not null default 0, outbox_key text not null, at integer not null, hash text not null, primary key (day, group_id, kind, n)) without rowid;

-- which columns a group does not want (everything is on until its owner says otherwise)
create table subscription (group_id text not null, column_name text not null, wanted integer not null, person text not null, at integer not null,
  primary key (group_id, column_name)) without rowid;

-- the office's own micro-classes and micro-warnings
create table card (
  n integer primary key,
  kind text not null,                        -- class or warning
  title text not null,
  text text not null,
  basis text not null default '',
  url text not null default '',
  source_name text not null default '',
  plan_on text not null default '',          -- a day it is meant for; empty: whenever its turn comes
  valid_from text not null default '',
  valid_to text not null default '',
  used_on text not null default '',          -- the day of its last edition
  uses integer not null default 0,
  state text not null default 'ready',       -- ready or retired
  made_by text not null,
  at integer not null
);
create index card_turn on card (kind, state, used_on);

-- what a correction or a recall says, after something went out
create table correction (
  n integer primary key,
  at integer not null,
  day text not null,                         -- the edition it is about
  item integer,
  kind text not null,                        -- correction or recall
  text text not null,
  state text not null default 'proposed',    -- proposed, approved, sent, dropped
  proposed_by text not null default '',      -- empty: the machine, which saw a retraction
  hash text not null default '',
  sent_at integer
);

-- counted per item, never per person
create table item_reaction (item integer not null, kind text not null, count integer not null, primary key (item, kind)) without rowid; -- shown, quote, like, useful

-- who holds which post: names and titles in items are compared with it
create table leader (pos integer primary key, name text not null, title text not null, valid_from text not null default '', valid_to text not null default '');
