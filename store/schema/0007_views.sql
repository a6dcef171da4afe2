-- Views of the board a person saved for himself: a name and the filters as in its address.
create table board_view (
  n integer primary key,
  person text not null,
  name text not null,
  query text not null,
  at integer not null,
  unique (person, name)
);
