-- a round that ran over its limit: rework begins a new limit and does not undo it
alter table task add column overran integer not null default 0;
