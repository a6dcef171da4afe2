-- Integer times are epoch seconds UTC. Text that people wrote stands only in erasable rows, never in history.

create table meta (
  name text primary key,
  value text not null
) without rowid;

-- counted up in every commit: whoever kept the number elsewhere knows whether the end is missing (store/witness.py)
create table ledger (id integer primary key check (id = 1), commits integer not null, at integer not null);
insert into ledger values (1, 0, 0);

-- what came in: one row per accepted event, decided in seq order per lane
create table inbox (
  seq integer primary key,
  channel text not null,
  event_id text not null,
  kind text not null,
  lane text not null,
  sender text not null,
  body text not null,
  sent_at integer,
  at integer not null,
  state text not null default 'open',
  reason text not null default '',
  unique (channel, event_id)
);
create index inbox_unsettled on inbox (seq) where state <> 'done';

-- what goes out
create table outbox (
  seq integer primary key,
  key text not null unique,
  channel text not null,
  address text not null,
  lane text not null,
  kind text not null,
  task text,
  person text not null default '',
  body text not null,
  origin integer,
  not_before integer not null,
  not_after integer,
  at integer not null,
  state text not null default 'due',
  attempts integer not null default 0,
  receipt text,
  reason text not null default '',
  done_at integer
);
create index outbox_unsettled on outbox (not_before, seq) where state in ('due', 'sending');
create index outbox_stuck on outbox (seq) where state in ('unknown', 'dead');
create index outbox_task on outbox (task, seq) where task is not null;
create index outbox_receipt on outbox (channel, receipt) where receipt is not null;
create index outbox_origin on outbox (origin) where origin is not null;

create table timer (
  subject text not null,
  kind text not null,
  due_at integer not null,
  lane text not null,
  primary key (subject, kind, due_at)
) without rowid;
create index timer_due on timer (due_at);

-- the county (design 7); after the first start these rows are the truth
create table unit (id text primary key, name text not null, aliases text not null, town text not null, duty text not null, pos integer not null) without rowid;
create table person (id text primary key, name text not null, unit text not null, roles text not null, pos integer not null,
  muted_until integer, erased_at integer) without rowid;
create table account (channel text not null, user_id text not null, person text not null, at integer not null, primary key (channel, user_id)) without rowid;
create index account_person on account (person);
create table place (id text primary key, name text not null, aliases text not null, kind text not null, town text not null, pos integer not null) without rowid;
create table work_group (id text primary key, name text not null, purpose text not null, members text not null, pos integer not null, welcomed_at integer) without rowid;
create table group_account (channel text not null, address text not null, group_id text not null, primary key (channel, address)) without rowid;
create table category (code text primary key, name text not null, kind text not null, spoken_group text not null, pos integer not null) without rowid;
create table standard (pos integer primary key, code text not null, condition text not null, limit_n integer not null, limit_unit text not null);
create table duty (pos integer primary key, code text not null, place_or_town text not null, unit text not null, status text not null);
create table calendar_day (date text primary key, kind text not null) without rowid;
create table phrase (pos integer primary key, code text not null, text text not null);

-- check-in codes, waiting strangers, logins
create table code (hash text primary key, kind text not null, subject text not null, made_by text not null, at integer not null, expires_at integer not null, used_at integer) without rowid;
create table stranger (channel text not null, user_id text not null, name text not null, address text not null, at integer not null, state text not null default 'waiting', primary key (channel, user_id)) without rowid;
create table login (person text primary key, hash text not null, at integer not null, failures integer not null default 0, locked_until integer not null default 0) without rowid;
create table session (hash text primary key, person text not null, at integer not null, seen_at integer not null, address text not null) without rowid;
create index session_person on session (person);

-- a draft gathers one sender's pieces in one group until they make a report
create table draft (
  id text primary key,
  group_id text not null,
  sender text not null,
  text text not null,
  addressed integer not null,
  asked text not null default '',
  verb text not null default '',
  number text not null default '',
  task text,
  at integer not null,
  last_at integer not null,
  open integer not null default 1
) without rowid;
create index draft_open on draft (group_id, sender) where open = 1;

create table task (
  id text primary key,
  day text,
  serial integer,
  state text not null,
  group_id text not null,
  reporter text not null,
  text text not null,
  category text not null default '',
  place text not null default '',
  place_text text not null default '',
  unit text not null default '',
  handler text not null default '',
  urgent integer not null default 0,
  choices text not null default '',
  provisional integer not null default 0,
  opened_at integer not null,
  dispatched_at integer,
  accepted_at integer,
  arrived_at integer,
  feedback_at integer,
  closed_at integer,
  due_at integer,
  limit_n integer,
  limit_unit text,
  returns integer not null default 0,
  reworks integer not null default 0,
  relays integer not null default 0,
  allowed_n integer,
  used integer not null default 0,
  began integer,
  extensions integer not null default 0,
  suspensions integer not null default 0,
  asked text not null default '',
  asked_until integer,
  resume_at integer,
  final integer not null default 0,
  exempt integer not null default 0,
  before_state text not null default '',
  ended_at integer,
  merged_into text,
  version integer not null default 1,
  unique (day, serial)
) without rowid;
create index task_open on task (state, due_at) where state not in ('closed', 'rejected', 'merged', 'withdrawn');
create index task_by_unit on task (unit, state);
create index task_opened on task (opened_at);
create index task_reporter_group on task (reporter, group_id, opened_at);
create table task_unit (task text not null, unit text not null, lead integer not null, accepted_at integer, reported_at integer, primary key (task, unit)) without rowid;
create index task_unit_assistant on task_unit (unit) where lead = 0;
create table task_reporter (task text not null, person text not null, at integer not null, primary key (task, person)) without rowid;
create index task_reporter_person on task_reporter (person, at);
create table task_photo (task text not null, sha text not null, role text not null, person text not null, event_seq integer, at integer not null, hidden integer not null default 0, n integer not null default 0, primary key (task, sha, role)) without rowid;
create table task_message (channel text not null, message text not null, task text not null, primary key (channel, message, task)) without rowid;
create index task_message_task on task_message (task);
create table task_note (task text not null, n integer not null, text text not null, primary key (task, n)) without rowid;

create table photo (sha text primary key, width integer not null, height integer not null, size integer not null, dhash text not null, at integer not null, kept integer not null default 0,
  taken_at integer, lat real, lon real) without rowid; -- as its camera wrote them (WGS-84, 4 decimals)
create index photo_loose on photo (at) where kept = 0;
create index task_photo_sha on task_photo (sha);
create table photo_print (sha text primary key, prints text not null); -- how it is recognised again, erased or not
create table print (id integer primary key, sha text not null unique, coarse blob not null); -- after-photos, to be found
create table print_band (key integer not null, print integer not null, primary key (key, print)) without rowid;
create table photo_pair (sha text primary key, task text not null, before text not null, after text not null, title text not null,
  said_before text not null, said_after text not null) without rowid; -- comparison pictures, made when first sent
create index photo_pair_before on photo_pair (before);
create index photo_pair_after on photo_pair (after);
create table photo_room (sha text not null, room text not null, primary key (sha, room)) without rowid; -- where the built-in work group shows it
create table photo_wait (channel text not null, ref text not null, event_seq integer not null, at integer not null, primary key (channel, ref)) without rowid;

-- append-only: ids, codes, times, amounts, hashes; chained per task
create table history (
  seq integer primary key,
  task text not null,
  n integer not null,
  at integer not null,
  event text not null,
  from_state text not null,
  to_state text not null,
  actor text not null,
  role text not null,
  unit text not null,
  code text not null,
  amount integer,
  due_at integer,
  mark text not null,
  prev text not null,
  hash text not null,
  unique (task, n)
);
create trigger history_no_update before update on history begin select raise(abort, 'history is append-only'); end;
create trigger history_no_delete before delete on history begin select raise(abort, 'history is append-only'); end;
create table anchor (n integer primary key, at integer not null, upto integer not null, count integer not null, hash text not null);
create trigger anchor_no_update before update on anchor begin select raise(abort, 'anchor is append-only'); end;
create trigger anchor_no_delete before delete on anchor begin select raise(abort, 'anchor is append-only'); end;

-- access and refusals, purged at 400 days with an anchor row in place of what went
create table audit (
  seq integer primary key,
  at integer not null,
  actor text not null,
  role text not null,
  source text not null,
  object text not null,
  action text not null,
  result text not null,
  prev text not null,
  hash text not null
);
create trigger audit_no_update before update on audit begin select raise(abort, 'audit is append-only'); end;
create table secrecy_event (seq integer primary key, at integer not null, group_id text not null, sender text not null, rule text not null, mark text not null);
create table opinion (id text primary key, person text not null, text text not null, at integer not null, reply text not null default '', replied_at integer) without rowid;
create table lesson (seq integer primary key, at integer not null, task text, text text not null, category text not null, unit text not null, place text not null, actor text not null, revoked_at integer);

-- the built-in work group: which kept row stands at which line, and how far each member has read
create table chat_line (pos integer primary key, room text not null, inbox_seq integer, outbox_seq integer, recalled_at integer);
create index chat_room on chat_line (room, pos);
create unique index chat_inbox on chat_line (inbox_seq) where inbox_seq is not null;
create unique index chat_outbox on chat_line (outbox_seq) where outbox_seq is not null;
create table chat_read (person text not null, room text not null, pos integer not null, primary key (person, room)) without rowid;
