-- a round that ran over its limit: rework begins a new limit and does not undo it
alter table task add column overran integer not null default 0;

-- statistics of a period read the lives that something happened in
create index history_at on history (at);
