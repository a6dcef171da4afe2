-- Tax questions. What people wrote stands in erasable columns; every version of an entry is kept.

-- state: draft (waits for a second person), live (at most one a entry), replaced, withdrawn, declined
create table faq_version (
  entry text not null,
  version integer not null,
  state text not null,
  question text not null,
  similar text not null,
  answer text not null,
  basis text not null,
  source text not null,
  valid_from text not null,
  valid_to text not null,
  taxpayer_type text not null,
  tax text not null,
  region text not null,
  maintainer text not null,
  successor text not null,
  author text not null,
  approver text not null default '',
  at integer not null,
  decided_at integer,
  primary key (entry, version)
) without rowid;
create unique index faq_live on faq_version (entry) where state = 'live';
create index faq_state on faq_version (state, at);

-- what an officer's reply would teach. kind: new (an entry), similar (one more way to ask for `entry`)
create table faq_draft (
  id text primary key,
  serial integer not null unique,
  kind text not null,
  entry text not null,
  question text not null,
  answer text not null,
  basis text not null,
  tax text not null,
  taxpayer_type text not null,
  author text not null,
  state text not null,
  approver text not null default '',
  reason text not null default '',
  ticket text not null default '',
  at integer not null,
  decided_at integer
) without rowid;
create index faq_draft_state on faq_draft (state, at);

-- one row per question that was not chatter; `choices` (entry ids) answer a number of its asker until `until`
create table faq_asked (
  id text primary key,
  group_id text not null,
  channel text not null,
  address text not null,
  message text not null,
  asker text not null,
  text text not null,
  band text not null,
  reason text not null,
  entry text not null,
  version integer not null,
  choices text not null default '',
  until integer not null default 0,
  ticket text not null default '',
  at integer not null
) without rowid;
create index faq_asked_by on faq_asked (group_id, asker, at);
create index faq_asked_at on faq_asked (at);
create table faq_vote (asked text not null, asker text not null, vote text not null, at integer not null, primary key (asked, asker)) without rowid;

-- what a line of the bot is about: faq_asked.id, faq_ticket.id, faq_draft.id or faq_push.id
create table faq_line (outbox integer primary key, about text not null);

-- handed over. kind: question or matter; state: open, answered, settled (its asker), withdrawn
create table faq_ticket (
  id text primary key,
  serial integer not null unique,
  kind text not null,
  state text not null,
  group_id text not null,
  channel text not null,
  address text not null,
  text text not null,
  tax text not null,
  taxpayer_type text not null,
  near text not null,
  officer text not null,
  told text not null default '',
  at integer not null,
  answered_by text not null default '',
  answered_at integer,
  answer text not null default ''
) without rowid;
create index faq_ticket_open on faq_ticket (group_id, at) where state = 'open';
create table faq_ticket_asker (ticket text not null, channel text not null, message text not null, asker text not null, at integer not null,
  primary key (ticket, channel, message)) without rowid;
create index faq_ticket_message on faq_ticket_asker (channel, message);

-- who is on duty for a tax ("" = any), in order; what a group files; which reminders went out; policy pushes
create table faq_duty (tax text not null, person text not null, pos integer not null, primary key (tax, person)) without rowid;
create table faq_profile (group_id text primary key, monthly text not null, quarterly text not null, off integer not null default 0) without rowid;
create table faq_reminder (group_id text not null, month text not null, n integer not null, at integer not null, primary key (group_id, month, n)) without rowid;
create table faq_push (
  id text primary key,
  serial integer not null unique,
  entry text not null,
  version integer not null,
  author text not null,
  state text not null,
  approver text not null default '',
  at integer not null,
  decided_at integer
) without rowid;
create table faq_push_group (entry text not null, version integer not null, group_id text not null, push text not null, at integer not null,
  primary key (entry, version, group_id)) without rowid;
