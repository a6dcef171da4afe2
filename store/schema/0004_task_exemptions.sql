-- exemptions that wait for an arbiter are found without looking at every closed task
create index task_exemption on task (opened_at) where exempt = 1;
