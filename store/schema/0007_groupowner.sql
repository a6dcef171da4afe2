-- who looks after a work group: may turn the digest's columns on and off in it (person id; empty: nobody named)
alter table work_group add column owner text not null default '';
