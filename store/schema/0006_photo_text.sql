-- what a photo's watermark says; never its text. `unread`: the reader gave up on it
create table photo_read (sha text primary key, at integer not null, taken_at integer, place text not null default '', unread integer not null default 0) without rowid;
