-- What the office teaches: where a lesson came from and what was said before, each step in its life and what it would
-- change, who confirmed which duty, and which tasks may be one.

alter table lesson add column source text not null default 'corrected'; -- corrected or imported
alter table lesson add column batch text not null default ''; -- an import's name; revoked together
alter table lesson add column was_category text not null default '';
alter table lesson add column was_unit text not null default '';
alter table lesson add column offered text not null default ''; -- the units first offered, best first, joined by |
create index lesson_batch on lesson (batch) where batch <> '';

-- made, revoked, given_back: of one lesson or a whole batch; done_at is when its effect on settled tasks was looked at
create table lesson_step (
  seq integer primary key,
  at integer not null,
  actor text not null,
  event text not null,
  lesson integer,
  batch text not null default '',
  looked integer,
  changed integer,
  done_at integer
);
create index lesson_step_lesson on lesson_step (lesson) where lesson is not null;
create index lesson_step_waiting on lesson_step (seq) where done_at is null;
insert into lesson_step (at, actor, event, lesson, done_at) select at, actor, 'made', seq, at from lesson order by seq;
insert into lesson_step (at, actor, event, lesson, done_at)
  select revoked_at, '', 'revoked', seq, revoked_at from lesson where revoked_at is not null order by seq;
-- settled tasks that would go elsewhere now; the tasks themselves stay as they are
create table lesson_effect (step integer not null, task text not null, before text not null, after text not null, primary key (step, task)) without rowid;

-- who made a duty what it is, and the words of the unit's prose it rests on
create table duty_step (
  seq integer primary key,
  at integer not null,
  actor text not null,
  event text not null,
  code text not null,
  scope text not null,
  unit text not null,
  words text not null
);
create index duty_step_of on duty_step (code, scope, unit);

-- two open tasks that may be one problem: a suggestion with its reasons, until a person decides
create table task_like (task text not null, other text not null, reasons text not null, at integer not null, apart_by text not null default '', apart_at integer, primary key (task, other)) without rowid;
create index task_like_other on task_like (other);
create index task_at_place on task (place, opened_at) where place <> '';
create index task_at_words on task (place_text, opened_at) where place_text <> '';
