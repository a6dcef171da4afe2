-- QQ official bot: when a group or person may be answered, which slot each message took, who refuses being spoken to, where the gateway stands
create table qq_window (channel text not null, id text not null, field text not null, address text not null, until integer not null, idx text not null default '', primary key (channel, id)) without rowid;
create index qq_window_idx on qq_window (channel, idx) where idx <> '';
create index qq_window_until on qq_window (until);
create table qq_slot (outbox integer primary key, channel text not null, window text not null, first integer not null, parts integer not null);
create index qq_slot_window on qq_slot (channel, window);
create table qq_silent (channel text not null, address text not null, at integer not null, primary key (channel, address)) without rowid;
create table qq_session (channel text primary key, session text not null, last integer not null) without rowid;
