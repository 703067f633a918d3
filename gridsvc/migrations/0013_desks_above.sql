-- A case without a place is seen by its desk and by those above it, like any other.

ALTER TABLE cases ADD COLUMN desk_path text[] NOT NULL DEFAULT '{}';

UPDATE cases c
   SET desk_path = coalesce((SELECT d.path FROM divisions d
                              WHERE d.grid_set_id = grid_set_at(city_now()) AND d.code = c.desk), ARRAY[c.desk])
 WHERE c.desk IS NOT NULL;

UPDATE cases c
   SET seen_by = ARRAY(
         SELECT key COLLATE "C"
           FROM (SELECT unnest(c.seen_by)
                  UNION
                 SELECT unnest(CASE WHEN c.department IS NULL
                                    THEN ARRAY[above, above || '/line:' || c.duty_line]
                                    ELSE ARRAY[above, above || '/line:' || c.duty_line, above || '/dept:' || c.department]
                               END)
                   FROM unnest(c.desk_path) AS above) AS keys (key)
          ORDER BY 1)
 WHERE c.desk IS NOT NULL AND c.divisions = '{}';

ALTER TABLE cases DROP COLUMN desk;
