-- Editions shown as a picture: named by the decision that sends it, drawn from this row when the message leaves (or is looked at).
-- `sheet` is what is drawn, as JSON; `instead` is said where no picture can be drawn.
create table photo_sheet (sha text primary key, day text not null, sheet text not null, instead text not null, at integer not null) without rowid;
create index photo_sheet_at on photo_sheet (at);
