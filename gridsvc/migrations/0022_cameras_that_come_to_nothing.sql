-- Why nothing came of a sighting: its end comes to nothing too. NULL: something did, or nobody knows yet.
ALTER TABLE camera_sightings ADD COLUMN came_to_nothing text;
