-- Its content comes from elsewhere.
SELECT 1;
