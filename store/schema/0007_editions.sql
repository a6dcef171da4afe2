-- Beside editions: warnings a person took responsibility for, how a group wants to see editions, who let a correction pass.

-- a warning on one printed line, acknowledged; `mark` is of the warning and the line's words: other words, other mark
create table edition_ack (day text not null, mark text not null, person text not null, why text not null, at integer not null,
  primary key (day, mark)) without rowid;
-- a group's own form of an edition (text, markdown, news, picture); none: the best its channel can show
create table group_form (group_id text primary key, form text not null, person text not null, at integer not null) without rowid;
-- verdicts on corrections: wrote, pass, drop; append-only like approval
create table correction_step (seq integer primary key, at integer not null, n integer not null, person text not null, hash text not null, verdict text not null);
create index correction_step_of on correction_step (n, seq);
create trigger correction_step_no_update before update on correction_step begin select raise(abort, 'correction_step is append-only'); end;
create trigger correction_step_no_delete before delete on correction_step begin select raise(abort, 'correction_step is append-only'); end;
