-- What was reported, to be found by its words. The index holds single characters and their places, not the text (contentless);
-- `n` stands for a task because a rowid of `task` may change in a VACUUM.
create table task_entry (n integer primary key, task text not null unique);
create virtual table task_words using fts5 (text, content = '', tokenize = 'unicode61 remove_diacritics 0');
