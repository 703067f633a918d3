-- Routing rules as data, in editions.

-- Who gets which case (派遣规则), in editions; a draft becomes one, which never changes. The form: docs/rules/routing.md.
CREATE TABLE routing_editions (
  number       integer PRIMARY KEY,
  name         text NOT NULL,
  state        text NOT NULL CHECK (state IN ('draft', 'published', 'retired')),
  rules        jsonb NOT NULL,
  drafted_at   timestamptz NOT NULL,
  drafted_by   text NOT NULL,
  published_at timestamptz,                      -- first
  published_by text,
  replaces     integer REFERENCES routing_editions,   -- in force when this one was first published
  CONSTRAINT a_publishing_is_whole CHECK ((state = 'draft') = (published_at IS NULL)
                                          AND (published_at IS NULL) = (published_by IS NULL))
);
CREATE UNIQUE INDEX one_routing_edition_in_force ON routing_editions (state) WHERE state = 'published';

-- Append-only: each time an edition came into force, by whom, and from which one the city went back to it.
CREATE TABLE routing_publications (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  edition      integer NOT NULL REFERENCES routing_editions,
  published_at timestamptz NOT NULL,
  published_by text NOT NULL,
  rolled_back  integer REFERENCES routing_editions
);

CREATE FUNCTION routing_edition_stays() RETURNS trigger
  LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state <> 'draft' AND (TG_OP = 'DELETE' OR NEW.state = 'draft'
     OR (NEW.number, NEW.name, NEW.rules, NEW.published_at, NEW.published_by, NEW.replaces)
        IS DISTINCT FROM (OLD.number, OLD.name, OLD.rules, OLD.published_at, OLD.published_by, OLD.replaces)) THEN
    RAISE EXCEPTION 'routing edition % was published and never changes', OLD.number;
  END IF;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;
CREATE TRIGGER routing_edition_stays BEFORE UPDATE OR DELETE ON routing_editions
  FOR EACH ROW EXECUTE FUNCTION routing_edition_stays();

-- Editions 1 and 2 were in the code; the third says the same as data.
INSERT INTO routing_editions (number, name, state, rules, drafted_at, drafted_by, published_at, published_by)
VALUES (3, '起步派遣规则', 'published',
$rules$
  {"name": "起步派遣规则", "position_max_age_s": 1800, "rules": [
    {"code": "sent_by_hand", "name": "须人工派遣的类别", "name_en": "Categories that a dispatcher sends on",
     "to": "pool", "reason": "a dispatcher sends on every case of this category", "try_again": false, "when": {"dispatches_itself": false}},
    {"code": "register_of_components", "name": "部件归台账所载部门", "name_en": "What is about a component goes to whom the register names",
     "to": "component_register", "else": "pool", "when": {"handled_by": ["department"], "about_component": true}},
    {"code": "department_of_the_category", "name": "部门处置的类别归其部门", "name_en": "What a department handles goes to the category's department",
     "to": "category_department", "else": "pool", "when": {"handled_by": ["department"]}},
    {"code": "officer_of_the_beat", "name": "其余归责任网格的网格员", "name_en": "All else goes to an officer of the beat",
     "to": "beat_officer", "else": "pool"}
  ]}
$rules$, now(), 'gridsvc', now(), 'gridsvc');
INSERT INTO routing_publications (edition, published_at, published_by) VALUES (3, now(), 'gridsvc');

CREATE TRIGGER rules_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON routing_editions
  FOR EACH STATEMENT EXECUTE FUNCTION rules_changed();

GRANT SELECT, INSERT, UPDATE, DELETE ON routing_editions TO gridsvc_app;
GRANT SELECT, INSERT ON routing_publications TO gridsvc_app;
GRANT USAGE ON SEQUENCE routing_publications_id_seq TO gridsvc_app;
