-- one change to a part of the county made on a page: the rows it took away and the rows it put, as JSON lists, so that it can be undone
create table county_step (
  seq integer primary key,
  at integer not null,
  actor text not null,
  part text not null,
  before text not null,
  after text not null,
  undone_at integer
);
create index county_step_part on county_step (part, seq);
