-- 动态口令 (RFC 6238). The secret stands sealed with the data folder's key; `step` is the last one used, so no code works twice.
create table totp (
  person text primary key,
  sealed blob not null,
  confirmed_at integer,
  step integer not null default 0
) without rowid;
