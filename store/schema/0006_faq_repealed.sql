-- documents the bureau marked as repealed: entries that rest on one are to be looked at
create table faq_repealed (document text primary key, person text not null, at integer not null) without rowid;
