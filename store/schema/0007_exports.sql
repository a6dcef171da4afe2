-- Exports above the office's limit wait for a second person (security.md A.3). `query` is the board's filter as in its address.
create table export_request (
  n integer primary key,
  at integer not null,
  person text not null,
  query text not null,
  rows integer not null,
  why text not null,
  state text not null default 'asked',       -- asked, granted, denied
  decided_by text not null default '',
  decided_at integer
);
create index export_request_person on export_request (person, n);
