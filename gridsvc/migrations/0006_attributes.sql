-- What the category asks to be said (必填属性): what each report said of it, and what is known of it in the case.

ALTER TABLE cases ADD COLUMN attributes jsonb NOT NULL DEFAULT '{}';
ALTER TABLE reports ADD COLUMN attributes jsonb NOT NULL DEFAULT '{}';
